// R8: a process is asked for several times what it can do. What it takes in it answers in time, the rest hears so at once.
import { type ChildProcess, fork } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import { Agent, request } from "undici"

export interface OverloadOptions {
  /** Of the overload; the peak is measured for a quarter of it before. */
  readonly seconds: number
  /** How many times its capacity it is asked for. */
  readonly times: number
}

/** What became of the requests, and what the probes heard. */
export interface OverloadFigures {
  /** Good answers a second of callers who ask one after the other. */
  readonly peak: number
  /** Good answers a second under overload, once it has been noticed, that came within `PATIENCE_MS`. */
  readonly goodput: number
  readonly sent: number
  readonly good: number
  /** 503 with `Retry-After`. */
  readonly refused: number
  /** Good, and too late for whoever asked. */
  readonly late: number
  /** Anything else: another status, a 503 without `Retry-After`, a lost connection. */
  readonly wrong: number
  readonly probes: number
  readonly probesAnswered: number
  readonly slowestProbeMs: number
}

/** Calls a second that one core can do at best: each costs 5 ms (`overload-server.ts`). On a busy machine it is fewer, and the overload more. */
const CAPACITY = 200
/** Fewer than the system lets wait to be accepted (511): beyond them it would lose connections by itself. */
const CONNECTIONS = 400
/** Who has waited longer has gone. */
const PATIENCE_MS = 1_000
/** Callers who ask one after the other: enough to keep one process busy. */
const CALLERS = 8
/** An overload must stand for a second before anything is refused; and what has piled up meanwhile is worked off. */
const NOTICED_MS = 4_000
const PROBE_EVERY_MS = 100

export async function overload({ seconds, times }: OverloadOptions): Promise<OverloadFigures> {
  const child = fork(join(import.meta.dirname, "overload-server.ts"), { stdio: ["ignore", "ignore", "inherit", "ipc"], execArgv: [] })
  try {
    const [{ url }] = (await Promise.race([once(child, "message"), once(child, "exit")])) as [{ url: string }]
    const dispatcher = new Agent({ connections: CONNECTIONS, pipelining: 1 })
    const peak = await peakOf(url, dispatcher, (seconds * 1_000) / 4)
    const figures = await flood({ url, dispatcher, rate: CAPACITY * times, ms: seconds * 1_000 })
    await dispatcher.destroy()
    return { peak, ...figures }
  } finally {
    await gone(child)
  }
}

async function gone(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  const exit = once(child, "exit")
  child.kill("SIGKILL")
  await exit
}

/** In the second half, when everything is warm. */
async function peakOf(url: string, dispatcher: Agent, ms: number): Promise<number> {
  const startedAt = performance.now()
  let good = 0
  const caller = async (): Promise<void> => {
    for (let now = 0; now < ms; now = performance.now() - startedAt) {
      const { statusCode, body } = await request(`${url}/report`, { dispatcher })
      await body.dump()
      if (statusCode === 200 && now >= ms / 2) good++
    }
  }
  await Promise.all(Array.from({ length: CALLERS }, caller))
  return (good * 1_000) / (performance.now() - startedAt - ms / 2)
}

interface Flood {
  readonly url: string
  readonly dispatcher: Agent
  /** Requests a second, whether or not those before were answered. */
  readonly rate: number
  readonly ms: number
}

async function flood({ url, dispatcher, rate, ms }: Flood): Promise<Omit<OverloadFigures, "peak">> {
  const counts = { sent: 0, good: 0, refused: 0, late: 0, wrong: 0, goodLater: 0 }
  const startedAt = performance.now()
  const noticedMs = Math.min(NOTICED_MS, ms / 2)
  const ask = async (): Promise<void> => {
    const askedAt = performance.now()
    const { statusCode, headers, body } = await request(`${url}/report`, { dispatcher })
    await body.dump()
    const now = performance.now()
    if (statusCode === 503 && headers["retry-after"] !== undefined) counts.refused++
    else if (statusCode !== 200) counts.wrong++
    else if (now - askedAt > PATIENCE_MS) counts.late++
    else {
      counts.good++
      if (askedAt - startedAt >= noticedMs && now - startedAt <= ms) counts.goodLater++
    }
  }
  const probing = probe(url, ms)
  const asked: Promise<void>[] = []
  for (let now = 0; now < ms; now = performance.now() - startedAt) {
    for (; counts.sent < (now / 1_000) * rate; counts.sent++) asked.push(ask().catch(() => void counts.wrong++))
    await pause(2)
  }
  const probes = await probing
  await Promise.all(asked)
  const { goodLater, ...rest } = counts
  return { ...rest, ...probes, goodput: (goodLater * 1_000) / (ms - noticedMs) }
}

/** Health, over connections of its own, as an orchestrator asks for it. */
async function probe(url: string, ms: number): Promise<Pick<OverloadFigures, "probes" | "probesAnswered" | "slowestProbeMs">> {
  const dispatcher = new Agent()
  const until = performance.now() + ms
  const seen = { probes: 0, probesAnswered: 0, slowestProbeMs: 0 }
  while (performance.now() < until) {
    const askedAt = performance.now()
    seen.probes++
    const { statusCode, body } = await request(`${url}/health/live`, { dispatcher })
    await body.dump()
    if (statusCode === 200) seen.probesAnswered++
    seen.slowestProbeMs = Math.max(seen.slowestProbeMs, performance.now() - askedAt)
    await pause(PROBE_EVERY_MS)
  }
  await dispatcher.destroy()
  return seen
}

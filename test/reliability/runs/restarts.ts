// R7: an application is replaced by a new process of itself, again and again, while clients with kept-alive connections ask on.
import cluster, { type Worker } from "node:cluster"
import { once } from "node:events"
import { Agent, get } from "node:http"
import { join } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import { freePort } from "../../servers/free-port.ts"

export interface RestartOptions {
  readonly restarts: number
  /** Requests a second, begun when their time has come, whatever became of earlier ones. */
  readonly rate: number
}

export interface RestartFigures {
  readonly requests: number
  /** What went wrong, and how often. */
  readonly failures: Readonly<Record<string, number>>
  /** Processes that answered. */
  readonly processes: number
  readonly slowestExitMs: number
  readonly exitCodes: readonly (number | null)[]
  readonly slowestAnswerMs: number
}

/** The next process listens before the one before hears SIGTERM; both share the port through a cluster's primary, which is this process. */
export async function restarts({ restarts: count, rate }: RestartOptions): Promise<RestartFigures> {
  const port = await freePort()
  cluster.setupPrimary({
    exec: join(import.meta.dirname, "../kit/replaceable.ts"),
    args: [String(port)],
    execArgv: ["--conditions=trestle-source", "--no-warnings"],
  })
  let worker = await begun()
  const load = new Load(port, rate)
  const ends: { ms: number; code: number | null }[] = []
  try {
    for (let i = 0; i < count; i++) {
      const next = await begun()
      ends.push(await ended(worker))
      worker = next
    }
    await load.stop()
    return { ...load.figures(), slowestExitMs: Math.max(...ends.map(({ ms }) => ms)), exitCodes: ends.map(({ code }) => code) }
  } finally {
    await load.stop()
    await ended(worker)
  }
}

async function begun(): Promise<Worker> {
  const worker = cluster.fork()
  const died = once(worker, "exit").then(([code]) => {
    throw new Error(`a worker has ended with ${code} instead of listening`)
  })
  died.catch(() => undefined)
  await Promise.race([once(worker, "message"), died])
  return worker
}

async function ended(worker: Worker): Promise<{ ms: number; code: number | null }> {
  const startedAt = performance.now()
  const exit = once(worker, "exit")
  process.kill(worker.process.pid!, "SIGTERM")
  const [code] = await exit
  return { ms: performance.now() - startedAt, code }
}

/** Who waits longer has failed. */
const ANSWER_MS_MAX = 15_000

/** An open loop over kept-alive connections. A failed request is failed: nothing is sent a second time. */
class Load {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 })
  readonly #port: number
  readonly #failures: Record<string, number> = {}
  readonly #answeredBy = new Set<string>()
  readonly #stopping = new AbortController()
  readonly #running: Promise<void>
  #requests = 0
  #slowestMs = 0

  constructor(port: number, rate: number) {
    this.#port = port
    this.#running = this.#run(rate)
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#running
    this.#agent.destroy()
  }

  figures(): Pick<RestartFigures, "requests" | "failures" | "processes" | "slowestAnswerMs"> {
    return { requests: this.#requests, failures: this.#failures, processes: this.#answeredBy.size, slowestAnswerMs: this.#slowestMs }
  }

  async #run(rate: number): Promise<void> {
    const startedAt = performance.now()
    const underWay = new Set<Promise<void>>()
    while (!this.#stopping.signal.aborted) {
      const due = Math.floor(((performance.now() - startedAt) / 1_000) * rate)
      for (; this.#requests < due; this.#requests++) {
        const asking: Promise<void> = this.#ask().finally(() => underWay.delete(asking))
        underWay.add(asking)
      }
      await pause(1)
    }
    await Promise.all(underWay)
  }

  #ask(): Promise<void> {
    const startedAt = performance.now()
    return new Promise((resolve) => {
      const fail = (how: string): void => {
        this.#failures[how] = (this.#failures[how] ?? 0) + 1
        resolve()
      }
      const request = get({ agent: this.#agent, port: this.#port, host: "127.0.0.1", path: "/things/7" }, (response) => {
        let text = ""
        response.setEncoding("utf8").on("data", (chunk: string) => {
          text += chunk
        })
        response.on("error", ({ message }) => fail(`within the answer: ${message}`))
        response.on("end", () => {
          this.#slowestMs = Math.max(this.#slowestMs, performance.now() - startedAt)
          if (response.statusCode !== 200) return fail(`HTTP ${response.statusCode}`)
          this.#answeredBy.add(text)
          resolve()
        })
      })
      request.setTimeout(ANSWER_MS_MAX, () => request.destroy(new Error(`no answer within ${ANSWER_MS_MAX} ms`)))
      request.on("error", ({ code, message }: NodeJS.ErrnoException) => fail(code ?? message))
    })
  }
}

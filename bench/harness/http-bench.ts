/** Runs one HTTP workload: check every subject, then measure them in turn, round by round. */
import type { ChildProcess } from "node:child_process"
import type { HttpSubject, HttpWorkload } from "../workloads.ts"
import type { LoadOrder, LoadResult } from "./driver.ts"
import { saveResults } from "./environment.ts"
import { DRIVER_CORE, launch, nextMessage, type Ready, SUBJECT_CORE, stop } from "./processes.ts"
import { median, printTable, progress, range } from "./report.ts"

const START_TIMEOUT_MS = 30_000
const CONNECTIONS = 64
const BUSY_MIN = 0.9

interface Run {
  subject: string
  round: number
  requests: number
  microsPerRequest: number
  requestsPerSecond: number
  busy: number
  driverBusy: number
  /** Why the run does not count, or null. */
  discarded: string | null
}

export async function benchHttp(name: "w1" | "w2", workload: HttpWorkload, quick: boolean, only: string | undefined): Promise<boolean> {
  console.log(`${workload.title}\n`)
  const wanted = workload.subjects.filter((subject) => subject.reference || !only || subject.file.includes(only))
  const refused = await verifyAll(workload, wanted)
  const subjects = wanted.filter((subject) => !refused.has(subject.name))
  const runs = await measureAll(name, workload, subjects, quick)
  printResults(wanted, runs, refused)
  progress(`raw results: ${saveResults(name, quick, { runs, refused: Object.fromEntries(refused) })}`)
  return [...refused.keys()].every((subject) => subject === "trestle")
}

/** Subjects that do not start or answer wrongly, with the reason. A fresh process each, so that no breaker stays open. */
async function verifyAll(workload: HttpWorkload, subjects: HttpSubject[]): Promise<Map<string, string>> {
  const refused = new Map<string, string>()
  for (const subject of subjects) {
    const children: ChildProcess[] = []
    const start = (upstream: string) => {
      children.push(launchSubject(subject, upstream))
      return nextMessage<Ready>(children.at(-1)!, START_TIMEOUT_MS)
    }
    try {
      const wrong = await workload.verify(subject, start)
      if (wrong.length > 0) refused.set(subject.name, `wrong answers: ${wrong.join("; ")}`)
    } catch (error) {
      refused.set(subject.name, `${subject.name === "trestle" ? "not available yet: " : ""}${(error as Error).message}`)
    }
    for (const child of children) await stop(child)
    progress(`checked ${subject.name}: ${refused.get(subject.name) ?? "right"}`)
  }
  return refused
}

function launchSubject(subject: HttpSubject, upstream: string): ChildProcess {
  return launch({ core: SUBJECT_CORE, file: subject.file, nodeArgs: subject.nodeArgs ?? [], env: { UPSTREAM: upstream } })
}

async function measureAll(name: string, workload: HttpWorkload, subjects: HttpSubject[], quick: boolean): Promise<Run[]> {
  const driver = launch({ core: DRIVER_CORE, file: new URL("./driver.ts", import.meta.url).pathname, args: [name] })
  const { port } = await nextMessage<{ port: number }>(driver, START_TIMEOUT_MS)
  const runs: Run[] = []
  for (let round = 1; round <= (quick ? 3 : 5); round++) {
    for (const subject of subjects) {
      // a neighbour's burst is a reason to measure again, once; twice is a fact to report
      for (let attempt = 0; attempt < 2; attempt++) {
        const run = await measureOnce(driver, workload, subject, { upstream: `http://127.0.0.1:${port}`, round, quick })
        runs.push(run)
        progress(`round ${round}  ${describe(run)}`)
        if (run.discarded === null) break
      }
    }
  }
  await stop(driver)
  return runs
}

interface Occasion {
  upstream: string
  round: number
  quick: boolean
}

async function measureOnce(driver: ChildProcess, workload: HttpWorkload, subject: HttpSubject, occasion: Occasion): Promise<Run> {
  const child = launchSubject(subject, occasion.upstream)
  try {
    const ready = await nextMessage<Ready>(child, START_TIMEOUT_MS)
    const order: LoadOrder = {
      port: ready.port,
      subjectPid: child.pid!,
      requests: workload.requests(ready),
      connections: CONNECTIONS,
      warmUpMs: occasion.quick ? 1_500 : 3_000,
      runMs: occasion.quick ? 2_000 : 6_000,
    }
    driver.send(order)
    return judge(subject, occasion.round, await nextMessage<LoadResult>(driver, order.warmUpMs + order.runMs + 20_000))
  } finally {
    await stop(child)
  }
}

function judge(subject: HttpSubject, round: number, result: LoadResult): Run {
  const busy = result.subjectCpuMicros / 1_000 / result.wallMs
  const driverBusy = result.driverCpuMicros / 1_000 / result.wallMs
  let discarded: string | null = null
  if (result.failed > 0) discarded = `${result.failed} failed requests`
  else if (result.requests === 0) discarded = "no request answered"
  else if (busy < BUSY_MIN)
    discarded = `subject's core ${percent(busy)} busy${driverBusy > BUSY_MIN ? ", load generator at its limit" : ""}`
  return {
    subject: subject.name,
    round,
    requests: result.requests,
    microsPerRequest: result.subjectCpuMicros / result.requests,
    requestsPerSecond: (result.requests / result.wallMs) * 1_000,
    busy,
    driverBusy,
    discarded,
  }
}

function describe(run: Run): string {
  const figures = `${run.microsPerRequest.toFixed(1)} µs, ${run.requestsPerSecond.toFixed(0)}/s, busy ${percent(run.busy)}, driver ${percent(run.driverBusy)}`
  return `${run.subject}: ${figures}${run.discarded ? `  DISCARDED: ${run.discarded}` : ""}`
}

function printResults(subjects: HttpSubject[], runs: Run[], refused: Map<string, string>): void {
  const kept = (name: string) => runs.filter((run) => run.subject === name && run.discarded === null)
  const cost = (name: string) => median(kept(name).map((run) => run.microsPerRequest))
  const reference = cost(subjects.find((subject) => subject.reference)!.name)
  const rows = subjects.map(({ name }) => {
    const good = kept(name)
    if (good.length === 0) return [name, refused.has(name) ? "see below" : "all discarded"]
    const micros = good.map((run) => run.microsPerRequest)
    const perSecond = median(good.map((run) => run.requestsPerSecond))
    const discarded = runs.filter((run) => run.subject === name && run.discarded !== null).length
    return [
      name,
      cost(name).toFixed(1),
      range(micros, 1),
      (cost(name) / reference).toFixed(2),
      perSecond.toFixed(0),
      String(good.length),
      String(discarded),
    ]
  })
  console.log()
  printTable(["subject", "CPU µs/request", "min-max", "ratio", "requests/s", "runs", "discarded"], rows)
  for (const [name, reason] of refused) console.log(`${name}: ${reason}\n`)
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}

/** W4: durable jobs, from the put to the stored end; a fresh process and a fresh database for each subject and round, interleaved. */
import { loadavg } from "node:os"
import { saveResults } from "../harness/environment.ts"
import { ALL_CORES, cpuMicrosOfTree, launch, nextMessage, pinSelf, stop } from "../harness/processes.ts"
import { median, printTable, progress, range } from "../harness/report.ts"
import type { JobsResult } from "./measure.ts"
import { flushMicros, inFile, type Opened, onPostgres, onRedis } from "./servers.ts"

type GroundName = "sqlite" | "postgres" | "everysec" | "always"

interface Subject {
  readonly name: string
  readonly file: string
  readonly ground: GroundName
  /** How many jobs one put stores. Default 1. */
  readonly perPut?: number
}

const SUBJECTS: readonly Subject[] = [
  { name: "trestle, SQLite", file: "trestle", ground: "sqlite" },
  { name: "trestle, PostgreSQL", file: "trestle", ground: "postgres" },
  { name: "trestle, SQLite, 100 a put", file: "trestle", ground: "sqlite", perPut: 100 },
  { name: "trestle, PostgreSQL, 100 a put", file: "trestle", ground: "postgres", perPut: 100 },
  { name: "BullMQ, everysec", file: "bullmq", ground: "everysec" },
  { name: "BullMQ, everysec, 100 a put", file: "bullmq", ground: "everysec", perPut: 100 },
  { name: "BullMQ, always", file: "bullmq", ground: "always" },
  { name: "pg-boss", file: "pg-boss", ground: "postgres" },
  { name: "pg-boss, 100 a put", file: "pg-boss", ground: "postgres", perPut: 100 },
  { name: "graphile-worker", file: "graphile-worker", ground: "postgres" },
  { name: "graphile-worker, 100 a put", file: "graphile-worker", ground: "postgres", perPut: 100 },
]
const REFERENCE = "trestle, SQLite"
const RUN_TIMEOUT_MS = 120_000

interface Run {
  jobs: number
  perSecond: number
  /** Of the process, its threads and its server. */
  cpuMicros: number
  /** Of which the server's. */
  serverMicros: number
  load: number
  flushMicros: number
}

export async function benchJobs(quick: boolean, only: string | undefined): Promise<boolean> {
  console.log("W4: durable jobs on one machine, 16 publishers and 16 jobs at a time, from the put to the stored end\n")
  pinSelf(ALL_CORES) // the servers are its children, and take whatever core is free, as the subjects do
  const grounds: Record<GroundName, Opened> = {
    sqlite: inFile(),
    postgres: await onPostgres(),
    everysec: onRedis("everysec"),
    always: onRedis("always"),
  }
  const wanted = SUBJECTS.filter(({ name, file }) => name === REFERENCE || !only || file.includes(only))
  for (const name of new Set(wanted.map(({ ground }) => ground))) {
    const ground = grounds[name]
    console.log("missing" in ground ? `${ground.missing}: its rows are left out` : ground.settings)
  }
  const runs = new Map<string, Run[]>(wanted.filter(({ ground }) => "open" in grounds[ground]).map(({ name }) => [name, []]))
  for (let round = 1; round <= (quick ? 2 : 5); round++) {
    for (const subject of wanted) {
      const ground = grounds[subject.ground]
      if ("missing" in ground) continue
      const run = await runOnce(subject, ground.open, quick)
      runs.get(subject.name)!.push(run)
      progress(
        `round ${round}  ${subject.name}: ${run.perSecond.toFixed(0)} jobs/s, ${run.cpuMicros.toFixed(1)} CPU µs/job, load ${run.load.toFixed(1)}`,
      )
    }
  }
  printResults(runs)
  progress(`raw results: ${saveResults("w4", quick, Object.fromEntries(runs))}`)
  return true
}

async function runOnce({ file, perPut = 1 }: Subject, open: () => ReturnType<Extract<Opened, { open: unknown }>["open"]>, quick: boolean) {
  const ground = await open()
  const flush = flushMicros()
  const child = launch({
    core: ALL_CORES,
    file: new URL(`./${file}.ts`, import.meta.url).pathname,
    nodeArgs: ["--conditions=trestle-source", "--disable-warning=ExperimentalWarning"],
    env: { ROUND_MS: quick ? "1500" : "6000", PER_PUT: String(perPut), ...ground.env },
  })
  const cpu = (): { all: number; server: number } => {
    const server = ground.pid === null ? 0 : cpuMicrosOfTree(ground.pid)
    return { all: cpuMicrosOfTree(child.pid!) + server, server }
  }
  try {
    await nextMessage(child, RUN_TIMEOUT_MS)
    const before = cpu()
    const result = nextMessage<JobsResult>(child, RUN_TIMEOUT_MS)
    child.send("go")
    const { jobs, ms } = await result
    const after = cpu()
    return {
      jobs,
      perSecond: (jobs / ms) * 1_000,
      cpuMicros: (after.all - before.all) / jobs,
      serverMicros: (after.server - before.server) / jobs,
      load: loadavg()[0]!,
      flushMicros: flush,
    } satisfies Run
  } finally {
    await stop(child)
    await ground.end()
  }
}

function printResults(runs: ReadonlyMap<string, readonly Run[]>): void {
  const reference = median(runs.get(REFERENCE)!.map(({ cpuMicros }) => cpuMicros))
  const rows = [...runs].map(([name, all]) => {
    const perSecond = all.map((run) => run.perSecond)
    const cpu = all.map(({ cpuMicros }) => cpuMicros)
    const server = median(all.map(({ serverMicros }) => serverMicros))
    return [
      name,
      median(perSecond).toFixed(0),
      range(perSecond, 0),
      median(cpu).toFixed(1),
      server.toFixed(1),
      (median(cpu) / reference).toFixed(2),
    ]
  })
  const all = [...runs.values()].flat()
  console.log(
    `one flush of 4 KiB: ${median(all.map((run) => run.flushMicros)).toFixed(0)} µs; load ${range(
      all.map(({ load }) => load),
      1,
    )}\n`,
  )
  printTable(["subject", "jobs/s", "min-max", "CPU µs/job", "of it the server", "CPU ratio"], rows)
}

import type { Command } from "commander"
import type { App } from "../assembly/definition.ts"
import type { Finding } from "../contract/finding.ts"
import type { Operation } from "../contract/operation.ts"
import type { FaultReport } from "../testing/fault-lab.ts"
import { EXIT, type ExitCode, Stop } from "./exit.ts"
import { didYouMean, usage } from "./findings.ts"
import { endGracefully } from "./interrupt.ts"
import type { Run } from "./program.ts"
import type { Report } from "./report.ts"
import { APP_FLAG } from "./status.ts"

interface FaultsFlags {
  readonly service?: string
  readonly junit?: string
  readonly limit?: string
  readonly app?: string
}

const HELP = `
Examples:
  trestle faults
  trestle faults 'users.*' --service crm
  trestle faults --junit reports/faults.xml

Starts the application once for each row, with its own policies and deadlines,
puts a server on this machine in the place of each service, lets it fail, and
tells what the caller gets. In real time: a service that hangs is waited for.
Reads no secret, keeps nothing, connects to nothing beyond this machine, and
does not run in production. Code of the application runs.

PostgreSQL is tried in databases that are made for it, and dropped, on a
server for tests: TRESTLE_FAULTS_POSTGRES=postgres://user:password@host/name

Each later write of a flow fails once for itself, so that its undo is seen.

Exits 1 when a declared fallback does not answer, when a write may have its
effect twice, or when a flow fails and what a step has done stays. What cannot
be tried is counted, and is a warning.
`

export function addFaults(program: Command, run: Run): void {
  program
    .command("faults")
    .summary("Let every service fail in every way, and see what callers get")
    .description("Let every service fail in every way: see that fallbacks answer, no write is doubled, and failed flows are undone.")
    .argument("[targets...]", 'operations: a path, a group, or a glob such as "users.*"')
    .option("--service <name>", "only what this service does to them")
    .option("--junit <file>", "also write the rows as JUnit XML")
    .option("--limit <duration>", 'longest that one row may take: "5m" (default: 1m)')
    .option(...APP_FLAG)
    .addHelpText("after", HELP)
    .action((targets: string[], flags: FaultsFlags) => run("faults", () => faults(targets, flags)))
}

async function faults(targets: readonly string[], flags: FaultsFlags): Promise<Report> {
  const limitMs = await limitOf(flags.limit)
  await refuseInProduction()
  const [{ loadApp }, { throwAwayData }] = await Promise.all([import("./load-app.ts"), import("./throwaway-data.ts")])
  const data = throwAwayData()
  try {
    const { app } = await loadApp(flags.app)
    return await tried(app, targets, { ...flags, limitMs })
  } finally {
    data.remove()
  }
}

interface Wanted {
  readonly service?: string
  readonly junit?: string
  readonly limitMs: number | undefined
}

async function tried(app: App<unknown>, targets: readonly string[], { service, junit, limitMs }: Wanted): Promise<Report> {
  const [{ describe }, { matching }, { tryFaults }, { progressLine }] = await Promise.all([
    import("../assembly/describe.ts"),
    import("./targets.ts"),
    import("../testing/fault-lab.ts"),
    import("./progress-line.ts"),
  ])
  const { name, operations, findings } = describe(app)
  const errors = findings.filter(({ severity }) => severity === "error")
  if (errors.length > 0) throw new Stop(EXIT.noLoad, errors)
  const paths = operations.map(({ path }) => path)
  const chosen = matching(targets, paths)
  if (service !== undefined) await refuseUnknown(service, app)
  const giveUp = new AbortController()
  endGracefully(() => giveUp.abort())
  const line = progressLine("faults tried")
  const options = { operations: chosen, signal: giveUp.signal, progress: line.show, ...(service === undefined ? {} : { service }) }
  const report = await tryFaults(app, limitMs === undefined ? options : { ...options, limitMs }).finally(line.clear)
  const unwritten = junit === undefined ? [] : await writeJunit(junit, name, report)
  return reportOf(name, { operations, report, isInterrupted: giveUp.signal.aborted, unwritten })
}

interface Tried {
  readonly operations: readonly Operation[]
  readonly report: FaultReport
  readonly isInterrupted: boolean
  readonly unwritten: readonly Finding[]
}

async function reportOf(name: string, { operations, report, isInterrupted, unwritten }: Tried): Promise<Report> {
  const [{ faultsText, countsOf }, { faultFindings }, { paintFor }] = await Promise.all([
    import("./faults-text.ts"),
    import("./faults-findings.ts"),
    import("./paint.ts"),
  ])
  const counts = countsOf(report)
  const found: ExitCode = counts.broken > 0 ? EXIT.found : unwritten.length > 0 ? EXIT.usage : EXIT.ok
  return {
    exit: isInterrupted ? EXIT.interrupted : found,
    findings: [...faultFindings(report), ...unwritten],
    summary: { app: name, ...counts },
    json: { rows: report.rows.map(({ trouble: _, ...row }) => row), withoutService: report.withoutService },
    text: faultsText({ name, operations, report, paint: paintFor(process.stdout) }),
  }
}

async function limitOf(flag: string | undefined): Promise<number | undefined> {
  if (flag === undefined) return undefined
  const { parseDuration } = await import("../base/duration.ts")
  const ms = parseDuration(flag)
  if (ms !== null && ms > 0) return ms
  throw usage(`--limit is no duration: "${flag}"`, "--limit 5m")
}

/** @throws {Stop} */
async function refuseInProduction(): Promise<void> {
  const { loadEnvironment } = await import("../config/environment.ts")
  const { name } = loadEnvironment({ folder: process.cwd() })
  if (name !== "production") return
  const variable = process.env.TRESTLE_ENV ? "TRESTLE_ENV" : "NODE_ENV"
  throw usage(
    `faults does not run in production, and ${variable} says that this is production`,
    `${variable}=test trestle faults, where the application is developed`,
  )
}

/** @throws {Stop} */
async function refuseUnknown(service: string, app: App<unknown>): Promise<void> {
  const [{ describe }, { servicesOf }] = await Promise.all([import("../assembly/describe.ts"), import("../runtime/within.ts")])
  const known = servicesOf(describe(app).operations).map(({ name }) => name)
  if (!known.includes(service))
    throw usage(`there is no service "${service}"`, didYouMean(service, known, `There are: ${known.join(", ") || "none"}`))
}

/** What was seen is told all the same when the file cannot be written. */
async function writeJunit(file: string, name: string, report: FaultReport): Promise<readonly Finding[]> {
  const [{ junitOf }, { write }] = await Promise.all([import("./faults-junit.ts"), import("./openapi.ts")])
  try {
    await write(file, junitOf(name, report))
    return []
  } catch (error) {
    if (error instanceof Stop) return error.findings
    throw error
  }
}

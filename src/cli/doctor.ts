import type { Command } from "commander"
import type { Service } from "../contract/service.ts"
import type { Examined } from "./doctor-service.ts"
import { EXIT, type ExitCode } from "./exit.ts"
import { didYouMean, usage } from "./findings.ts"
import type { Run } from "./program.ts"
import type { Report } from "./report.ts"
import { APP_FLAG } from "./status.ts"

interface DoctorFlags {
  readonly timeout?: string
  readonly app?: string
}

const STEP_TIMEOUT_MS = 3_000

const HELP = `
Examples:
  trestle doctor            every service
  trestle doctor crm mail   these two

Asks only health probes; nothing is changed. Exits 0 when all are well, 3 when a
variable is missing, 4 when a service cannot be reached or trusted, 5 when one
refuses the credential, 1 for anything else that was found; the first of these,
when there are several.
`

export function addDoctor(program: Command, run: Run): void {
  program
    .command("doctor")
    .summary("Look at every service: variables, DNS, TCP, TLS, credential, version, latency")
    .description("Look at every service, and say what is wrong and what to type.")
    .argument("[services...]", "their names (default: all that an operation can reach)")
    .option("--timeout <duration>", 'longest that one step may take: "5s" (default: 3s)')
    .option(...APP_FLAG)
    .addHelpText("after", HELP)
    .action((names: string[], flags: DoctorFlags) => run("doctor", ({ isJson }) => doctor(names, flags, isJson)))
}

async function doctor(names: readonly string[], flags: DoctorFlags, isJson: boolean): Promise<Report> {
  const timeoutMs = await timeoutOf(flags.timeout)
  const [{ loadApp }, { describe }, { loadEnvironment }, { servicesOf }, { examine }] = await Promise.all([
    import("./load-app.ts"),
    import("../assembly/describe.ts"),
    import("../config/environment.ts"),
    import("../runtime/within.ts"),
    import("./doctor-service.ts"),
  ])
  const { app } = await loadApp(flags.app)
  const services = servicesOf(describe(app).operations)
  const chosen = chosenOf(names, services)
  const environment = loadEnvironment({ folder: process.cwd() })
  const examined = await Promise.all(chosen.map((service) => examine(service, { services, environment, timeoutMs })))
  const findings = [...environment.findings, ...examined.flatMap((one) => one.findings)]
  const failing = examined.filter(({ state }) => state === "failed").length
  return {
    exit: environment.findings.length > 0 ? EXIT.noLoad : exitOf(examined),
    // For people they stand with the steps of their service.
    findings: isJson ? findings : environment.findings,
    summary: { app: app.name, services: examined.length, failing },
    json: { services: examined.map(({ findings: _, exit: _exit, ...one }) => one) },
    text: await textOf(app.name, examined),
  }
}

async function timeoutOf(flag: string | undefined): Promise<number> {
  if (flag === undefined) return STEP_TIMEOUT_MS
  const { parseDuration } = await import("../base/duration.ts")
  const ms = parseDuration(flag)
  if (ms !== null && ms > 0) return ms
  throw usage(`--timeout is no duration: "${flag}"`, "--timeout 5s")
}

function chosenOf(names: readonly string[], services: readonly Service[]): readonly Service[] {
  if (names.length === 0) return services
  const known = services.map(({ name }) => name)
  const wrong = names.find((name) => !known.includes(name))
  if (wrong === undefined) return services.filter(({ name }) => names.includes(name))
  throw usage(`there is no service "${wrong}"`, didYouMean(wrong, known, `There are: ${known.join(", ") || "none"}`))
}

const ORDER: readonly ExitCode[] = [EXIT.noLoad, EXIT.unreachable, EXIT.refused, EXIT.found]

function exitOf(examined: readonly Examined[]): ExitCode {
  return ORDER.find((exit) => examined.some((one) => one.exit === exit)) ?? EXIT.ok
}

async function textOf(name: string, examined: readonly Examined[]): Promise<string> {
  const [{ doctorText }, { paintFor }] = await Promise.all([import("./doctor-text.ts"), import("./paint.ts")])
  return doctorText(name, examined, { paint: paintFor(process.stdout), width: process.stdout.isTTY ? process.stdout.columns : undefined })
}

import type { Command } from "commander"
import { EXIT, type ExitCode } from "./exit.ts"
import { cliFinding } from "./findings.ts"
import { endGracefully } from "./interrupt.ts"
import { paintFor, shown } from "./paint.ts"
import type { Run } from "./program.ts"
import type { Report } from "./report.ts"
import { APP_FLAG } from "./status.ts"
import type { Verification } from "./verify-operation.ts"

export interface VerifyFlags {
  readonly writes?: boolean
  readonly app?: string
}

const HELP = `
Examples:
  trestle verify
  trestle verify 'users.*' --json
  trestle verify users.create --writes

Calls the real services, with the application's own authority: reads with the
inputs of their examples; with --writes also writes that declare
verify: { input, cleanup }. What held is kept in the data folder, and trestle
status shows it as verified.

Exits 1 when a promise was not kept, 4 when all that failed was that services
could not be reached. All that could not be tried for want of an example is one
warning.
`

export function addVerify(program: Command, run: Run): void {
  program
    .command("verify")
    .summary("Try the real services, keep what held")
    .description("Call the real services and see that every answer keeps its contract.")
    .argument("[targets...]", 'operations: a path, a group, or a glob such as "users.*"')
    .option("--writes", "also try the writes that declare how")
    .option(...APP_FLAG)
    .addHelpText("after", HELP)
    .action((targets: string[], flags: VerifyFlags) => run("verify", () => verify(targets, flags)))
}

async function verify(targets: readonly string[], flags: VerifyFlags): Promise<Report> {
  const [{ loadApp }, { describe }, { matching }, { verifyAll }, { verifyText }, { untriedFindings }] = await Promise.all([
    import("./load-app.ts"),
    import("../assembly/describe.ts"),
    import("./targets.ts"),
    import("./verify-run.ts"),
    import("./verify-text.ts"),
    import("./verify-untried.ts"),
  ])
  const { app } = await loadApp(flags.app)
  const { name, operations } = describe(app)
  const paths = new Set(
    matching(
      targets,
      operations.map(({ path }) => path),
    ),
  )
  const giveUp = new AbortController()
  endGracefully(() => giveUp.abort())
  const chosen = operations.filter(({ path }) => paths.has(path))
  const { verifications, notKept } = await verifyAll(app, chosen, { withWrites: flags.writes === true, signal: giveUp.signal })
  const paint = paintFor(process.stdout)
  const { isTTY, columns } = process.stdout
  return {
    exit: giveUp.signal.aborted ? EXIT.interrupted : exitOf(verifications),
    findings: [
      ...verifications.flatMap(({ finding }) => finding ?? []),
      ...untriedFindings(verifications, chosen),
      ...(notKept === null ? [] : [unkept(notKept)]),
    ],
    summary: { app: name, ...countsOf(verifications) },
    json: { operations: verifications.map(({ finding: _, ...rest }) => rest) },
    text: `${verifyText(verifications, paint, isTTY ? columns : undefined)}\n${paint("bold", shown(name))}: ${countsText(verifications)}\n`,
  }
}

/** Only services that were not there: that says nothing of the contracts. */
function exitOf(verifications: readonly Verification[]): ExitCode {
  const broken = verifications.filter(({ result }) => result === "broken")
  if (broken.length === 0) return EXIT.ok
  return broken.every(({ isUnreachable }) => isUnreachable) ? EXIT.unreachable : EXIT.found
}

const RESULTS = ["held", "broken", "untried", "skipped"] as const

function countsOf(verifications: readonly Verification[]): Record<(typeof RESULTS)[number], number> {
  const count = (wanted: string): number => verifications.filter(({ result }) => result === wanted).length
  return { held: count("held"), broken: count("broken"), untried: count("untried"), skipped: count("skipped") }
}

function countsText(verifications: readonly Verification[]): string {
  const counts = countsOf(verifications)
  return RESULTS.map((result) => `${counts[result]} ${result}`).join(" · ")
}

function unkept(why: string): ReturnType<typeof cliFinding> {
  const message = `what was seen cannot be kept: ${why}`
  return cliFinding("TRS3008", message, "Let this user write the data folder; TRESTLE_DATA names another one.", { severity: "warning" })
}

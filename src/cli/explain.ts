import type { Command } from "commander"
import { systemClock } from "../base/clock.ts"
import type { Operation } from "../contract/operation.ts"
import { EXIT, Stop } from "./exit.ts"
import type { Surroundings } from "./explain-operation.ts"
import { usage } from "./findings.ts"
import type { Run } from "./program.ts"
import type { Report } from "./report.ts"
import { APP_FLAG } from "./status.ts"

const HELP = `
Examples:
  trestle explain candidates.show   its calls: who, how long, and each failure
  trestle explain TRS1002           the page of a finding
  trestle explain OUTCOME_UNKNOWN   what an error code means
  trestle explain timeout-sent      what the reason of a failure means

Nothing is sent and no secret is needed: failures are rehearsed with the
operation's own policies on a clock of their own.
`

export function addExplain(program: Command, run: Run): void {
  program
    .command("explain")
    .summary("Tell what an operation does when a service fails, or what a code means")
    .description("Tell what an operation does when a service fails, or what a finding, an error code or a reason means.")
    .argument("<subject>", "an operation's path, TRS1002, OUTCOME_UNKNOWN, timeout-sent")
    .option(...APP_FLAG)
    .addHelpText("after", HELP)
    .action((subject: string, { app }: { app?: string }) => run("explain", () => explain(subject, app)))
}

async function explain(subject: string, appFlag: string | undefined): Promise<Report> {
  const { pageOf } = await import("./explain-page.ts")
  const page = pageOf(subject)
  if (!page && /^TRS\d+$/i.test(subject))
    throw usage(`there is no finding "${subject}"`, "A finding is named as it is printed: trestle explain TRS1002")
  if (page) return { exit: EXIT.ok, summary: { subject: page.subject, title: page.title }, json: { page }, text: page.text }
  const [{ loadApp }, { describe }, { definitionOf }] = await Promise.all([
    import("./load-app.ts"),
    import("../assembly/describe.ts"),
    import("../assembly/definition.ts"),
  ])
  const { app } = await loadApp(appFlag)
  const { operations, findings } = describe(app)
  const operation = operations.find(({ path }) => path === subject)
  const defaults = definitionOf(app).defaults ?? {}
  if (operation) return explainOperation(operation, { defaults, operations, epoch: systemClock.epoch() })
  const declaring = operations.filter(({ errors }) => Object.hasOwn(errors, subject))
  if (declaring.length > 0) return explainDeclared(subject, declaring)
  // An operation that cannot be read is missing from the list; the finding says why.
  const own = findings.filter(({ message }) => message.startsWith(`${subject} `) || message.startsWith(`${subject}:`))
  if (own.length > 0) throw new Stop(EXIT.found, own)
  const { noSuch } = await import("./targets.ts")
  throw noSuch(
    subject,
    operations.map(({ path }) => path),
  )
}

async function explainOperation(operation: Operation, around: Surroundings): Promise<Report> {
  const [{ explanationOf }, { explanationText }, { paintFor }] = await Promise.all([
    import("./explain-operation.ts"),
    import("./explain-text.ts"),
    import("./paint.ts"),
  ])
  const explanation = await explanationOf(operation, around)
  const { effect, worstCase } = explanation
  return {
    exit: EXIT.ok,
    summary: { operation: operation.path, effect, worstCaseMs: worstCase.ms, deadlineMs: worstCase.deadlineMs },
    json: { ...explanation },
    text: explanationText(explanation, { paint: paintFor(process.stdout), width: process.stdout.columns ?? 100 }),
  }
}

/** A code of the application's own has no page; its operations are its meaning. */
function explainDeclared(code: string, declaring: readonly Operation[]): Report {
  const operations = declaring.map(({ path, errors }) => ({ operation: path, status: errors[code]! }))
  const lines = operations.map(({ operation, status }) => `  ${status}  ${operation}`)
  const text = `${code} is an error that this application declares:\n${lines.join("\n")}\nIts outcome is "answered": it is a real answer, and no fallback replaces it.\n`
  return { exit: EXIT.ok, summary: { subject: code }, json: { operations }, text }
}

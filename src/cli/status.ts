import type { Command } from "commander"
import type { OperationStatus } from "../runtime/status.ts"
import { EXIT } from "./exit.ts"
import { type Paint, paintFor, shown } from "./paint.ts"
import type { Run } from "./program.ts"
import type { Report } from "./report.ts"

export const APP_FLAG = ["--app <file>", "the file that exports the application (default: app.ts, src/app.ts, ...)"] as const

export function addStatus(program: Command, run: Run): void {
  program
    .command("status")
    .summary("Show how real each operation is")
    .description("Show how real each operation is. Needs no secret and no network.")
    .argument("[targets...]", 'operations: a path, a group, or a glob such as "users.*"')
    .option(...APP_FLAG)
    .addHelpText(
      "after",
      "\nExamples:\n  trestle status\n  trestle status 'users.*' --json\n\nExits 1 when there are findings; placeholders alone are none.\n",
    )
    .action((targets: string[], { app }: { app?: string }) => run("status", () => status(targets, app)))
}

async function status(targets: readonly string[], appFlag: string | undefined): Promise<Report> {
  const [{ loadApp }, { describe }, { matching }] = await Promise.all([
    import("./load-app.ts"),
    import("../assembly/describe.ts"),
    import("./targets.ts"),
  ])
  const { app } = await loadApp(appFlag)
  const { name, board, findings } = describe(app)
  const chosen = new Set(
    matching(
      targets,
      board.map(({ operation }) => operation),
    ),
  )
  const rows = board.filter(({ operation }) => chosen.has(operation))
  const summary = {
    app: name,
    operations: rows.length,
    placeholder: countOf(rows, "placeholder"),
    wired: countOf(rows, "wired"),
    findings: findings.length,
  }
  return {
    exit: findings.length > 0 ? EXIT.found : EXIT.ok,
    findings,
    summary,
    json: { operations: rows },
    text: await boardText(name, rows, findings.length),
  }
}

async function boardText(name: string, rows: readonly OperationStatus[], findings: number): Promise<string> {
  const { table } = await import("./table.ts")
  const paint = paintFor(process.stdout)
  const head = ["STATE", "OPERATION", "HTTP", "BACKEND", "SERVICES", "WHY"].map((title) => paint("dim", title))
  const body = rows.map((row) => [
    stateText(row.state, paint),
    row.operation,
    row.http ?? paint("dim", "internal"),
    row.backend,
    row.services.map(shown).join(", ") || "-",
    row.why === null ? "" : shown(row.why),
  ])
  return `${table([head, ...body], process.stdout.isTTY ? process.stdout.columns : undefined)}\n${summaryLine(name, rows, findings, paint)}`
}

/** A sign and a word; the colour only repeats them. */
function stateText(state: OperationStatus["state"], paint: Paint): string {
  return state === "placeholder" ? paint("yellow", "○ placeholder") : paint("green", "● wired")
}

function summaryLine(name: string, rows: readonly OperationStatus[], findings: number, paint: Paint): string {
  const counts = [
    `${rows.length} ${rows.length === 1 ? "operation" : "operations"}`,
    `${countOf(rows, "placeholder")} placeholder`,
    `${countOf(rows, "wired")} wired`,
  ]
  const found = findings === 0 ? "no findings" : `${findings} ${findings === 1 ? "finding" : "findings"}`
  return `${paint("bold", shown(name))}: ${[...counts, found].join(", ")}\n`
}

export function countOf(rows: readonly OperationStatus[], state: OperationStatus["state"]): number {
  return rows.filter((row) => row.state === state).length
}

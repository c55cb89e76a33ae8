import type { Command } from "commander"
import type { EvidenceBook } from "../runtime/evidence.ts"
import { EXIT } from "./exit.ts"
import { paintFor, shown } from "./paint.ts"
import type { Run } from "./program.ts"
import type { Report } from "./report.ts"

export const APP_FLAG = ["--app <file>", "the file that exports the application (default: app.ts, src/app.ts, ...)"] as const

export function addStatus(program: Command, run: Run): void {
  program
    .command("status")
    .summary("Show how real each operation is, or how a running application stands")
    .description(
      "Show how real each operation is; needs no secret and no network.\nWith --url: whether a running application is ready, its circuits, and its jobs.",
    )
    .argument("[targets...]", 'operations: a path, a group, or a glob such as "users.*"')
    .option(...APP_FLAG)
    .option("--url <url>", "ask a running application how it stands with its services")
    .option("--key <variable>", "with --url: the environment variable of an API key that may meta:read")
    .addHelpText(
      "after",
      "\nExamples:\n  trestle status\n  trestle status 'users.*' --json\n  trestle status --url http://localhost:4000 --key OPS_KEY\n\nExits 1 when there are findings; placeholders alone are none. With\n--url: when it is not ready, or a circuit is not closed.\n",
    )
    .action((targets: string[], flags: StatusFlags) => run("status", () => statusOr(targets, flags)))
}

interface StatusFlags {
  readonly app?: string
  readonly url?: string
  readonly key?: string
}

async function statusOr(targets: readonly string[], { app, url, key }: StatusFlags): Promise<Report> {
  if (url !== undefined) return (await import("./status-server.ts")).statusOfServer(url, key)
  if (key === undefined) return status(targets, app)
  const { usage } = await import("./findings.ts")
  throw usage("--key is for asking a running application", "Add --url http://localhost:4000")
}

async function status(targets: readonly string[], appFlag: string | undefined): Promise<Report> {
  const [{ loadApp }, { describe }, { matching }, { board, countsOf, countsText, progress }] = await Promise.all([
    import("./load-app.ts"),
    import("../assembly/describe.ts"),
    import("./targets.ts"),
    import("./board.ts"),
  ])
  const { app } = await loadApp(appFlag)
  const { name, board: all, findings } = describe(app, await keptEvidence())
  const chosen = new Set(
    matching(
      targets,
      all.map(({ operation }) => operation),
    ),
  )
  const rows = all.filter(({ operation }) => chosen.has(operation))
  const paint = paintFor(process.stdout)
  const { isTTY, columns } = process.stdout
  const found = findings.length === 0 ? "no findings" : `${findings.length} ${findings.length === 1 ? "finding" : "findings"}`
  const count = `${rows.length} ${rows.length === 1 ? "operation" : "operations"}`
  const head = `${paint("bold", shown(name))}: ${count}, ${found}`
  return {
    exit: findings.length > 0 ? EXIT.found : EXIT.ok,
    findings,
    summary: { app: name, operations: rows.length, ...countsOf(rows), progress: countsText(rows), findings: findings.length },
    json: { operations: rows },
    text: `${board({ rows, paint, width: isTTY ? columns : undefined })}\n${head}\n${progress(rows, paint)}\n`,
  }
}

/** What was seen of the operations of the application in this folder; reads one file and nothing else. */
export async function keptEvidence(): Promise<EvidenceBook> {
  const [{ loadEnvironment }, { dataFolder }, { evidenceFile, readEvidence }] = await Promise.all([
    import("../config/environment.ts"),
    import("../assembly/data-folder.ts"),
    import("../assembly/evidence-file.ts"),
  ])
  return readEvidence(evidenceFile(dataFolder(loadEnvironment({ folder: process.cwd() }))))
}

import { readFile } from "node:fs/promises"
import type { Command } from "commander"
import { EXIT } from "./exit.ts"
import { cliFinding, usage } from "./findings.ts"
import type { Run } from "./program.ts"
import type { Report } from "./report.ts"
import { APP_FLAG } from "./status.ts"

export interface ClientFlags {
  readonly out?: string
  readonly check?: boolean
  readonly app?: string
}

const HELP = `
Examples:
  trestle client --out ../web/src/api.d.ts
  trestle client --out ../web/src/api.d.ts --check

The front end then writes: createClient<Api>({ url: "/api" }), with
\`import type { Api } from "./api"\`.

With --check nothing is written: exits 1 when the file is not what would be
written now.
`

export function addClient(program: Command, run: Run): void {
  program
    .command("client")
    .summary("Print the types for front ends")
    .description("Print TypeScript declarations for front ends that do not have the sources. Needs no secret and no network.")
    .option("--out <file>", "write them to a file instead of stdout")
    .option("--check", "with --out: only see whether the file is up to date")
    .option(...APP_FLAG)
    .addHelpText("after", HELP)
    .action((flags: ClientFlags) => run("client", () => client(flags)))
}

async function client({ out, check, app: appFlag }: ClientFlags): Promise<Report> {
  if (check && out === undefined) throw usage("--check needs --out", "Name the file to look at: --out ../web/src/api.d.ts --check")
  const [{ loadApp }, { describe }, { clientDeclarations }] = await Promise.all([
    import("./load-app.ts"),
    import("../assembly/describe.ts"),
    import("../server/declarations/client-declarations.ts"),
  ])
  const { app } = await loadApp(appFlag)
  const { name, operations, findings } = describe(app)
  const text = clientDeclarations(name, operations)
  const summary = { app: name, operations: operations.filter(({ route }) => route !== null).length, ...(out === undefined ? {} : { out }) }
  const exit = findings.length > 0 ? EXIT.found : EXIT.ok
  if (out === undefined) return { exit, findings, summary, text, json: { declarations: text } }
  if (!check) {
    const { write } = await import("./openapi.ts")
    await write(out, text)
    return { exit, findings, summary, notes: `wrote ${out}\n` }
  }
  // A checkout may have changed the ends of the lines.
  const onDisk = (await readFile(out, "utf8").catch(() => null))?.replaceAll("\r\n", "\n")
  if (onDisk === text) return { exit, findings, summary, notes: `${out} is up to date\n` }
  const message = onDisk === undefined ? `${out} is not there` : `${out} is not what the application declares now`
  const stale = cliFinding("TRS3014", message, `Run: trestle client --out ${out}`, { at: out })
  return { exit: EXIT.found, findings: [...findings, stale], summary }
}

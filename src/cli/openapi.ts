import type { Command } from "commander"
import type { OpenApiDocument } from "../server/openapi/openapi.ts"
import { EXIT, Stop } from "./exit.ts"
import { cliFinding, usage } from "./findings.ts"
import type { Run } from "./program.ts"
import type { Report } from "./report.ts"
import { APP_FLAG } from "./status.ts"

export interface OpenapiFlags {
  readonly out?: string
  readonly against?: string
  readonly app?: string
}

const HELP = `
Examples:
  trestle openapi > openapi.json
  trestle openapi --out openapi.json
  trestle openapi --against openapi.json

With --against it compares instead: exits 1 when something breaks who was built
against the earlier document, 0 otherwise.
`

export function addOpenapi(program: Command, run: Run): void {
  program
    .command("openapi")
    .summary("Print or compare the OpenAPI document")
    .description("Print the OpenAPI 3.1 document, or compare it with an earlier one. Needs no secret and no network.")
    .option("--out <file>", "write it to a file instead of stdout")
    .option("--against <file>", "list what has changed since this earlier document")
    .option(...APP_FLAG)
    .addHelpText("after", HELP)
    .action((flags: OpenapiFlags) => run("openapi", () => openapi(flags)))
}

async function openapi({ out, against, app: appFlag }: OpenapiFlags): Promise<Report> {
  if (out !== undefined && against !== undefined)
    throw usage(
      "--out and --against do not go together",
      "Compare first: trestle openapi --against openapi.json, then write the new one with --out.",
    )
  const [{ loadApp }, { describe, documentOf }, { definitionOf }] = await Promise.all([
    import("./load-app.ts"),
    import("../assembly/describe.ts"),
    import("../assembly/definition.ts"),
  ])
  const { app } = await loadApp(appFlag)
  const { name, version, operations, findings } = describe(app)
  const document = documentOf(definitionOf(app) as never, operations)
  const about = { app: name, version }
  if (against !== undefined) {
    const { compare } = await import("./openapi-against.ts")
    return compare({ against, document, findings, about })
  }
  return {
    exit: findings.length > 0 ? EXIT.found : EXIT.ok,
    findings,
    ...(await printed(document, out, { ...about, findings: findings.length })),
  }
}

async function printed(
  document: OpenApiDocument,
  out: string | undefined,
  about: Readonly<Record<string, unknown>>,
): Promise<Pick<Report, "summary" | "text" | "json" | "notes">> {
  const text = `${JSON.stringify(document, null, 2)}\n`
  const summary = { ...about, paths: Object.keys(document.paths).length }
  if (out === undefined) return { summary, text, json: { document } }
  await write(out, text)
  return { summary: { ...summary, out }, notes: `wrote ${out}\n` }
}

/** @throws {Stop} wrong usage. */
export async function write(out: string, text: string): Promise<void> {
  const { writeFile } = await import("node:fs/promises")
  await writeFile(out, text).catch((error: NodeJS.ErrnoException) => {
    throw new Stop(EXIT.usage, [
      cliFinding(
        "TRS3008",
        `${out} cannot be written (${error.code})`,
        "Choose a file in a folder that exists and that you may write to.",
        { at: out },
      ),
    ])
  })
}

import type { Command } from "commander"
import { EXIT, Stop } from "./exit.ts"
import { cliFinding } from "./findings.ts"
import type { Run } from "./program.ts"
import type { Report } from "./report.ts"
import { APP_FLAG } from "./status.ts"

export function addOpenapi(program: Command, run: Run): void {
  program
    .command("openapi")
    .summary("Print the OpenAPI 3.1 document")
    .description("Print the OpenAPI 3.1 document. Needs no secret and no network.")
    .option("--out <file>", "write it to a file instead of stdout")
    .option(...APP_FLAG)
    .addHelpText("after", "\nExamples:\n  trestle openapi > openapi.json\n  trestle openapi --out openapi.json\n")
    .action(({ out, app }: { out?: string; app?: string }) => run("openapi", () => openapi(out, app)))
}

async function openapi(out: string | undefined, appFlag: string | undefined): Promise<Report> {
  const [{ loadApp }, { describe, documentOf }, { definitionOf }] = await Promise.all([
    import("./load-app.ts"),
    import("../assembly/describe.ts"),
    import("../assembly/definition.ts"),
  ])
  const { app } = await loadApp(appFlag)
  const { name, version, operations, findings } = describe(app)
  const document = documentOf(definitionOf(app) as never, operations)
  const text = `${JSON.stringify(document, null, 2)}\n`
  if (out !== undefined) await write(out, text)
  return {
    exit: findings.length > 0 ? EXIT.found : EXIT.ok,
    findings,
    summary: {
      app: name,
      version,
      paths: Object.keys(document.paths).length,
      findings: findings.length,
      ...(out === undefined ? {} : { out }),
    },
    ...(out === undefined ? { text, json: { document } } : { notes: `wrote ${out}\n` }),
  }
}

async function write(out: string, text: string): Promise<void> {
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

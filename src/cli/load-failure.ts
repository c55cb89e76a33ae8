import { relative, sep } from "node:path"
import { fileURLToPath } from "node:url"
import { inspect } from "node:util"
import type { SourcePlace } from "../base/source-place.ts"
import type { Finding } from "../contract/finding.ts"
import { cliFinding } from "./findings.ts"

/** What went wrong when the application's file was imported: where in the application's own source, and what to do about it. */
export function loadFailure(error: unknown, file: string, folder: string): Finding {
  const message = error instanceof Error ? error.message.split("\n")[0]! : shownValue(error)
  const name = error instanceof Error && error.name !== "Error" ? `${error.name}: ` : ""
  const place = placeOf(error, folder)
  return cliFinding(
    "TRS3003",
    `${relative(folder, file) || file} does not load: ${name}${message}`,
    fixOf(error, message),
    place ? { place } : { at: file },
  )
}

/** Of what was thrown and is no error: any value, also one that has no text. */
function shownValue(value: unknown): string {
  return typeof value === "string" ? value : inspect(value, { breakLength: Number.POSITIVE_INFINITY, depth: 1 })
}

/** The first line of the stack in the application's own files; for a file that cannot be parsed, the line Node says. */
function placeOf(error: unknown, folder: string): SourcePlace | null {
  const stack = error instanceof Error ? (error.stack ?? "") : ""
  for (const line of stack.split("\n")) {
    const match = /((?:file:\/\/)?\/[^():]*|[A-Za-z]:\\[^():]*):(\d+)(?::\d+)?\)?$/.exec(line.trim())
    if (!match) continue
    const path = match[1]!.startsWith("file:") ? fileURLToPath(match[1]!) : match[1]!
    if (path.startsWith(folder + sep) && !path.includes(`${sep}node_modules${sep}`)) return { file: path, line: Number(match[2]) }
  }
  return null
}

function fixOf(error: unknown, message: string): string {
  const code = (error as { code?: unknown } | null)?.code
  if (code === "ERR_MODULE_NOT_FOUND") {
    const missing = /Cannot find package '([^']+)'/.exec(message)?.[1]
    if (missing) return `Install it: npm i ${missing}`
    return 'Correct the path of the import. Node needs the whole file name: import { users } from "./users.ts"'
  }
  if (code === "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX")
    return "Node runs TypeScript by leaving the types out, so enums, namespaces and parameter properties do not work; set erasableSyntaxOnly in tsconfig.json to see them."
  if (/import statement outside a module|require is not defined in ES module/.test(message))
    return 'Say in package.json that the files are modules: "type": "module"'
  return "Correct the file. Declaring an application needs no secret and no network; what needs them belongs behind env(), secret() or in a backend."
}

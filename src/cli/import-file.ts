import { relative } from "node:path"
import { pathToFileURL } from "node:url"
import type { Finding } from "../contract/finding.ts"
import { cliFinding } from "./findings.ts"
import { endingAtOnce } from "./interrupt.ts"

let underWay: string | null = null

/**
 * Imports a file of the application's. What its code throws later, while other imports are awaited, counts as thrown by it.
 *
 * @param file Absolute path.
 */
export async function importFile(file: string): Promise<Record<string, unknown>> {
  const { promise: failed, reject } = Promise.withResolvers<never>()
  process.on("uncaughtException", reject)
  try {
    return await endingAtOnce(() => {
      underWay = file
      return Promise.race([import(pathToFileURL(file).href), failed])
    })
  } finally {
    underWay = null
    process.off("uncaughtException", reject)
  }
}

/** For the end of the process: what to say when it comes while a file is being imported, which nothing else would say. */
export function unfinishedImport(code: number): Finding | null {
  if (underWay === null) return null
  const name = relative(process.cwd(), underWay)
  const how = code === 0 ? "it waits at its top level for what never comes, or calls process.exit()" : `it calls process.exit(${code})`
  const fix =
    "A file that declares operations only declares: what waits, or ends the process, belongs into a backend or into the file that starts it."
  return cliFinding("TRS3003", `${name} never ends loading: ${how}`, fix, { at: underWay })
}

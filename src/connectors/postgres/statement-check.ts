import type { SqlStatement } from "../../contract/sql-compile.ts"
import { NoStatement } from "./question.ts"

/** Space and comments, then the first word with what follows it. */
const OPENING = /^(?:\s|--[^\n]*\n|\/\*[\s\S]*?\*\/)*(\w+)([\s\S]*)$/
/** Words that would end our transaction, or stay with a connection that another call gets next. */
const CONTROL = new Set(
  "begin start commit end abort rollback savepoint release prepare execute deallocate set reset discard listen unlisten copy vacuum".split(
    " ",
  ),
)
/** Good for one transaction only, and no way round its being read-only. */
const OF_TRANSACTION = /^\s+(?:local|constraints|transaction\s+isolation)\b(?![\s\S]*read[_\s]*(?:only|write))/i

/** Several statements in one text are refused by the server. @throws {NoStatement} for what is for the service to say. */
export function refuseControl({ text }: SqlStatement): void {
  const [, word = "", rest = ""] = OPENING.exec(text) ?? []
  const control = word.toLowerCase()
  if (!CONTROL.has(control) || (control === "set" && OF_TRANSACTION.test(rest))) return
  throw new NoStatement(`${word.toUpperCase()} is for the service to say; use transaction(), or a migration`)
}

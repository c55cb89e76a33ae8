/** What is text to SQL and no statement: strings, PostgreSQL's `$$` among them, quoted names, comments. */
const OPAQUE = /'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]|\$(\w*)\$[\s\S]*?\$\1\$|--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)/g
const CONTROL = /^(?:begin|commit|end|rollback|savepoint|release|attach|detach|vacuum|pragma)\b/i
/** Bodies have a BEGIN and an END that belong to no transaction; the END of a CASE in one follows no semicolon. */
const BODY = /\b(?:create\s+(?:temp\w*\s+)?trigger|begin\s+atomic)\b[\s\S]*?;\s*end\b/gi
/** Where a statement of a script begins. */
const CONTROL_IN_SCRIPT = /(?:^|;)\s*(begin|commit|end|rollback|savepoint|release|attach|detach|vacuum)\b/i

/** Why a text is not one statement of an operation, or `null`. Drivers run the first of several and say nothing of the others. */
export function statementMistake(text: string): string | null {
  const bare = text.replace(OPAQUE, " ").trim()
  if (bare === "") return "it holds no statement"
  if (/;\s*\S/.test(bare) && !/^create\s+(?:temp\w*\s+)?trigger\b/i.test(bare))
    return "it holds more than one statement; use transaction() for several"
  const control = CONTROL.exec(bare)
  return control ? `${control[0].toUpperCase()} is for the service to say; use transaction(), or a migration` : null
}

/**
 * A SELECT with a limit at its end; `null` for what is none, or ends in what would swallow the limit. Whether it has one already, the
 * database will say.
 */
export function limited(text: string, rows: number): string | null {
  const end = `\nlimit ${rows}`
  const bare = (text + end).replace(OPAQUE, " ").trim()
  return /^select\b/i.test(bare) && bare.endsWith(end) && !/;\s*limit \d+$/.test(bare) ? text + end : null
}

/** The limit that a SELECT has at its end: a number, or its last value; `null` where that cannot be told. */
export function limitOf(text: string): number | "last value" | null {
  const [, limit] = /^select\b[\s\S]*\blimit\s+(\d+|\?)$/i.exec(text.replace(OPAQUE, " ").trim()) ?? []
  if (limit === undefined) return null
  return limit === "?" ? "last value" : Number(limit)
}

/** Why a script cannot run inside a transaction, or `null`. */
export function scriptMistake(text: string): string | null {
  const bare = text.replace(OPAQUE, " ")
  if (/^[\s;]*$/.test(bare)) return "it holds no statement"
  const control = CONTROL_IN_SCRIPT.exec(bare.replace(BODY, " "))
  return control ? `${control[1]!.toUpperCase()} cannot stand in a migration, which runs in a transaction of its own` : null
}

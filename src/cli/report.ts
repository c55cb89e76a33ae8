import type { Finding } from "../contract/finding.ts"
import { asTyped } from "./as-typed.ts"
import { EXIT, type ExitCode } from "./exit.ts"
import { findingsText } from "./findings-text.ts"
import { paintFor } from "./paint.ts"

/** What a verb has to say when it is done. */
export interface Report {
  readonly exit: ExitCode
  readonly findings?: readonly Finding[]
  /** Counts and names, for `--json`. */
  readonly summary: Readonly<Record<string, unknown>>
  /** Further fields of `--json`. */
  readonly json?: Readonly<Record<string, unknown>>
  /** The result, for stdout. */
  readonly text?: string
  /** What helps people, for stderr. */
  readonly notes?: string
  /** Has been said already, while the verb ran. */
  readonly isPrinted?: boolean
}

/** Results go to stdout, everything else to stderr; with `--json` stdout gets one document and nothing else. */
export function printReport(verb: string, report: Report, isJson: boolean): void {
  const { exit, findings = [], summary, json, text, notes } = report
  if (report.isPrinted) return
  if (isJson) {
    const document = { schema: `trestle.${verb}/1`, ok: exit === EXIT.ok, findings, summary, ...json }
    process.stdout.write(`${JSON.stringify(document, null, 2)}\n`)
    return
  }
  if (text) process.stdout.write(text)
  if (findings.length > 0) process.stderr.write(`${findingsText(findings, paintFor(process.stderr))}`)
  if (notes) process.stderr.write(asTyped(notes))
}

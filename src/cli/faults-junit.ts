import type { FaultReport } from "../testing/fault-lab.ts"
import type { FaultRow } from "../testing/fault-row.ts"
import { codeOf } from "./faults-findings.ts"
import { shown } from "./paint.ts"

const ESCAPES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\n": "&#10;" }

/** One test case a row, in the form that CI servers read. */
export function junitOf(name: string, { rows }: Pick<FaultReport, "rows">): string {
  const count = (wanted: FaultRow["result"]): number => rows.filter(({ result }) => result === wanted).length
  const seconds = rows.reduce((sum, { ms }) => sum + ms, 0) / 1_000
  const counts = attributes({
    tests: rows.length,
    failures: count("broken"),
    errors: 0,
    skipped: count("untried"),
    time: seconds.toFixed(3),
  })
  const cases = rows.map((row) => `    ${caseOf(row)}\n`).join("")
  const suite = `  <testsuite${attributes({ name })}${counts}>\n${cases}  </testsuite>\n`
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites${attributes({ name: "trestle faults" })}${counts}>\n${suite}</testsuites>\n`
}

function caseOf(row: FaultRow): string {
  const { operation, service, fault, nth, ms, why, trouble } = row
  const name = `${service ?? "a service"} ${fault ?? "fails"}${nth === null ? "" : ` in its write ${nth}`}`
  const named = { classname: operation, name, time: (ms / 1_000).toFixed(3) }
  const inside = trouble
    ? `<failure${attributes({ type: codeOf(trouble), message: trouble.message })}>${escaped(trouble.fix)}</failure>`
    : row.result === "untried"
      ? `<skipped${attributes({ message: why ?? "" })}/>`
      : ""
  const told = row.step === null && row.undone.length === 0 ? "" : `<system-out>${escaped(why ?? "")}</system-out>`
  return inside + told === "" ? `<testcase${attributes(named)}/>` : `<testcase${attributes(named)}>${inside}${told}</testcase>`
}

function attributes(values: Readonly<Record<string, string | number>>): string {
  return Object.entries(values)
    .map(([name, value]) => ` ${name}="${escaped(String(value))}"`)
    .join("")
}

/** XML has no place for control characters and the like, not even escaped. Source: XML 1.0, section 2.2. */
function escaped(text: string): string {
  return shown(text)
    .replace(/[\ufffe\uffff]/g, "\ufffd")
    .replace(/[&<>"\n]/g, (sign) => ESCAPES[sign]!)
}

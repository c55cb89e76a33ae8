import type { Finding } from "../contract/finding.ts"
import type { Operation } from "../contract/operation.ts"
import { cliFinding } from "./findings.ts"
import type { Verification } from "./verify-operation.ts"

/** One warning for all that there was nothing to try with, and for each kind of them what to write. */
export function untriedFindings(verifications: readonly Verification[], operations: readonly Operation[]): Finding[] {
  const untried = verifications.filter(({ result }) => result === "untried")
  const [first] = untried
  if (!first) return []
  const operationAt = (path: string): Operation => operations.find((one) => one.path === path)!
  const groups = [...Map.groupBy(untried, ({ why }) => why)]
  const fix = groups.map(([, [one]]) => whatToWrite(operationAt(one!.operation))).join("\n")
  if (untried.length === 1) {
    const { at } = operationAt(first.operation).declaration
    return [cliFinding("TRS3012", `${first.operation} is not verified: ${first.why}`, fix, { severity: "warning", place: at })]
  }
  const lists = groups.map(([why, ones]) => `${ones.map(({ operation }) => operation).join(", ")} (${why})`)
  return [cliFinding("TRS3012", `${untried.length} operations are not verified: ${lists.join("; ")}`, fix, { severity: "warning" })]
}

function whatToWrite({ effect, input }: Operation): string {
  const fields = Object.keys(input.json.properties ?? {}).map((name) => `${name}: ...`)
  const sample = fields.length > 0 ? `{ ${fields.join(", ")} }` : "..."
  return effect === "write"
    ? `verify: { input: ${sample}, cleanup: (made, run) => run(..., made) },`
    : `examples: [{ input: ${sample}, output: ... }],`
}

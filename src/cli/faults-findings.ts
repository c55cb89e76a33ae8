import type { Finding } from "../contract/finding.ts"
import type { FaultReport } from "../testing/fault-lab.ts"
import type { FaultTrouble } from "../testing/fault-row.ts"
import { type CliFindingCode, cliFinding } from "./findings.ts"
import { shown } from "./paint.ts"

const CODES: Readonly<Record<FaultTrouble["kind"], CliFindingCode>> = {
  "fallback not reached": "TRS3021",
  "write doubled": "TRS3022",
  "step not undone": "TRS3028",
  "not tried": "TRS3023",
  "nothing to try it on": "TRS3024",
}

const UNTRIED: ReadonlySet<FaultTrouble["kind"]> = new Set(["not tried", "nothing to try it on"] as const)

/** One for each row that is broken, and a warning for each operation and each service of which not everything could be tried. */
export function faultFindings({ rows, doubts }: Pick<FaultReport, "rows" | "doubts">): readonly Finding[] {
  return [...rows.flatMap(({ trouble }) => trouble ?? []), ...doubts].map(findingOf)
}

export function codeOf({ kind }: FaultTrouble): CliFindingCode {
  return CODES[kind]
}

function findingOf(trouble: FaultTrouble): Finding {
  const severity = UNTRIED.has(trouble.kind) ? "warning" : "error"
  return cliFinding(codeOf(trouble), shown(trouble.message), shown(trouble.fix), { severity, place: trouble.place })
}

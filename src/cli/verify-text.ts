import { type Colour, type Paint, shown } from "./paint.ts"
import { table } from "./table.ts"
import type { Verification } from "./verify-operation.ts"

const MARKS: Readonly<Record<Verification["result"], readonly [string, Colour]>> = {
  held: ["✓ held", "green"],
  broken: ["✗ broken", "red"],
  untried: ["! untried", "yellow"],
  skipped: ["- skipped", "dim"],
}

/** One row an operation: what became of it, who answered, how long the slowest call took, and why not. */
export function verifyText(verifications: readonly Verification[], paint: Paint, width: number | undefined): string {
  const head = ["RESULT", "OPERATION", "MS", "SERVED BY", "REMARK"].map((title) => paint("dim", title))
  const body = verifications.map(({ operation, result, ms, servedBy, tried, why }) => {
    const [mark, colour] = MARKS[result]
    const remark = why === null ? `${tried} ${tried === 1 ? "input" : "inputs"}` : shown(why)
    return [paint(colour, mark), operation, ms === null ? "-" : String(ms), shown(servedBy ?? "-"), remark]
  })
  return table([head, ...body], width)
}

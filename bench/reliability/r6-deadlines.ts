import { parseArgs } from "node:util"
import { GRACE_MS, hangAt, isInTime } from "../../test/reliability/runs/deadlines.ts"
import { DEADLINE_MS, HANG_POINTS } from "../../test/reliability/runs/hang-points.ts"
import { printTable } from "../harness/report.ts"

export const goal = `calls that hang are answered within their deadline (${DEADLINE_MS} ms) + ${GRACE_MS} ms, and what they asked sees it`

/** `--parallel N`: calls that hang in each place at once, by default 20. */
export async function run(args: readonly string[]): Promise<boolean> {
  const { values } = parseArgs({ args: [...args], options: { parallel: { type: "string", default: "20" } } })
  const rows: string[][] = []
  let isMet = true
  for (const point of HANG_POINTS) {
    const figures = await hangAt(point, Number(values.parallel))
    isMet &&= isInTime(figures)
    rows.push([point.name, figures.codes.join(" "), `${figures.slowestMs.toFixed(0)} ms`, figures.leftover ?? "cancelled"])
  }
  printTable(["hangs", "callers hear", "slowest", "the other side"], rows)
  return isMet
}

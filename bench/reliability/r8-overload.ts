import { parseArgs } from "node:util"
import { overload } from "../../test/reliability/runs/overload.ts"
import { printTable } from "../harness/report.ts"

export const goal = "five times the capacity: goodput at least 90 % of the peak, 503 with Retry-After for the rest, health answers always"

/** `--seconds N`: of overload, by default 60. `--times N`: the capacity, by default 5. */
export async function run(args: readonly string[]): Promise<boolean> {
  const { values } = parseArgs({
    args: [...args],
    options: { seconds: { type: "string", default: "60" }, times: { type: "string", default: "5" } },
  })
  const figures = await overload({ seconds: Number(values.seconds), times: Number(values.times) })
  const { peak, goodput, wrong, probes, probesAnswered } = figures
  printTable(
    ["figure", "value"],
    Object.entries(figures).map(([name, value]) => [name, Number.isInteger(value) ? `${value}` : value.toFixed(1)]),
  )
  console.log(`goodput / peak: ${(goodput / peak).toFixed(3)}`)
  return goodput >= 0.9 * peak && wrong === 0 && probesAnswered === probes
}

import { parseArgs } from "node:util"
import { restarts } from "../../test/reliability/runs/restarts.ts"
import { printTable } from "../harness/report.ts"

const EXIT_MS_MAX = 10_000

export const goal = `restarts under load with kept-alive connections: no failed request, exit within ${EXIT_MS_MAX / 1_000} s`

/** `--restarts N`: by default 20. `--rate N`: requests a second, by default 500. */
export async function run(args: readonly string[]): Promise<boolean> {
  const { values } = parseArgs({
    args: [...args],
    options: { restarts: { type: "string", default: "20" }, rate: { type: "string", default: "500" } },
  })
  const figures = await restarts({ restarts: Number(values.restarts), rate: Number(values.rate) })
  const failed = Object.values(figures.failures).reduce((sum, count) => sum + count, 0)
  printTable(
    ["restarts", "requests", "failed", "processes that answered", "slowest exit", "slowest answer"],
    [
      [
        `${figures.exitCodes.length}`,
        `${figures.requests}`,
        `${failed}`,
        `${figures.processes}`,
        `${figures.slowestExitMs.toFixed(0)} ms`,
        `${figures.slowestAnswerMs.toFixed(0)} ms`,
      ],
    ],
  )
  for (const [how, count] of Object.entries(figures.failures)) console.log(`failed: ${count} × ${how}`)
  return failed === 0 && figures.slowestExitMs <= EXIT_MS_MAX && figures.exitCodes.every((code) => code === 0)
}

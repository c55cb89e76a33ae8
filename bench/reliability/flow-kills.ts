import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { flowKills } from "../../test/reliability/runs/flow-kills.ts"

export const goal = "a flow killed at each point of each of its steps: always finished, or wholly undone"

const TIMES = 100

/** `--times 100`: how often at each point. `--every 1`: only every so manieth point. */
export async function run(args: readonly string[]): Promise<boolean> {
  const { values } = parseArgs({ args: [...args], options: { times: { type: "string" }, every: { type: "string" } } })
  const folder = mkdtempSync(join(tmpdir(), "trestle-flow-kills-"))
  try {
    const figures = await flowKills({ folder, times: Number(values.times ?? TIMES), every: Number(values.every ?? 1) })
    const { points, kills, done, undone, neverBegun, repeated, wrong } = figures
    console.log(
      `points ${points.join(" and ")}, kills ${kills}; done ${done}, undone ${undone}, never begun ${neverBegun}; repeated ${repeated}`,
    )
    for (const one of wrong) console.log(`WRONG ${one}`)
    return wrong.length === 0
  } finally {
    rmSync(folder, { recursive: true })
  }
}

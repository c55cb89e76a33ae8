import { parseArgs } from "node:util"
import { totalOutage } from "../../test/reliability/runs/outage.ts"
import { printTable } from "../harness/report.ts"

export const goal = "total outage, one layer and three: attempts per call at most 1.1 and 1.2"
const MOST: Readonly<Record<number, number>> = { 1: 1.1, 3: 1.2 }

/** `--calls N`: calls of each case, by default 10,000. */
export async function run(args: readonly string[]): Promise<boolean> {
  const { values } = parseArgs({ args: [...args], options: { calls: { type: "string", default: "10000" } } })
  const rows: string[][] = []
  let isMet = true
  for (const layers of [1, 3])
    for (const outage of ["resets", "503"] as const)
      for (const breaker of [undefined, false] as const) {
        const figures = await totalOutage({ calls: Number(values.calls), layers, outage, ...(breaker === false ? { breaker } : {}) })
        const { attemptsPerCall, answered, calls } = figures
        isMet &&= attemptsPerCall <= MOST[layers]! && answered === 0
        rows.push([`${layers}`, outage, breaker === false ? "off" : "on", `${calls}`, attemptsPerCall.toFixed(4), `${MOST[layers]}`])
      }
  printTable(["layers", "the service", "breaker", "calls", "attempts per call", "at most"], rows)
  return isMet
}

import { parseArgs } from "node:util"
import { type SizeFigures, sizes } from "../../test/reliability/runs/sizes.ts"
import { printTable } from "../harness/report.ts"

const MS_MAX = 1_000
const GROWN_MIB_MAX = 16

export const goal = `too large, too wide, too deep: refused within ${MS_MAX} ms, at most ${GROWN_MIB_MAX} MiB more, the next call well`

/** `--rounds N`: by default 5. */
export async function run(args: readonly string[]): Promise<boolean> {
  const { values } = parseArgs({ args: [...args], options: { rounds: { type: "string", default: "5" } } })
  const figures = await sizes(Number(values.rounds))
  const kinds = [...new Set(figures.map(({ where, what }) => `${where}: ${what}`))]
  printTable(
    ["what", "refused with", "slowest", "memory", "next"],
    kinds.map((kind) =>
      rowOf(
        kind,
        figures.filter(({ where, what }) => kind === `${where}: ${what}`),
      ),
    ),
  )
  return figures.every(({ ms, grownMib, nextIsWell, end }) => ms <= MS_MAX && grownMib <= GROWN_MIB_MAX && nextIsWell && end !== "ok")
}

function rowOf(kind: string, rounds: readonly SizeFigures[]): string[] {
  const most = (of: (figures: SizeFigures) => number): number => Math.max(...rounds.map(of))
  return [
    kind,
    [...new Set(rounds.map(({ end }) => end))].join(", "),
    `${most(({ ms }) => ms).toFixed(0)} ms`,
    `+${most(({ grownMib }) => grownMib).toFixed(1)} MiB`,
    rounds.every(({ nextIsWell }) => nextIsWell) ? "well" : "NOT WELL",
  ]
}

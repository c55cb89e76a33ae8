import { parseArgs } from "node:util"
import { poisoned } from "../../test/reliability/runs/poison.ts"
import { printTable } from "../harness/report.ts"

export const goal = "a poison message, 1 in 1,000: dead after its runs, the others not delayed by more than 1 s"
const DELAY_MS_MAX = 1_000
const TIMES = 5

/** `--messages N`: by default 20,000. `--publishers N`: at once, by default 16. */
export async function run(args: readonly string[]): Promise<boolean> {
  const { values } = parseArgs({
    args: [...args],
    options: { messages: { type: "string", default: "20000" }, publishers: { type: "string", default: "16" } },
  })
  const messages = Number(values.messages)
  const figures = await poisoned({ messages, oneIn: 1_000, times: TIMES, publishers: Number(values.publishers) })
  const { poison, dead, poisonRuns, delivered, longestMs } = figures
  printTable(
    ["messages", "poison", "dead", "runs of poison", "delivered", "longest delay", "at most"],
    [[`${messages}`, `${poison}`, `${dead}`, `${poisonRuns}`, `${delivered}`, `${Math.round(longestMs)} ms`, `${DELAY_MS_MAX} ms`]],
  )
  return dead === poison && poisonRuns === poison * TIMES && delivered === messages - poison && longestMs <= DELAY_MS_MAX
}

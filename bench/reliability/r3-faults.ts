import { parseArgs } from "node:util"
import { DEADLINE_MS, PLACES } from "../../test/reliability/kit/called-process.ts"
import { type FaultFigures, faultMatrix } from "../../test/reliability/runs/fault-matrix.ts"
import { printTable } from "../harness/report.ts"

const GRACE_MS = 250
const GROWN_MIB_MAX = 32

export const goal =
  `every fault: a typed error or a success within the deadline (${DEADLINE_MS} ms) + ${GRACE_MS} ms, ` +
  `at most ${GROWN_MIB_MAX} MiB more, sockets back, the next call well`

/** `--parallel N`: calls of each kind that meet each fault at once, by default 50. `--rounds N`: by default 5. */
export async function run(args: readonly string[]): Promise<boolean> {
  const { values } = parseArgs({
    args: [...args],
    options: { parallel: { type: "string", default: "50" }, rounds: { type: "string", default: "5" } },
  })
  const { faults, socketsAfterClose } = await faultMatrix({ parallel: Number(values.parallel), rounds: Number(values.rounds) })
  const names = [...new Set(faults.map(({ connector, fault }) => `${connector}: ${fault}`))]
  printTable(
    ["fault", "callers hear", "slowest", "memory", "sockets", "next"],
    names.map((name) =>
      rowOf(
        name,
        faults.filter(({ connector, fault }) => name === `${connector}: ${fault}`),
      ),
    ),
  )
  console.log(`sockets after close: ${socketsAfterClose}`)
  return faults.every(isWell) && socketsAfterClose === 0
}

function isWell({ ends, slowestMs, grownMib, sockets, nextIsWell }: FaultFigures): boolean {
  // Three services of the application keep connections, each of them no more than its places.
  return (
    slowestMs <= DEADLINE_MS + GRACE_MS &&
    grownMib <= GROWN_MIB_MAX &&
    sockets <= 3 * PLACES &&
    nextIsWell &&
    ends.every((end) => !end.endsWith(" thrown") && !end.endsWith("(no reason)"))
  )
}

function rowOf(name: string, rounds: readonly FaultFigures[]): string[] {
  const most = (of: (figures: FaultFigures) => number): number => Math.max(...rounds.map(of))
  const ends = [...new Set(rounds.flatMap((round) => round.ends))].join(", ")
  return [
    name,
    ends,
    `${most(({ slowestMs }) => slowestMs).toFixed(0)} ms`,
    `+${most(({ grownMib }) => grownMib).toFixed(1)} MiB`,
    `${most(({ sockets }) => sockets)}`,
    rounds.every(({ nextIsWell }) => nextIsWell) ? "well" : "NOT WELL",
  ]
}

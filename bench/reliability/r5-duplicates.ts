import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { duplicates } from "../../test/reliability/runs/duplicates.ts"
import { printTable } from "../harness/report.ts"

export const goal = "writes under idempotency keys, 20 calls of each at once, holders killed between effect and record: one effect each"

/** `--keys N --times N --kills N`; by default 1,000, 20 and 60. */
export async function run(args: readonly string[]): Promise<boolean> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      keys: { type: "string", default: "1000" },
      times: { type: "string", default: "20" },
      kills: { type: "string", default: "60" },
    },
  })
  const folder = mkdtempSync(join(tmpdir(), "trestle-r5-"))
  try {
    const [keys, times, kills] = [Number(values.keys), Number(values.times), Number(values.kills)]
    const figures = await duplicates({ folder, keys, times, kills, together: 10, endsLeases: false })
    const { doubled, lied, torn, lost } = figures
    printTable(
      ["keys", "calls", "holders killed", "keys answered", "keys unknown", "effects too many"],
      [
        [
          `${figures.keys}`,
          `${figures.calls}`,
          Object.entries(figures.kills)
            .map(([point, count]) => `${count} ${point}`)
            .join(", "),
          `${figures.answered}`,
          `${figures.unknown}`,
          `${doubled.length}`,
        ],
      ],
    )
    for (const [what, found] of Object.entries({ doubled, lied, torn, lost })) for (const one of found) console.log(`${what}: ${one}`)
    return [doubled, lied, torn, lost].every(({ length }) => length === 0)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { StoreFindings } from "../../test/reliability/kit/store-ledger.ts"
import { failingFlush, failingWrites, fullDisk, lackOf, lostWrites } from "../../test/reliability/runs/store-damage.ts"
import { storeKills } from "../../test/reliability/runs/store-kills.ts"

export const goal = "a store killed, full, failing to flush or to write, losing what was not flushed: nothing acknowledged is missing"

const KILLS = 50
const CUTS = 50

export async function run(args: readonly string[]): Promise<boolean> {
  const kills = Number(args[0] ?? KILLS)
  const folder = mkdtempSync(join(tmpdir(), "trestle-r2-"))
  const inFolder = (name: string): string => mkdtempSync(join(folder, `${name}-`))
  const [untraceable, unmountable] = [lackOf("strace"), lackOf("a mount of its own")]
  try {
    let isMet = saw("kill -9", await storeKills(join(inFolder("kills"), "notes.db"), kills, Math.random))
    isMet = saw("writes that fail", await failingWrites(join(inFolder("writes"), "notes.db"), 2_048)) && isMet
    if (unmountable) console.log(`left out: ${unmountable}`)
    else isMet = saw("full disk", fullDisk(inFolder("full"))) && isMet
    if (untraceable) console.log(`left out: ${untraceable}`)
    else {
      for (const every of [2, 3, 5, 11, 23])
        isMet =
          saw(`flush that fails, every ${every}`, await failingFlush(join(inFolder("flush"), "notes.db"), { first: 40, every })) && isMet
      for (const isAfterFailure of [false, true])
        for (const found of await lostWrites(inFolder("lost"), { cuts: CUTS, acknowledged: 5_000, isAfterFailure }))
          isMet = saw(isAfterFailure ? "loss of power after failures" : "loss of power", found) && isMet
    }
    return isMet && untraceable === null && unmountable === null
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function saw(what: string, figures: StoreFindings & { readonly acknowledged: number }): boolean {
  const { lost, undead, halves, keys, acknowledged } = figures
  const { refused = 0, unknown = 0 } = figures as { refused?: number; unknown?: number }
  console.log(
    `${what.padEnd(28)} acknowledged ${acknowledged}, there ${keys.length}, refused ${refused}, unknown ${unknown}; lost ${lost.length}, undead ${undead.length}, halves ${halves.length}`,
  )
  return lost.length + undead.length + halves.length === 0
}

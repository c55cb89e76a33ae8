// R1 and R2, as far as the store goes: kill -9 of a process that keeps units, again and again, on one file.
import { Ledger, lookInto, type StoreFindings } from "../kit/store-ledger.ts"
import { WriterProcess } from "../kit/writer-process.ts"

export interface KillFigures extends StoreFindings {
  readonly kills: number
  readonly acknowledged: number
}

/** @param random 0 to 1: where each kill comes. */
export async function storeKills(file: string, kills: number, random: () => number): Promise<KillFigures> {
  const ledger = new Ledger()
  for (let n = 0; n < kills; n++) {
    const writer = new WriterProcess(file, ledger)
    const enough = ledger.kept.size + 1 + Math.floor(random() * 600)
    await writer.until(({ kept }) => kept.size >= enough)
    await writer.kill()
    const found = await lookInto(file, ledger)
    if (found.lost.length + found.undead.length + found.halves.length > 0 || n === kills - 1)
      return { ...found, kills: n + 1, acknowledged: ledger.kept.size }
  }
  throw new Error("kills is at least 1")
}

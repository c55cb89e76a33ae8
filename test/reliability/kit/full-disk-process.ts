// Runs where a small disk of its own is mounted on the folder: fills it, makes room, and tells what was heard and found.
import { rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Ledger, lookInto } from "./store-ledger.ts"
import { WriterProcess } from "./writer-process.ts"

const folder = process.argv[2]!
const file = join(folder, "notes.db")
const ballast = join(folder, "ballast")
writeFileSync(ballast, Buffer.alloc(1_048_576))

const ledger = new Ledger()
const writer = new WriterProcess(file, ledger)
await writer.until(({ refused, unknown }) => refused.size + unknown.size >= 50)
const keptWhenFull = ledger.kept.size
rmSync(ballast)
// The same process goes on by itself when there is room.
await writer.until(({ kept }) => kept.size > keptWhenFull + 50)
await writer.kill()
const found = await lookInto(file, ledger)
const { kept, refused, unknown, notes } = ledger
console.log(
  JSON.stringify({ ...found, keptWhenFull, acknowledged: kept.size, refused: refused.size, unknown: unknown.size, notes: [...notes] }),
)

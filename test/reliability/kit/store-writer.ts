// A process that keeps units in a store and says of each what it heard, at once and in one write, so that a kill takes no word back.
import { writeSync } from "node:fs"
import { TrestleError } from "../../../src/errors/trestle-error.ts"
import { openStoreIn, unitOf } from "./store-ledger.ts"

const [file, callers] = [process.argv[2]!, Number(process.argv[3])]
const { store } = await openStoreIn(file)

function tell(line: string): void {
  for (;;) {
    try {
      return void writeSync(1, `${line}\n`)
    } catch (error) {
      // The pipe is full until its reader has read on.
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error
    }
  }
}

let asked = 0
tell(`= ${process.pid}`)
await Promise.all(
  Array.from({ length: callers }, async () => {
    for (;;) {
      const key = `${process.pid}-${asked++}`
      try {
        await store.unit(unitOf(key))
        tell(`+ ${key}`)
      } catch (error) {
        if (!TrestleError.is(error)) throw error
        tell(`${error.outcome === "refused" ? "-" : "?"} ${key} ${error.note}`)
        // What nobody can keep now is not asked for at once again.
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    }
  }),
)

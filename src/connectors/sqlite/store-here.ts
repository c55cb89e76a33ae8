import type { StoreValue } from "../../contract/store.ts"
import type { SqliteDatabase } from "./database.ts"
import type { GroupReply, GroupWriter, NumberedText } from "./store-message.ts"
import { GroupRunner } from "./store-runner.ts"

/** Writes groups in the calling thread, over a connection that belongs to somebody else: for a database in memory, which has only that one. */
export class StoreHere implements GroupWriter {
  readonly #runner: GroupRunner
  #textsKnown = 0

  constructor(connection: () => SqliteDatabase) {
    this.#runner = new GroupRunner(connection, () => {})
  }

  async write(texts: readonly NumberedText[], units: readonly StoreValue[]): Promise<GroupReply> {
    const newTexts = texts.slice(this.#textsKnown)
    this.#textsKnown = texts.length
    return this.#runner.run({ newTexts, units })
  }

  async close(): Promise<void> {
    this.#runner.close()
  }
}

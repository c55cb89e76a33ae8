import { failure } from "../../contract/failure.ts"
import type { SqlRow } from "../../contract/sql-session.ts"
import type { Store, StoreResult, StoreStatement } from "../../contract/store.ts"
import { Group, Texts } from "./store-group.ts"
import { Hints } from "./store-hints.ts"
import type { GroupWriter } from "./store-message.ts"
import { SQLITE_DIALECT } from "./store-tables.ts"
import type { TakesTurn, Turns } from "./turns.ts"

/** Units that may wait for the group before theirs; more are refused, so that a disk that hangs does not fill the memory. */
const WAITING_MAX = 10_000

export interface StoreSettings {
  readonly name: string
  readonly file: string
  readonly writer: GroupWriter
  /** Of all who write to the file in this process, so that they do not keep each other waiting for its lock. */
  readonly turns: Turns
  /** Runs a statement that changes nothing. Throws, or rejects with, a classified error. */
  read(statement: StoreStatement): Promise<readonly SqlRow[]>
}

/**
 * A store in a SQLite file. Units that are asked for while a group is being written go together in the next one, with one flush to the disk
 * for all of them: the slower the disk, the larger the groups.
 */
export class SqliteStore implements Store, TakesTurn {
  readonly name: string
  readonly dialect = SQLITE_DIALECT
  readonly #settings: StoreSettings
  readonly #texts = new Texts()
  readonly #hints: Hints
  #next: Group
  /** A turn is asked for, or taken. */
  #isUnderWay = false
  #closing: Promise<void> | null = null
  #whenIdle: (() => void) | null = null

  constructor(settings: StoreSettings) {
    this.#settings = settings
    this.name = settings.name
    this.#hints = new Hints(settings.file)
    this.#next = new Group(this.#texts, this.name)
  }

  unit(statements: readonly StoreStatement[]): Promise<readonly StoreResult[] | null> {
    try {
      this.#refuseIfClosed("write")
      this.#refuseIfFull()
      const kept = this.#next.add(statements)
      this.#ask()
      return kept
    } catch (refused) {
      return Promise.reject(refused)
    }
  }

  async read(statement: StoreStatement): Promise<readonly SqlRow[]> {
    this.#refuseIfClosed("read")
    return this.#settings.read(statement)
  }

  watch(listener: () => void): () => void {
    return this.#hints.watch(listener)
  }

  wake(): void {
    this.#hints.wake()
  }

  close(): Promise<void> {
    this.#closing ??= this.#closed()
    return this.#closing
  }

  /** What `Turns` calls. */
  begin(): void {
    void this.#write()
  }

  async #closed(): Promise<void> {
    this.#hints.end()
    if (this.#isUnderWay) await new Promise<void>((resolve) => (this.#whenIdle = resolve))
    await this.#settings.writer.close()
  }

  #refuseIfClosed(effect: "read" | "write"): void {
    if (this.#closing) throw failure("not-connected", effect, { note: `${this.name}: is closed` })
  }

  #refuseIfFull(): void {
    if (this.#next.size < WAITING_MAX) return
    throw failure("bulkhead-full", "write", { note: `${this.name}: ${WAITING_MAX} units wait to be written` })
  }

  /** After the callers who are served in the same turn of the event loop have asked too: else the first of them would be a group alone. */
  #ask(): void {
    if (this.#isUnderWay) return
    this.#isUnderWay = true
    process.nextTick(() => this.#settings.turns.join(this))
  }

  async #write(): Promise<void> {
    const { writer, turns } = this.#settings
    const group = this.#next
    this.#next = new Group(this.#texts, this.name)
    const reply = await writer.write(this.#texts.list, group.units)
    turns.leave()
    this.#isUnderWay = false
    if (this.#next.size > 0) this.#ask()
    group.settle(reply)
    if (!this.#isUnderWay) this.#whenIdle?.()
  }
}

import { existsSync } from "node:fs"
import type { Clock } from "../../base/clock.ts"
import { failure } from "../../contract/failure.ts"
import type { Attempt } from "../../contract/service.ts"
import type { SqlStatement } from "../../contract/sql-compile.ts"
import {
  afterRollback,
  BrokenConstraint,
  SQL_DEFAULTS,
  type SqlCapabilities,
  type SqlRow,
  type SqlSession,
  type SqlStatements,
  type SqlTaker,
} from "../../contract/sql-session.ts"
import type { HasStore, Store, StoreTables } from "../../contract/store.ts"
import { SqliteDatabase } from "./database.ts"
import { breaksConnection, commitFailure, isBusy, statementFailure } from "./failure.ts"
import { Statements } from "./statements.ts"
import { openStore } from "./store-open.ts"
import { tablesVersion } from "./store-tables.ts"
import { Turns } from "./turns.ts"

export const SQLITE: SqlCapabilities = { ...SQL_DEFAULTS, booleans: "integer", dates: "text", json: "text", locksRows: false }

export interface SessionSettings {
  readonly name: string
  /** Absolute path, or `:memory:`. */
  readonly file: string
  readonly durability: "full" | "normal"
  readonly rowsMax: number
  readonly busyTimeoutMs: number
  readonly clock: Clock
}

/** Pauses between two tries while another process holds the lock, in milliseconds; the last one repeats. */
const BUSY_PAUSES_MS: readonly number[] = [1, 2, 5, 10, 20, 40]

type Effect = "read" | "write"

/**
 * An opened SQLite file: one connection that writes, in turns, and one that reads beside it, so that a read sees what was committed and
 * never the inside of a transaction. In memory there is only one connection, and reads take their turn too.
 *
 * A statement runs in the calling thread and cannot be stopped. What can be stopped is the wait for a turn, or for another process.
 */
export class SqliteSession implements SqlSession, HasStore {
  readonly capabilities = SQLITE
  readonly name: string
  readonly #settings: SessionSettings
  readonly #turns = new Turns()
  readonly #isInMemory: boolean
  #writer: SqliteDatabase | null
  #reader: SqliteDatabase | null = null
  #store: Promise<Store> | null = null
  #isClosed = false

  constructor(writer: SqliteDatabase, settings: SessionSettings) {
    this.#writer = writer
    this.#settings = settings
    this.name = settings.name
    this.#isInMemory = settings.file === ":memory:"
  }

  read(statement: SqlStatement, taker: SqlTaker, attempt: Attempt): unknown {
    if (this.#isInMemory) return this.#inTurn(() => this.#withoutWriting(() => this.#taken(statement, taker)), attempt)
    try {
      return this.#taken(statement, taker)
    } catch (thrown) {
      if (!isBusy(thrown)) throw this.#judged(thrown, attempt.call.effect)
    }
    return this.#again(() => this.#taken(statement, taker), attempt)
  }

  write(statement: SqlStatement, taker: SqlTaker, attempt: Attempt): unknown {
    // What is free and goes well needs neither a closure nor a promise.
    if (!this.#turns.tryTake())
      return this.#turns.take(attempt).then(() => this.#leaving(() => this.#committed(statement, taker, attempt), attempt))
    let answer: unknown
    try {
      answer = this.#committed(statement, taker, attempt)
    } catch (thrown) {
      if (isBusy(thrown)) return this.#again(() => this.#committed(statement, taker, attempt), attempt).finally(() => this.#turns.leave())
      this.#turns.leave()
      throw this.#judged(thrown, attempt.call.effect)
    }
    this.#turns.leave()
    return answer
  }

  async transaction(work: (statements: SqlStatements) => unknown, attempt: Attempt): Promise<unknown> {
    const { effect } = attempt.call
    if (!this.#turns.tryTake()) await this.#turns.take(attempt)
    try {
      const beginning = this.#patiently(() => this.#begin(effect), attempt)
      if (beginning instanceof Promise) await beginning
      const statements = new Statements(this.#writing(), this.#settings, effect)
      let answer: unknown
      try {
        answer = await statements.until(work, attempt)
      } catch (thrown) {
        this.#rollback()
        throw afterRollback(this.#judged(thrown, effect), effect, this.name)
      } finally {
        statements.end()
      }
      this.#commit(attempt)
      return answer
    } finally {
      if (effect === "read") this.#writer?.refuseWrites(false)
      this.#turns.leave()
    }
  }

  readonly probe = async (): Promise<void> => {
    if (this.#writer) this.#refuseIfGone(this.#writer)
    this.#rowsOf({ text: "select count(*) as tables from sqlite_schema", values: [] })
  }

  /** Trestle's own tables in this file. What is kept there is written in a thread of its own; in memory there is only this one. */
  openStore(tables: readonly StoreTables[]): Promise<Store> {
    this.#store ??= openStore(tables, {
      ...this.#settings,
      turns: this.#turns,
      writing: () => this.#writing(),
      reading: () => this.#reading(),
      drop: () => this.#drop(),
      isInMemory: this.#isInMemory,
    }).catch((refused) => {
      this.#store = null
      throw refused
    })
    return this.#store
  }

  async storeVersion(): Promise<number> {
    return tablesVersion(this.#reading())
  }

  async close(): Promise<void> {
    if (this.#store) {
      const store = await this.#store.catch(() => null)
      await store?.close()
    }
    this.#isClosed = true
    this.#drop()
  }

  // -- one statement ------------------------------------------------------------------------------

  #rowsOf(statement: SqlStatement): readonly SqlRow[] {
    return this.#reading().rows(statement, this.#settings.rowsMax)
  }

  #taken(statement: SqlStatement, taker: SqlTaker): unknown {
    return taker.take(this.#rowsOf(statement), 0)
  }

  /** One statement in a transaction of its own, from beginning to end in one go: nothing can come between. */
  #committed(statement: SqlStatement, taker: SqlTaker, attempt: Attempt): unknown {
    const { effect } = attempt.call
    this.#begin(effect)
    const database = this.#writing()
    let answer: unknown
    try {
      const rows = database.rows(statement, this.#settings.rowsMax)
      answer = taker.take(rows, database.changes)
    } catch (thrown) {
      this.#rollback()
      throw afterRollback(this.#judged(thrown, effect), effect, this.name)
    }
    this.#commit(attempt)
    return answer
  }

  #withoutWriting(job: () => unknown): unknown {
    const database = this.#writing()
    database.refuseWrites(true)
    try {
      return job()
    } finally {
      database.refuseWrites(false)
    }
  }

  // -- beginning and ending -----------------------------------------------------------------------

  /** A write takes the file's lock at once: a transaction that has read and then cannot write would have to begin again. */
  #begin(effect: Effect): void {
    const database = this.#writing()
    if (effect === "write") this.#refuseIfGone(database)
    else database.refuseWrites(true)
    database.exec(effect === "read" ? "begin" : "begin immediate")
  }

  #commit(attempt: Attempt): void {
    const { effect } = attempt.call
    if (effect === "write") attempt.isSent = true
    try {
      this.#writing().exec("commit")
    } catch (thrown) {
      throw this.#uncommitted(thrown, attempt)
    }
  }

  /**
   * After a deferred foreign key or a lock, SQLite promises that the transaction is still open. After anything else the file is opened anew,
   * so that the next reader sees what became of it, and nothing is committed a second time.
   */
  #uncommitted(thrown: unknown, attempt: Attempt): unknown {
    const { effect } = attempt.call
    const judged = statementFailure(thrown, effect, this.name)
    const isPromised = isBusy(thrown) || judged instanceof BrokenConstraint
    const isStillOpen = isPromised && this.#writer?.isInTransaction === true
    this.#rollback()
    if (isStillOpen) {
      attempt.isSent = false
      return judged
    }
    this.#drop()
    return commitFailure(thrown, effect, this.name)
  }

  #rollback(): void {
    try {
      if (this.#writer?.isInTransaction) this.#writer.exec("rollback")
    } catch {
      // Closing the connection rolls back whatever it has left.
      this.#drop()
    }
  }

  // -- waiting --------------------------------------------------------------------------------------

  #inTurn(job: () => unknown, attempt: Attempt): unknown {
    return this.#turns.tryTake() ? this.#leaving(job, attempt) : this.#turns.take(attempt).then(() => this.#leaving(job, attempt))
  }

  #leaving(job: () => unknown, attempt: Attempt): unknown {
    let answer: unknown
    try {
      answer = this.#patiently(job, attempt)
    } catch (thrown) {
      this.#turns.leave()
      throw thrown
    }
    if (answer instanceof Promise) return answer.finally(() => this.#turns.leave())
    this.#turns.leave()
    return answer
  }

  /** At once if it can be; else again and again until the other process has let go of the file, or `busyTimeout` is over. */
  #patiently(job: () => unknown, attempt: Attempt): unknown {
    try {
      return job()
    } catch (thrown) {
      if (!isBusy(thrown)) throw this.#judged(thrown, attempt.call.effect)
    }
    return this.#again(job, attempt)
  }

  async #again(job: () => unknown, attempt: Attempt): Promise<unknown> {
    const { clock, effect } = attempt.call
    const until = clock.now() + this.#settings.busyTimeoutMs
    let isStopped = false
    attempt.stoppable = {
      stop: () => {
        isStopped = true
      },
    }
    for (let tries = 0; ; tries++) {
      await clock.pause(BUSY_PAUSES_MS[Math.min(tries, BUSY_PAUSES_MS.length - 1)]!)
      if (isStopped) throw failure("timeout-unsent", effect)
      try {
        return job()
      } catch (thrown) {
        if (!isBusy(thrown) || clock.now() >= until) throw this.#judged(thrown, effect)
      }
    }
  }

  // -- the connections ------------------------------------------------------------------------------

  #judged(thrown: unknown, effect: Effect): unknown {
    if (breaksConnection(thrown)) this.#drop()
    return statementFailure(thrown, effect, this.name)
  }

  #writing(): SqliteDatabase {
    this.#writer ??= this.#opened(false)
    return this.#writer
  }

  #reading(): SqliteDatabase {
    if (this.#isInMemory) return this.#writing()
    this.#reader ??= this.#opened(true)
    return this.#reader
  }

  #opened(readOnly: boolean): SqliteDatabase {
    const { file, durability } = this.#settings
    if (this.#isClosed) throw failure("not-connected", "read", { note: `${this.name}: is closed` })
    // SQLite would make a new, empty one, and nobody would notice.
    if (!existsSync(file)) throw failure("not-connected", "read", { note: `${this.name}: its file is gone` })
    return new SqliteDatabase({ file, readOnly, durability })
  }

  /** What is committed to a file that has lost its name is lost with the process. The next call opens what stands there then. */
  #refuseIfGone(database: SqliteDatabase): void {
    if (!database.isGone) return
    this.#drop()
    throw failure("not-connected", "write", { note: `${this.name}: its file was removed or replaced while it was open` })
  }

  #drop(): void {
    if (this.#isInMemory && !this.#isClosed) return
    const reader = this.#reader
    const writer = this.#writer
    this.#reader = this.#writer = null
    reader?.close()
    writer?.close()
  }
}

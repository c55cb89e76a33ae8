import type { Clock } from "../../base/clock.ts"
import type { Attempt } from "../../contract/service.ts"
import type { SqlStatement } from "../../contract/sql-compile.ts"
import {
  afterRollback,
  SQL_DEFAULTS,
  type SqlCapabilities,
  type SqlSession,
  type SqlStatements,
  type SqlTaker,
} from "../../contract/sql-session.ts"
import type { HasStore, Store, StoreTables } from "../../contract/store.ts"
import { TrestleError } from "../../errors/trestle-error.ts"
import type { PostgresDatabase } from "./database.ts"
import { commitFailure, connectionFailure, isRolledBack, statementFailure } from "./failure.ts"
import { Pool, type Taker } from "./pool.ts"
import type { Answered } from "./question.ts"
import { refuseControl } from "./statement-check.ts"
import { Statements } from "./statements.ts"
import { openStore } from "./store.ts"
import { tablesVersion } from "./store-tables.ts"

/** Instants cross as ISO 8601 text: exact to the microsecond, and what JSON carries. */
export const POSTGRES: SqlCapabilities = { ...SQL_DEFAULTS, placeholder: "numbered", dates: "text" }

export interface SessionSettings {
  readonly name: string
  readonly rowsMax: number
  readonly clock: Clock
  /** Connections at most, those of a store not counted. */
  readonly connectionsMax: number
  readonly open: () => PostgresDatabase
}

/** Connections are read-only unless a transaction says otherwise. */
export const WRITING = "begin read write"
/** All statements of a read see one state. */
const READING = "begin isolation level repeatable read read only"
/** A probe that takes longer says "no" as well. */
const PROBE_TIMEOUT_MS = 2_000

/**
 * An opened PostgreSQL database: a bounded number of connections, each for one attempt at a time.
 *
 * A read is one message there and one back. A write is two: its statement with a `begin` before it, then, after its answer was checked,
 * COMMIT. Until that word has left, whatever fails is `refused`, for the server rolls back what it has not committed.
 */
export class PostgresSession implements SqlSession, HasStore {
  readonly capabilities = POSTGRES
  readonly name: string
  readonly #pool: Pool
  readonly #settings: SessionSettings
  #store: Promise<Store> | null = null

  constructor(settings: SessionSettings) {
    const { name, clock, open, connectionsMax } = settings
    this.#pool = new Pool({ name, clock, open, connectionsMax })
    this.#settings = settings
    this.name = name
  }

  async read(statement: SqlStatement, taker: SqlTaker, attempt: Attempt): Promise<unknown> {
    const database = await this.#taken(attempt)
    try {
      const { rows } = await this.#asked(database, statement, { attempt, begin: null })
      return taker.take(rows, 0)
    } finally {
      this.#pool.give(database)
    }
  }

  async write(statement: SqlStatement, taker: SqlTaker, attempt: Attempt): Promise<unknown> {
    const database = await this.#taken(attempt)
    try {
      const answer = await this.#undone(database, attempt, async () => {
        const { rows, changes } = await this.#asked(database, statement, { attempt, begin: WRITING })
        return taker.take(rows, changes)
      })
      await this.#commit(database, attempt)
      return answer
    } finally {
      this.#pool.give(database)
    }
  }

  async transaction(work: (statements: SqlStatements) => unknown, attempt: Attempt): Promise<unknown> {
    const database = await this.#taken(attempt)
    const { effect } = attempt.call
    const statements = new Statements(database, this.#settings, { effect, begin: effect === "read" ? READING : WRITING })
    try {
      const answer = await this.#undone(database, attempt, () => statements.until(work, attempt))
      statements.end()
      if (statements.isBegun) await this.#commit(database, attempt)
      return answer
    } finally {
      statements.end()
      this.#pool.give(database)
    }
  }

  readonly probe = async (): Promise<void> => {
    const { clock } = this.#settings
    const taker: Taker = { call: { effect: "read" }, stoppable: null }
    const alarm = clock.after(PROBE_TIMEOUT_MS, { ring: () => taker.stoppable?.stop() })
    try {
      const database = await this.#pool.take(taker)
      taker.stoppable = database
      await database.ask({ text: "select 1", values: [] }, 1).finally(() => this.#pool.give(database))
    } finally {
      clock.cancel(alarm)
    }
  }

  /** Trestle's own tables in this database, over connections of their own. */
  openStore(tables: readonly StoreTables[]): Promise<Store> {
    this.#store ??= openStore(tables, this.#settings).catch((refused) => {
      this.#store = null
      throw refused
    })
    return this.#store
  }

  async storeVersion(): Promise<number> {
    const database = this.#settings.open()
    try {
      await database.connect()
      return await tablesVersion(database)
    } catch (thrown) {
      throw connectionFailure(thrown, "read", this.name)
    } finally {
      await database.close()
    }
  }

  async close(): Promise<void> {
    const store = this.#store?.then(
      (opened) => opened.close(),
      () => undefined,
    )
    await Promise.all([store, this.#pool.close()])
  }

  async #taken(attempt: Attempt): Promise<PostgresDatabase> {
    let database: PostgresDatabase | null = null
    try {
      database = await this.#pool.take(attempt)
      attempt.stoppable = database
      await database.allow(attempt.timeoutMs)
      return database
    } catch (thrown) {
      if (database !== null) this.#pool.give(database)
      throw connectionFailure(thrown, attempt.call.effect, this.name)
    }
  }

  async #asked(database: PostgresDatabase, statement: SqlStatement, how: { attempt: Attempt; begin: string | null }): Promise<Answered> {
    try {
      refuseControl(statement)
      return await database.ask(statement, this.#settings.rowsMax, how.begin)
    } catch (thrown) {
      throw statementFailure(thrown, how.attempt.call.effect, this.name)
    }
  }

  /** What it throws undoes what it has done. */
  async #undone(database: PostgresDatabase, { call }: Attempt, work: () => Promise<unknown>): Promise<unknown> {
    try {
      return await work()
    } catch (thrown) {
      await this.#rollback(database)
      throw afterRollback(thrown, call.effect, this.name)
    }
  }

  async #rollback(database: PostgresDatabase): Promise<void> {
    if (database.isLost) return
    // One that nobody has awaited may take long. The server rolls back what a connection leaves behind.
    if (database.isAsking) return database.stop()
    if (!database.isInTransaction) return
    await database.exec("rollback").catch(() => database.destroy())
  }

  async #commit(database: PostgresDatabase, attempt: Attempt): Promise<void> {
    const { effect } = attempt.call
    if (effect === "write") attempt.isSent = true
    let word: string
    try {
      word = await database.exec("commit")
    } catch (thrown) {
      if (!isRolledBack(thrown)) throw commitFailure(thrown, effect, this.name)
      attempt.isSent = false
      throw afterRollback(statementFailure(thrown, effect, this.name), effect, this.name)
    }
    if (word === "COMMIT") return
    attempt.isSent = false
    throw new TrestleError("INTERNAL", undefined, {
      outcome: "refused",
      reason: "request-not-mapped",
      note: `${this.name}: COMMIT was answered with ${word}, so nothing was kept`,
    })
  }
}

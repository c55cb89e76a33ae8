import { existsSync } from "node:fs"
import type { Clock } from "../../base/clock.ts"
import type { MigrationState, Migrator } from "../../contract/sql-session.ts"
import { TrestleError } from "../../errors/trestle-error.ts"
import {
  APPLIED,
  type AppliedMigration,
  applyAll,
  failedMigration,
  type MigrationSource,
  type PlannedMigration,
  planMigrations,
  type ReadMigration,
  readMigrations,
  refuseMisfits,
  statesOf,
} from "../sql/migrations.ts"
import { SqliteDatabase } from "./database.ts"
import { isBusy } from "./failure.ts"

const TABLE = `create table if not exists trestle_migrations (
  number integer primary key,
  name text not null,
  checksum text not null,
  applied_at text not null
) strict`

/** A migration of another process may take as long as this, then it is given up. */
const WAIT_MS_MAX = 120_000
const PAUSE_MS = 50

export interface MigratorSettings {
  readonly name: string
  readonly file: string
  readonly source: MigrationSource
  readonly clock: Clock
}

/** The migrations of one SQLite file. The file's own write lock keeps two processes from applying one twice. */
export class SqliteMigrator implements Migrator {
  readonly #settings: MigratorSettings
  readonly #migrations: readonly ReadMigration[]
  readonly #given: SqliteDatabase | null
  #opened: SqliteDatabase | null = null

  /**
   * @param given a connection that writes, if there is one already
   * @throws {TrestleError} `START_REFUSED` when the migrations cannot be read.
   */
  constructor(settings: MigratorSettings, given: SqliteDatabase | null = null) {
    this.#settings = settings
    this.#migrations = readMigrations(settings.source)
    this.#given = given
  }

  async states(): Promise<readonly MigrationState[]> {
    return statesOf(await this.#planned())
  }

  async apply(): Promise<readonly string[]> {
    return applyAll(() => this.#applyNext())
  }

  async close(): Promise<void> {
    this.#opened?.close()
    this.#opened = null
  }

  /** Looks without writing: a database that is not there yet is not made. */
  async #planned(): Promise<readonly PlannedMigration[]> {
    if (this.#given) return planMigrations(this.#migrations, appliedIn(this.#given))
    const { file } = this.#settings
    if (!existsSync(file)) return planMigrations(this.#migrations, [])
    return this.#patiently(() => {
      const database = new SqliteDatabase({ file, readOnly: true, durability: "full" })
      try {
        return planMigrations(this.#migrations, appliedIn(database))
      } finally {
        database.close()
      }
    })
  }

  /**
   * Applies the first that is pending, in one transaction with the record of it, and gives its name; `null` when none is. What is pending is
   * asked under the lock: another process may have applied it a moment ago.
   */
  #applyNext(): Promise<string | null> {
    return this.#patiently(() => {
      const database = this.#writing()
      // Tables can only be rebuilt while foreign keys are off, and that cannot be said inside a transaction. They are checked at its end.
      database.exec("pragma foreign_keys = off")
      try {
        database.exec("begin immediate")
        return this.#inTransaction(database)
      } finally {
        if (database.isInTransaction) database.exec("rollback")
        database.exec("pragma foreign_keys = on")
      }
    })
  }

  #inTransaction(database: SqliteDatabase): string | null {
    const { clock } = this.#settings
    const planned = planMigrations(this.#migrations, appliedIn(database))
    refuseMisfits(planned)
    const next = planned.find(({ state }) => state === "pending")?.migration
    if (!next) return null
    const { number, name, checksum } = next
    try {
      database.exec(next.sql)
      refuseOrphans(database)
      database.exec(TABLE)
      const appliedAt = new Date(clock.epoch()).toISOString()
      const values = [number, name, checksum, appliedAt]
      database.rows({ text: "insert into trestle_migrations (number, name, checksum, applied_at) values (?, ?, ?, ?)", values }, 0)
      database.exec("commit")
    } catch (cause) {
      if (isBusy(cause)) throw cause
      throw failedMigration(name, cause)
    }
    return name
  }

  #writing(): SqliteDatabase {
    if (this.#given) return this.#given
    this.#opened ??= new SqliteDatabase({ file: this.#settings.file, readOnly: false, durability: "full" })
    return this.#opened
  }

  #patiently<T>(job: () => T): Promise<T> {
    return patiently(job, this.#settings.clock, WAIT_MS_MAX)
  }
}

/** Tries until no other process holds the file's lock. */
export async function patiently<T>(job: () => T, clock: Clock, waitMs: number): Promise<T> {
  const until = clock.now() + waitMs
  for (;;) {
    try {
      return job()
    } catch (thrown) {
      if (!isBusy(thrown) || clock.now() >= until) throw thrown
    }
    await clock.pause(PAUSE_MS)
  }
}

const ROWS_MAX = 100_000

function appliedIn(database: SqliteDatabase): AppliedMigration[] {
  const isThere = { text: "select 1 from sqlite_schema where type = 'table' and name = 'trestle_migrations'", values: [] }
  if (database.rows(isThere, 1).length === 0) return []
  return database.rows(APPLIED, ROWS_MAX) as unknown as AppliedMigration[]
}

/** @throws {TrestleError} when a row refers to one that is not there. */
function refuseOrphans(database: SqliteDatabase): void {
  const [orphan] = database.rows(
    { text: 'select "table" as name, "parent" as parent from pragma_foreign_key_check limit 1', values: [] },
    1,
  )
  if (orphan) throw new TrestleError("CONFLICT", `rows of ${orphan.name} refer to rows of ${orphan.parent} that are not there`)
}

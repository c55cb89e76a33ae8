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
import { hasTable, type PostgresDatabase } from "./database.ts"

const TABLE = `create table if not exists trestle_migrations (
  number integer primary key,
  name text not null,
  checksum text not null,
  applied_at timestamptz not null default now()
)`

/** The lock of all who migrate a database, a number of our own choice: "trestle" in hexadecimal. It ends with the transaction. */
const LOCK = "select pg_advisory_xact_lock(32776877352709221)"
/** A migration of another process may take as long as this, then it is given up; one of ours may take as long as it likes. */
const BEGIN = "begin read write; set local statement_timeout = 0; set local lock_timeout = '120s'"
const ROWS_MAX = 100_000

/** The migrations of one PostgreSQL database. A lock of the database keeps two processes from applying one twice. */
export class PostgresMigrator implements Migrator {
  readonly #migrations: readonly ReadMigration[]
  readonly #open: () => PostgresDatabase
  #opened: PostgresDatabase | null = null

  /** @throws {TrestleError} `START_REFUSED` when the migrations cannot be read. */
  constructor(source: MigrationSource, open: () => PostgresDatabase) {
    this.#migrations = readMigrations(source)
    this.#open = open
  }

  async states(): Promise<readonly MigrationState[]> {
    return statesOf(await this.#planned(await this.#database()))
  }

  async apply(): Promise<readonly string[]> {
    return applyAll(async () => this.#applyNext(await this.#database()))
  }

  async close(): Promise<void> {
    const opened = this.#opened
    this.#opened = null
    await opened?.close()
  }

  async #database(): Promise<PostgresDatabase> {
    if (this.#opened !== null) return this.#opened
    const database = this.#open()
    await database.connect()
    this.#opened = database
    return database
  }

  async #planned(database: PostgresDatabase): Promise<readonly PlannedMigration[]> {
    if (!(await hasTable(database, "trestle_migrations"))) return planMigrations(this.#migrations, [])
    const { rows } = await database.ask(APPLIED, ROWS_MAX)
    return planMigrations(this.#migrations, rows as unknown as AppliedMigration[])
  }

  /**
   * Applies the first that is pending, in one transaction with the record of it, and gives its name; `null` when none is. What is pending is
   * asked under the lock: another process may have applied it a moment ago.
   */
  async #applyNext(database: PostgresDatabase): Promise<string | null> {
    await database.exec(BEGIN)
    try {
      await database.exec(LOCK)
      const planned = await this.#planned(database)
      refuseMisfits(planned)
      const next = planned.find(({ state }) => state === "pending")?.migration
      if (!next) return null
      await applyWith(database, next)
      return next.name
    } finally {
      if (database.isInTransaction && !database.isLost) await database.exec("rollback")
    }
  }
}

async function applyWith(database: PostgresDatabase, { number, name, checksum, sql }: ReadMigration): Promise<void> {
  try {
    await database.exec(sql)
    if (!database.isInTransaction) throw new TrestleError("CONFLICT", "it has ended the transaction in which it runs")
    await database.exec(TABLE)
    const values = [number, name, checksum]
    await database.ask({ text: "insert into trestle_migrations (number, name, checksum) values ($1, $2, $3)", values }, 0)
    await database.exec("commit")
  } catch (cause) {
    throw failedMigration(name, cause)
  }
}

import type { Clock } from "../../base/clock.ts"
import type { StoreDialect, StoreTables } from "../../contract/store.ts"
import { TrestleError } from "../../errors/trestle-error.ts"
import type { SqliteDatabase } from "./database.ts"
import { isBusy } from "./failure.ts"
import { patiently } from "./migrator.ts"

export const SQLITE_DIALECT: StoreDialect = {
  placeholder: "question",
  skipLocked: "",
  serial: "integer primary key autoincrement",
}

const TABLE = `create table if not exists trestle_tables (
  version integer primary key,
  applied_at integer not null
) strict`

/** Another process that makes the tables may take as long as this. */
const WAIT_MS_MAX = 120_000

export interface TablesSettings {
  readonly name: string
  readonly file: string
  readonly clock: Clock
}

/**
 * Makes Trestle's own tables, or brings them up to date: one version after the other, each in one transaction with the record of it.
 *
 * @throws {TrestleError} `START_REFUSED`
 */
export async function applyTables(database: SqliteDatabase, tables: readonly StoreTables[], settings: TablesSettings): Promise<void> {
  const { name, file, clock } = settings
  const last = tables.at(-1)?.version ?? 0
  try {
    // Where nothing is to be done, nobody is kept from writing.
    while (versionIn(database, last) < last) await patiently(() => applyNext(database, tables, settings), clock, WAIT_MS_MAX)
  } catch (cause) {
    if (TrestleError.is(cause)) throw cause
    throw new TrestleError("START_REFUSED", `Trestle's own tables in ${file}, of ${name}, cannot be read: ${(cause as Error).message}`, {
      cause,
    })
  }
}

/** What is to be applied is asked under the lock: another process may have done it a moment ago. */
function applyNext(database: SqliteDatabase, tables: readonly StoreTables[], { name, file }: TablesSettings): void {
  database.exec("begin immediate")
  try {
    const version = versionIn(database, tables.at(-1)!.version)
    const next = tables.find((one) => one.version > version)
    if (next) {
      for (const text of next.statements(SQLITE_DIALECT)) database.exec(text)
      database.exec(TABLE)
      database.exec(`insert into trestle_tables (version, applied_at) values (${next.version}, trestle_now())`)
    }
    database.exec("commit")
  } catch (cause) {
    if (isBusy(cause) || TrestleError.is(cause)) throw cause
    const message = `Trestle's own tables cannot be made in ${file}, of ${name}: ${(cause as Error).message}; nothing of their change was kept`
    throw new TrestleError("START_REFUSED", message, { cause })
  } finally {
    if (database.isInTransaction) database.exec("rollback")
  }
}

/** 0: there are none. */
export function tablesVersion(database: SqliteDatabase): number {
  const isThere = { text: "select 1 from sqlite_schema where type = 'table' and name = 'trestle_tables'", values: [] }
  if (database.rows(isThere, 1).length === 0) return 0
  const [row] = database.rows({ text: "select coalesce(max(version), 0) as version from trestle_tables", values: [] }, 1)
  return row!.version as number
}

/** @throws {TrestleError} when it is newer than `last`, the newest that is known here. */
function versionIn(database: SqliteDatabase, last: number): number {
  const version = tablesVersion(database)
  if (version <= last) return version
  throw new TrestleError("START_REFUSED", `Trestle's own tables are of version ${version}, and this Trestle knows them up to ${last}`, {
    findings: [{ code: "TRS1045", fix: "Start the version of Trestle that made them, or a newer one; nothing was changed." }],
  })
}

import { chmodSync, closeSync, mkdirSync, openSync, renameSync, rmSync } from "node:fs"
import { dirname } from "node:path"
import type { DatabaseSync, StatementSync } from "node:sqlite"
import { loadSqlite } from "../base/node-sqlite.ts"

/** One answer as a row. Everything that could name a person is a hash. */
export interface Row {
  readonly key: string
  readonly shelf: string
  readonly who: string
  readonly credential: string
  readonly at: number
  readonly until: number
  readonly body: Uint8Array
}

const VERSION = 2
/** Beyond it those go that were written first, whosever they are. */
const FILE_BYTES_MAX = 64 * 1_048_576
/** Another process may be opening the same file. */
const OPEN_WAIT_MS = 2_000

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY, shelf TEXT NOT NULL, who TEXT NOT NULL, credential TEXT NOT NULL,
    at INTEGER NOT NULL, until INTEGER NOT NULL, body BLOB NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS answers_of_owner ON answers (who, credential);
  CREATE INDEX IF NOT EXISTS answers_of_shelf ON answers (shelf);
  CREATE INDEX IF NOT EXISTS answers_by_end ON answers (until);
  PRAGMA user_version = ${VERSION};`

/** The file is no sound database of ours. */
export class Damaged extends Error {
  override readonly name = "Damaged"
}

/**
 * The statements on one open file. Synchronous, on the event loop, and without one `fsync`: what a loss of power takes away is only a
 * cache. Whatever SQLite throws comes out as it is, except that damage is `Damaged`.
 */
export class LastGoodDatabase {
  readonly #database: DatabaseSync
  readonly #find: StatementSync
  readonly #put: StatementSync
  readonly #remove: StatementSync
  readonly #expire: StatementSync
  readonly #trim: StatementSync
  readonly #trimOldest: StatementSync
  readonly #forgetOwner: StatementSync
  readonly #forgetCredential: StatementSync

  private constructor(database: DatabaseSync) {
    this.#database = database
    const prepare = (sql: string): StatementSync => database.prepare(sql)
    this.#find = prepare("SELECT at, body FROM answers WHERE key = ?")
    this.#put = prepare("INSERT OR REPLACE INTO answers (key, shelf, who, credential, at, until, body) VALUES (?, ?, ?, ?, ?, ?, ?)")
    this.#remove = prepare("DELETE FROM answers WHERE key = ?")
    this.#expire = prepare("DELETE FROM answers WHERE until < ?")
    // In the order of writing, which a clock that was put back cannot turn round: new answers would make room for old ones.
    this.#trim = prepare(
      "DELETE FROM answers WHERE rowid IN (SELECT rowid FROM answers WHERE shelf = ? ORDER BY rowid DESC LIMIT -1 OFFSET ?)",
    )
    this.#trimOldest = prepare(
      "DELETE FROM answers WHERE rowid IN (SELECT rowid FROM answers ORDER BY rowid LIMIT (SELECT count(*) / 8 + 1 FROM answers))",
    )
    this.#forgetOwner = prepare("DELETE FROM answers WHERE who = ?")
    this.#forgetCredential = prepare("DELETE FROM answers WHERE who = ? AND credential = ?")
  }

  /** Makes file and folder for this user only. @throws {Damaged} when what is there is not sound. */
  static open(file: string): LastGoodDatabase {
    const { DatabaseSync } = loadSqlite()
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    // SQLite gives its other files the mode of this one.
    closeSync(openSync(file, "a", 0o600))
    chmodSync(file, 0o600)
    return orDamaged(() => {
      const database = new DatabaseSync(file, { timeout: OPEN_WAIT_MS })
      try {
        prepareFile(database)
        return new LastGoodDatabase(database)
      } catch (error) {
        database.close()
        throw error
      }
    })
  }

  find(key: string): { at: number; body: Uint8Array } | undefined {
    return orDamaged(() => this.#find.get(key) as { at: number; body: Uint8Array } | undefined)
  }

  /** All of it or nothing; then each of the shelves keeps its newest. */
  write(rows: readonly Row[], removed: readonly string[], entriesMax: ReadonlyMap<string, number>): void {
    this.#together(() => {
      for (const { key, shelf, who, credential, at, until, body } of rows)
        this.#put.run(key, shelf, who, credential, Math.round(at), Math.round(until), body)
      for (const key of removed) this.#remove.run(key)
      for (const [shelf, max] of entriesMax) this.#trim.run(shelf, max)
      while (this.#bytes() > FILE_BYTES_MAX) this.#trimOldest.run()
    })
  }

  /** Removes what is too old for any use, of operations too that are not there any more. */
  expire(now: number): void {
    orDamaged(() => this.#expire.run(Math.round(now)))
  }

  /** What goes is overwritten, in the file and in its log. */
  forget(who: string, credential: string | null): void {
    let changes: number | bigint = 0
    this.#together(() => {
      const gone = credential === null ? this.#forgetOwner.run(who) : this.#forgetCredential.run(who, credential)
      changes = gone.changes
    })
    if (changes > 0) orDamaged(() => this.#database.exec("PRAGMA wal_checkpoint(TRUNCATE)"))
  }

  close(): void {
    this.#database.close()
  }

  #together(change: () => void): void {
    orDamaged(() => {
      this.#database.exec("BEGIN IMMEDIATE")
      try {
        change()
        this.#database.exec("COMMIT")
      } catch (error) {
        if (this.#database.isTransaction) this.#database.exec("ROLLBACK")
        throw error
      }
    })
  }

  #bytes(): number {
    const of = (pragma: string): number => Number(Object.values(this.#database.prepare(`PRAGMA ${pragma}`).get() ?? {})[0])
    return (of("page_count") - of("freelist_count")) * of("page_size")
  }
}

function prepareFile(database: DatabaseSync): void {
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA secure_delete = ON")
  const [sound] = Object.values(database.prepare("PRAGMA quick_check(1)").get() ?? {})
  const [version] = Object.values(database.prepare("PRAGMA user_version").get() ?? {})
  if (sound !== "ok") throw new Damaged("it is not sound")
  if (version !== 0 && version !== VERSION) throw new Damaged(`it is of version ${version}`)
  database.exec(SCHEMA)
  // From here on nobody waits on the event loop: what is locked by another process is tried again later.
  database.exec("PRAGMA busy_timeout = 0")
}

/** Primary result codes of SQLite. Source: sqlite.org/rescode.html. */
const BUSY = new Set([5, 6])
const DAMAGE = new Set([11, 26])

function resultCode(error: unknown): number {
  return Number((error as { errcode?: unknown } | null)?.errcode ?? 0) & 0xff
}

export function isBusy(error: unknown): boolean {
  return BUSY.has(resultCode(error))
}

function orDamaged<T>(run: () => T): T {
  try {
    return run()
  } catch (error) {
    if (DAMAGE.has(resultCode(error))) throw new Damaged((error as Error).message, { cause: error })
    throw error
  }
}

/** Puts a file out of the way, in the place of an earlier one; `damagedAt` says where. */
export function setAside(file: string): void {
  renameSync(file, damagedAt(file))
  for (const tail of ["-wal", "-shm"]) rmSync(file + tail, { force: true })
}

/** Everything of it, and what was set aside. @throws where it cannot be removed. */
export function removeAll(file: string): void {
  for (const path of [file, `${file}-wal`, `${file}-shm`, damagedAt(file)]) rmSync(path, { force: true })
}

export function damagedAt(file: string): string {
  return `${file}.damaged`
}

import { statSync } from "node:fs"
import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite"
import { systemClock } from "../../base/clock.ts"
import { loadSqlite } from "../../base/node-sqlite.ts"
import type { SqlStatement } from "../../contract/sql-compile.ts"
import type { SqlRow } from "../../contract/sql-session.ts"
import { limited, limitOf, statementMistake } from "../sql/statement-check.ts"

/** Prepared statements that are kept; the oldest makes room. */
const STATEMENTS_MAX = 256

/** An answer of more rows than the service reads. */
export class TooManyRows extends Error {}

/** A text that is not one statement of an operation. */
export class NoStatement extends Error {}

export interface OpenSettings {
  readonly file: string
  readonly readOnly: boolean
  /** `full`: what was acknowledged survives a loss of power. `normal`: it survives the end of the process only. */
  readonly durability: "full" | "normal"
  /** How long a statement waits inside SQLite for another process, holding up its thread, in milliseconds. Default 0. */
  readonly waitMs?: number
  /** What `trestle_now()` gives: milliseconds since 1970. Default: the system's clock. */
  readonly epoch?: () => number
}

/** A statement of Trestle's own, prepared once, for where every microsecond counts. */
export class OwnStatement {
  /** Names of what it gives; none where it gives no rows. */
  readonly columns: readonly string[]
  readonly #statement: StatementSync

  constructor(statement: StatementSync) {
    this.#statement = statement
    this.columns = statement.columns().map(({ name }) => name)
    statement.setReturnArrays(true)
  }

  /** Each row as the list of its values, in the order of `columns`. */
  rows(values: SqlStatement["values"]): unknown[][] {
    return this.#statement.all(...boundOf(values)) as unknown as unknown[][]
  }

  /** How many rows it changed. */
  run(values: SqlStatement["values"]): number {
    return Number(this.#statement.run(...boundOf(values)).changes)
  }
}

interface Prepared {
  readonly statement: StatementSync
  readonly hasRows: boolean
  readonly rowsMax: number
  /** It ends by itself after so many rows; `null` where only reading on would tell. */
  readonly limit: number | "last value" | null
}

/**
 * One connection to a SQLite file. The only file that touches the driver: `node:sqlite`, which answers in the calling thread and cannot
 * interrupt a statement.
 */
export class SqliteDatabase {
  readonly #db: DatabaseSync
  readonly #file: string
  /** Of the file that is open, whatever stands under its name later. */
  readonly #fileNumber: number | undefined
  readonly #prepared = new Map<string, Prepared>()
  /** Of the last statement. */
  changes = 0

  /** @throws what SQLite says: the file cannot be opened, or another process holds it just now. */
  constructor({ file, readOnly, durability, waitMs = 0, epoch = systemClock.epoch }: OpenSettings) {
    const { DatabaseSync } = loadSqlite()
    this.#db = new DatabaseSync(file, {
      readOnly,
      enableForeignKeyConstraints: true,
      enableDoubleQuotedStringLiterals: false,
      allowExtension: false,
      // Waiting for another process is done where other calls can go on meanwhile, not inside SQLite; a thread of its own may wait there.
      timeout: waitMs,
    })
    this.#file = file
    this.#fileNumber = fileNumber(file)
    try {
      // No statement can damage the file by writing where only SQLite may write. Node has it since 24.
      ;(this.#db as { enableDefensive?: (active: boolean) => void }).enableDefensive?.(true)
      this.#db.exec("pragma trusted_schema = off")
      // A whole number of SQLite's; a JavaScript number would be bound as a float.
      this.#db.function("trestle_now", () => BigInt(Math.round(epoch())))
      if (readOnly) this.#db.exec("pragma query_only = on")
      else this.#db.exec(`pragma journal_mode = wal; pragma synchronous = ${durability}`)
    } catch (error) {
      this.#db.close()
      throw error
    }
  }

  get isInTransaction(): boolean {
    return this.#db.isTransaction
  }

  /** Whether the file was removed or replaced since it was opened. SQLite goes on writing to the one that nobody will find again. */
  get isGone(): boolean {
    return this.#fileNumber !== fileNumber(this.#file)
  }

  /** Whether writing statements are refused, until this is called again. */
  refuseWrites(isRefused: boolean): void {
    this.#db.exec(isRefused ? "pragma query_only = on" : "pragma query_only = off")
  }

  /** Runs a script, or a word of control such as `begin`. */
  exec(text: string): void {
    this.#db.exec(text)
  }

  /** Runs one statement; `changes` is then how many rows it has changed, or given. @throws {TooManyRows} after `rowsMax`. */
  rows({ text, values }: SqlStatement, rowsMax: number): SqlRow[] {
    const { statement, hasRows, limit } = this.#prepare(text, rowsMax)
    if (hasRows) {
      const bound = boundOf(values)
      const most = limit === "last value" ? values.at(-1) : limit
      const isBounded = typeof most === "number" && most >= 0 && most <= rowsMax + 1
      const rows = isBounded ? (statement.all(...bound) as SqlRow[]) : collected(statement.iterate(...bound), rowsMax)
      if (rows.length > rowsMax) throw new TooManyRows(`more than ${rowsMax} rows`)
      this.changes = rows.length
      return rows
    }
    this.changes = Number(statement.run(...boundOf(values)).changes)
    return []
  }

  /** Prepares a text of Trestle's own, which needs no checking. Not to be used after `close`. */
  prepareOwn(text: string): OwnStatement {
    return new OwnStatement(this.#db.prepare(text))
  }

  close(): void {
    this.#prepared.clear()
    if (this.#db.isOpen) this.#db.close()
  }

  #prepare(text: string, rowsMax: number): Prepared {
    const known = this.#prepared.get(text)
    if (known?.rowsMax === rowsMax) return known
    const mistake = statementMistake(text)
    if (mistake !== null) throw new NoStatement(mistake)
    const bounded = this.#prepareBounded(text, rowsMax)
    const statement = bounded ?? this.#db.prepare(text)
    const made = { statement, hasRows: statement.columns().length > 0, rowsMax, limit: bounded ? rowsMax + 1 : limitOf(text) }
    if (this.#prepared.size === STATEMENTS_MAX) this.#prepared.delete(this.#prepared.keys().next().value!)
    this.#prepared.set(text, made)
    return made
  }

  /** With a limit of its own the driver may give all rows at once, for a third less time than one by one. */
  #prepareBounded(text: string, rowsMax: number): StatementSync | null {
    const bounded = limited(text, rowsMax + 1)
    try {
      return bounded === null ? null : this.#db.prepare(bounded)
    } catch {
      // It has a limit already, or is wrong, which preparing it as it is will tell.
      return null
    }
  }
}

function fileNumber(file: string): number | undefined {
  return file === ":memory:" ? undefined : statSync(file, { throwIfNoEntry: false })?.ino
}

/** One row more than allowed tells that there are more. */
function collected(rows: ReturnType<StatementSync["iterate"]>, rowsMax: number): SqlRow[] {
  const all: SqlRow[] = []
  try {
    for (const row of rows) {
      all.push(row as SqlRow)
      if (all.length > rowsMax) break
    }
  } catch (error) {
    // A value that the driver cannot give leaves the statement open: reads would stay at its state, and no later commit would succeed.
    rows.return?.()
    throw error
  }
  return all
}

/** The driver binds every number as a float, and a column for text would then keep 5 as "5.0". */
function boundOf(values: SqlStatement["values"]): SQLInputValue[] {
  const bound = values as unknown as SQLInputValue[]
  for (let i = 0; i < bound.length; i++) if (Number.isSafeInteger(bound[i])) return bound.map(asInteger)
  return bound
}

function asInteger(value: SQLInputValue): SQLInputValue {
  return Number.isSafeInteger(value) ? BigInt(value as number) : value
}

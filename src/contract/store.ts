import type { SqlRow } from "./sql-session.ts"

/** How the databases that can be a store differ. A flag is here because some statement is written by it. */
export interface StoreDialect {
  /** How a bound value is written: `?`, or `$1`. */
  readonly placeholder: "question" | "numbered"
  /** Written after the `select` of rows that are to be taken: other takers pass over them. Empty where there is one writer at a time. */
  readonly skipLocked: "" | " for update skip locked"
  /** The type of a number that the database gives out itself, rising with every row: `integer primary key autoincrement`. */
  readonly serial: string
}

/** What Trestle's own tables hold. Numbers are whole, within 2^53; texts have no NUL and no half of a character. */
export type StoreValue = string | number | null

/** One statement on Trestle's own tables. */
export interface StoreStatement {
  /**
   * Written with `?` for every value, and with no other `?`, whatever the database: the store changes them to its own. Texts are constants of
   * the program, a thousand at most, so that each is prepared once; what varies is bound. `trestle_now()` is the store's clock, in
   * milliseconds since 1970 as an integer; `(select trestle_now())` asks it once a statement.
   */
  readonly text: string
  readonly values: readonly StoreValue[]
  /** How many rows it must change (or give, where it gives rows); with another number its whole unit is undone. Default: any. */
  readonly expects?: number
  /**
   * The `id` of the one row that it puts, changes or removes: it is an `insert … values`, `update` or `delete` of one table, whose `id` is
   * unique, and looks at no other row of it. A store may run statements of one text about different rows as one. Default: it is run alone.
   */
  readonly rowId?: string
}

export interface StoreResult {
  /** What it gave: of a `select`, or of `returning`. */
  readonly rows: readonly SqlRow[]
  /** How many rows it changed; of a statement that gives rows, how many it gave. */
  readonly changes: number
}

/**
 * Where Trestle keeps its own durable state. Only the durable room speaks to it, in SQL that all stores understand.
 *
 * Integers come back as numbers, texts as strings; there are no other types in Trestle's tables.
 */
export interface Store {
  /** For messages. */
  readonly name: string
  readonly dialect: StoreDialect
  /**
   * Runs the statements of one unit in their order: all of them count, or none. Resolves when they are durable, no sooner; units of other
   * callers may be made durable by the same commit. `null`: an expectation was not met, and nothing of the unit was kept. A statement after
   * an unmet one is not run.
   *
   * No fsync happens on the calling thread. Must not be awaited inside a transaction of the same database: it waits for that one's end.
   *
   * Rejects with a classified error: `refused` (nothing of it was kept: one of its statements failed, the group of its commit was rolled
   * back, the store is busy, full, gone or closed) or `unknown` (the commit itself failed: the store is opened anew, nothing is committed
   * again).
   */
  unit(statements: readonly StoreStatement[]): Promise<readonly StoreResult[] | null>
  /** One statement that changes nothing, on what has been committed; one that would is refused. Bounded by the limit that stands in it. */
  read(statement: StoreStatement): Promise<readonly SqlRow[]>
  /**
   * Has `listener` called when somebody else, perhaps on another machine, may have put something there. A hint, and where the database has
   * no means for it none comes from other processes: polling finds.
   */
  watch(listener: () => void): () => void
  /** Gives that hint to the others. Never throws. */
  wake(): void
  /** Idempotent; units under way are finished first. */
  close(): Promise<void>
}

/** An opened database on which Trestle can keep its own tables beside yours. */
export interface HasStore {
  /**
   * Opens the store on the same database, once; later calls give the same one. Its tables are made, or brought up to date, under a lock.
   *
   * @throws {TrestleError} `START_REFUSED`: the tables are of a newer version of Trestle (TRS1045), or cannot be made.
   */
  openStore(tables: readonly StoreTables[]): Promise<Store>
  /** Which version of those tables is there, 0 for none. Changes nothing. */
  storeVersion(): Promise<number>
}

/** One version of Trestle's own tables. Applied once each, in the order of `version`, all statements of one version in one transaction. */
export interface StoreTables {
  /** 1 and more, rising by one. */
  readonly version: number
  /** Written by the rules of each dialect. */
  statements(dialect: StoreDialect): readonly string[]
}

export function hasStore(connection: object): connection is HasStore {
  return typeof (connection as Partial<HasStore>).openStore === "function"
}

/** Whether every store keeps it as it is. PostgreSQL takes no NUL, Node 22 reads a text from SQLite up to it, and UTF-8 has no half of a character. */
export function isStorable(value: unknown): value is StoreValue {
  if (typeof value === "string") return value.isWellFormed() && !value.includes("\0")
  return value === null || Number.isSafeInteger(value)
}

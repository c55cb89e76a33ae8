import type { Clock } from "../../base/clock.ts"
import { failure } from "../../contract/failure.ts"
import { BrokenConstraint, type SqlRow } from "../../contract/sql-session.ts"
import type { Store, StoreResult, StoreStatement, StoreTables } from "../../contract/store.ts"
import { TrestleError } from "../../errors/trestle-error.ts"
import { type PostgresDatabase, within } from "./database.ts"
import { commitFailure, connectionFailure, isRolledBack, sqlState, statementFailure } from "./failure.ts"
import { Pool, type Taker } from "./pool.ts"
import { foldsOf, RowTexts, type StoreAsked } from "./store-folds.ts"
import { Groups } from "./store-groups.ts"
import { Hints } from "./store-hints.ts"
import { applyTables, POSTGRES_DIALECT } from "./store-tables.ts"
import { StoreTexts } from "./store-texts.ts"

/** Beside those of the calls. Commits of several connections share one flush to the disk. */
const CONNECTIONS = 8
/** Units that may be under way or wait; more are refused, so that a server that hangs does not fill the memory. */
const UNITS_MAX = 10_000
/** A unit that has no answer by then gets none. */
const UNIT_MS_MAX = 30_000
/** Its tables cannot be looked at, or made, when that takes longer. */
const OPEN_MS_MAX = 30_000
/** Two units that lock the same rows in another order: the server ends one of them, which is run anew. */
const TRIES = 5
const DEADLOCKS = new Set(["40001", "40P01"])
/** A plan whose result has another shape now, and a statement that the server does not know. */
const STALE = new Set(["0A000", "26000"])
const ROWS_MAX = 100_000
/** What is under way when the store is closed gets this long: whoever closes has waited for all that matters to him. */
const LAST_UNITS_MS = 1_500
const BEGIN: StoreAsked = { text: "begin isolation level read committed read write", values: [], name: "trestle_begin" }
const COMMIT: StoreAsked = { text: "commit", values: [], name: "trestle_commit" }
/** A server may be set to acknowledge before it is sure; what is kept here was promised. */
const DURABLE = "select set_config('synchronous_commit', 'on', false) where current_setting('synchronous_commit') = 'off'"
/** Rows are found by an index, one by one: a plan that reads the whole table would be made while it is small, and kept when it is large. */
const PLANS = "set enable_seqscan = off; set enable_hashjoin = off; set enable_mergejoin = off; set jit = off"

export interface StoreGround {
  readonly name: string
  readonly clock: Clock
  readonly open: () => PostgresDatabase
}

/** @throws {TrestleError} `START_REFUSED` */
export async function openStore(tables: readonly StoreTables[], ground: StoreGround): Promise<Store> {
  const { name, clock } = ground
  const hints = new Hints(ground.open, clock)
  const maker = ground.open()
  // What hangs after it has taken a connection ends with it.
  const limit = clock.after(OPEN_MS_MAX, {
    ring: () => {
      maker.destroy()
      void hints.end()
    },
  })
  try {
    await maker.connect()
    await applyTables(maker, tables, name)
    await hints.begin()
  } catch (cause) {
    await hints.end()
    if (TrestleError.is(cause)) throw cause
    const { note } = connectionFailure(cause, "read", name)
    throw new TrestleError("START_REFUSED", `Trestle's own tables cannot be looked at: ${note}`, { cause })
  } finally {
    clock.cancel(limit)
    await maker.close()
  }
  return new PostgresStore(hints, ground)
}

/**
 * A store in a PostgreSQL database. Units go together in one transaction, whose statements leave in one message with its COMMIT. A unit that
 * expects a number of rows is a transaction of its own, for its answer is looked at first.
 */
export class PostgresStore implements Store {
  readonly name: string
  readonly dialect = POSTGRES_DIALECT
  readonly #clock: Clock
  readonly #pool: Pool
  readonly #hints: Hints
  readonly #texts: StoreTexts
  readonly #rowTexts = new RowTexts()
  readonly #groups: Groups
  readonly #underWay = new Set<Promise<unknown>>()
  #closing: Promise<void> | null = null

  constructor(hints: Hints, { name, clock, open }: StoreGround) {
    this.name = name
    this.#clock = clock
    this.#hints = hints
    this.#texts = new StoreTexts(name)
    this.#pool = new Pool({ name, connectionsMax: CONNECTIONS, clock, open, prepare: `${DURABLE}; ${PLANS}` })
    this.#groups = new Groups({
      clock,
      together: (statements) => this.#within("write", (database) => this.#all(statements, database)),
      alone: (statements) => this.#tried((database) => this.#all(statements, database)),
      isUndone: (error) => TrestleError.is(error) && error.outcome === "refused" && isRolledBack(error.cause),
    })
  }

  unit(statements: readonly StoreStatement[]): Promise<readonly StoreResult[] | null> {
    return this.#counted("write", () => {
      if (statements.length === 0) return Promise.resolve([])
      const asked = statements.map((statement) => this.#texts.asked(statement))
      if (statements.every(expectsNothing)) return this.#groups.add(asked)
      const parts = partsOf(asked.map((statement, i) => ({ ...statement, expects: statements[i]!.expects })))
      return this.#tried((database) => this.#run(parts, database))
    })
  }

  read(statement: StoreStatement): Promise<readonly SqlRow[]> {
    return this.#counted("read", async () => {
      const asked = this.#texts.asked(statement)
      const [answer] = await this.#within("read", (database) => database.askAll([asked], ROWS_MAX))
      return answer!.rows
    })
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

  async #closed(): Promise<void> {
    await within(LAST_UNITS_MS, Promise.allSettled(this.#underWay), () => undefined)
    await Promise.all([this.#pool.close(), this.#hints.end()])
  }

  async #counted<T>(effect: "read" | "write", work: () => Promise<T>): Promise<T> {
    if (this.#closing) throw failure("not-connected", effect, { note: `${this.name}: is closed` })
    if (this.#underWay.size >= UNITS_MAX) throw failure("bulkhead-full", effect, { note: `${this.name}: ${UNITS_MAX} units wait` })
    const working = work()
    this.#underWay.add(working)
    try {
      return await working
    } finally {
      this.#underWay.delete(working)
    }
  }

  async #tried<T>(work: (database: PostgresDatabase) => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#within("write", work)
      } catch (thrown) {
        const cause = TrestleError.is(thrown) ? thrown.cause : null
        if (tries === TRIES || !DEADLOCKS.has(sqlState(cause) ?? "")) throw thrown
      }
    }
  }

  /** On a connection of its own, for a time that ends. */
  async #within<T>(effect: "read" | "write", work: (database: PostgresDatabase) => Promise<T>): Promise<T> {
    const taker: Taker = { call: { effect }, stoppable: null }
    const alarm = this.#clock.after(UNIT_MS_MAX, { ring: () => taker.stoppable?.stop() })
    let database: PostgresDatabase | null = null
    try {
      database = await this.#pool.take(taker)
      taker.stoppable = database
      return await renewed(work, database)
    } catch (thrown) {
      throw ofOurs(database === null ? connectionFailure(thrown, effect, this.name) : statementFailure(thrown, effect, this.name))
    } finally {
      this.#clock.cancel(alarm)
      if (database !== null) this.#pool.give(database)
    }
  }

  async #run(parts: readonly Part[], database: PostgresDatabase): Promise<readonly StoreResult[] | null> {
    const results: StoreResult[] = []
    for (const [number, part] of parts.entries()) {
      const statements = [...(number === 0 ? [BEGIN] : []), ...part.statements, ...(part.commits ? [COMMIT] : [])]
      const answers = await this.#asked(statements, part.commits, database)
      const own = answers.slice(number === 0 ? 1 : 0, part.commits ? -1 : undefined)
      results.push(...own)
      if (part.expects === undefined || own.at(-1)!.changes === part.expects) continue
      await database.exec("rollback")
      return null
    }
    return results
  }

  /** Statements of which nothing is expected, in one message. */
  async #all(statements: readonly StoreAsked[], database: PostgresDatabase): Promise<readonly StoreResult[]> {
    return (await this.#asked([BEGIN, ...statements, COMMIT], true, database)).slice(1, -1)
  }

  async #asked(statements: readonly StoreAsked[], commits: boolean, database: PostgresDatabase): Promise<readonly StoreResult[]> {
    try {
      const folds = foldsOf(statements)
      const asked = folds.map((fold) => fold.asked(this.#rowTexts))
      const answers = await database.askAll(asked, ROWS_MAX)
      return folds.flatMap((fold, i) => fold.answers(answers[i]!))
    } catch (thrown) {
      // The server has not come as far as the COMMIT when it names an error; when it is gone, nobody knows.
      if (commits && !isRolledBack(thrown)) throw commitFailure(thrown, "write", this.name)
      if (database.isInTransaction && !database.isLost) await database.exec("rollback").catch(() => database.destroy())
      throw thrown
    }
  }
}

/** What is prepared does not outlive a change of its tables by another node. Nothing of it has been run, so it is prepared anew. */
async function renewed<T>(work: (database: PostgresDatabase) => Promise<T>, database: PostgresDatabase): Promise<T> {
  try {
    return await work(database)
  } catch (thrown) {
    if (!STALE.has(sqlState(thrown) ?? "") || database.isLost) throw thrown
    await database.forgetPrepared()
    return work(database)
  }
}

function expectsNothing({ expects }: StoreStatement): boolean {
  return expects === undefined
}

/** Statements that leave together. `commits`: with the COMMIT behind them; `expects`: rows of the last of them. */
interface Part {
  readonly statements: StoreAsked[]
  readonly commits: boolean
  readonly expects: number | undefined
}

/** What is expected is looked at before anything else is run. */
function partsOf(statements: readonly (StoreAsked & { readonly expects: number | undefined })[]): Part[] {
  const parts: Part[] = []
  let open: StoreAsked[] = []
  for (const { expects, ...statement } of statements) {
    open.push(statement)
    if (expects === undefined) continue
    parts.push({ statements: open, commits: false, expects })
    open = []
  }
  parts.push({ statements: open, commits: true, expects: undefined })
  return parts
}

/** Trestle's own tables have no rule that a caller could have meant to break: it is a mistake like others. */
function ofOurs(thrown: unknown): unknown {
  if (!(thrown instanceof BrokenConstraint)) return thrown
  return failure("request-not-mapped", "write", { cause: thrown.cause, note: thrown.message })
}

import type { PostgresDatabase } from "./database.ts"
import { END_ALL } from "./scratch.ts"

const ROWS_MAX = 10_000
/** Longest wait for what a transaction of the application has locked; what it holds is not looked at then. */
const LOOK_MS = 200

/** The application's own tables: neither PostgreSQL's nor Trestle's. */
const TABLES = `select format('%I.%I', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'p') and not c.relispartition and n.nspname not in ('information_schema', 'trestle_fault')
  and not starts_with(n.nspname, 'pg_') and not starts_with(c.relname, 'trestle_') order by 1`

/** What is done to the database of a stand-in, and seen in it, over a connection of its own that knows no fault. */
export class StandInTables {
  readonly #database: PostgresDatabase
  readonly #tables: readonly string[]
  #last: Promise<unknown> = Promise.resolve()

  private constructor(database: PostgresDatabase, tables: readonly string[]) {
    this.#database = database
    this.#tables = tables
  }

  /** @param database is its own from now on, also when it throws. */
  static async of(database: PostgresDatabase): Promise<StandInTables> {
    try {
      await database.exec(`set lock_timeout = ${LOOK_MS}`)
      const { rows } = await database.ask({ text: TABLES, values: [] }, ROWS_MAX)
      const tables = rows.map(({ name }) => String(name))
      return new StandInTables(database, tables)
    } catch (error) {
      database.destroy()
      throw error
    }
  }

  /** A text that is another one as soon as a row is; `null` where they cannot be read. */
  state(): Promise<string | null> {
    const rowsOf = this.#tables.map((name) => `(select coalesce(string_agg(t::text, ',' order by t::text), '') from ${name} t)`)
    const text = `select md5(concat_ws('|', '', ${rowsOf.join(", ") || "''"})) as state`
    const state = this.#turn(async () => String((await this.#database.ask({ text, values: [] }, 1)).rows[0]?.state))
    return state.catch(() => null)
  }

  /** As a change of the tables would: readers wait too. */
  async lock(): Promise<void> {
    const locks = this.#tables.map((name) => `; lock table ${name} in access exclusive mode`)
    await this.#turn(() => this.#database.exec(`begin read write${locks.join("")}`))
  }

  async unlock(): Promise<void> {
    await this.#turn(() => this.#database.exec("rollback"))
  }

  /** Every statement that changes a table is refused with that code, or only the first: a sequence counts what is rolled back too. */
  async raise(state: string, isOnce: boolean): Promise<void> {
    const triggers = this.#tables.map(
      (name) => `create trigger trestle_fault before insert or update or delete on ${name} execute function trestle_fault.refuse();`,
    )
    const script = `create schema trestle_fault; create sequence trestle_fault.asked;
      create function trestle_fault.refuse() returns trigger language plpgsql as $$ begin
        if nextval('trestle_fault.asked') ${isOnce ? "= 1" : "> 0"} then
          raise exception 'made by trestle faults' using errcode = '${state}'; end if;
        return null; end $$; ${triggers.join(" ")}`
    await this.#turn(() => this.#database.exec(script))
  }

  /** Ends every other connection, as the server does when it restarts. */
  async endOthers(name: string): Promise<void> {
    await this.#turn(() => this.#database.ask({ ...END_ALL, values: [name] }, ROWS_MAX))
  }

  async close(): Promise<void> {
    await this.#database.close()
  }

  /** A connection runs one statement at a time. */
  #turn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work)
    this.#last = turn.catch(() => undefined)
    return turn
  }
}

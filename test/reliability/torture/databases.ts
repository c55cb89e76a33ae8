import { join } from "node:path"
import { loadSqlite } from "../../../src/base/node-sqlite.ts"
import { newDatabase, ownPostgres } from "../../servers/postgres.ts"
import type { Stored } from "../runs/torture.ts"

/** The databases of the application that is killed, as the judge sees them: from outside. */
export interface TortureDatabase {
  variables(folder: string): Record<string, string>
  /** Jobs and messages that are not over. */
  left(folder: string): Promise<number>
  stored(folder: string): Promise<Stored>
  /** Kills the server too, where there is one, and starts it again. */
  kill(): Promise<void>
  close(): Promise<void>
}

const OPEN_JOBS = "select count(*) as n from trestle_jobs where state in ('waiting', 'running')"
const UNDECIDED = "select operation, state, outcome from trestle_jobs where state in ('parked', 'dead')"
const WAITING = "select count(*) as n from trestle_outbox"

export function onSqlite(): TortureDatabase {
  const rows = (file: string, text: string): Record<string, any>[] => {
    const { DatabaseSync } = loadSqlite()
    const database = new DatabaseSync(file, { readOnly: true, timeout: 5_000 })
    try {
      return database.prepare(text).all()
    } finally {
      database.close()
    }
  }
  const db = (folder: string): string => join(folder, "subject.db")
  const store = (folder: string): string => join(folder, "store.db")
  return {
    variables: (folder) => ({ SUBJECT_KIND: "sqlite", SUBJECT_DB: db(folder), SUBJECT_STORE: store(folder) }),
    left: async (folder) => Number(rows(store(folder), OPEN_JOBS)[0]!.n) + Number(rows(db(folder), WAITING)[0]!.n),
    stored: async (folder) => ({
      orders: rows(db(folder), "select id from orders").map(({ id }) => id),
      bills: rows(db(folder), "select order_id from bills").map(({ order_id }) => order_id),
      ledger: rows(db(folder), "select order_id from ledger").map(({ order_id }) => order_id),
      undecided: rows(store(folder), UNDECIDED).map(({ operation, state, outcome }) => `${operation} ${state} ${outcome}`),
    }),
    kill: async () => {},
    close: async () => {},
  }
}

/** Two databases on a server of its own, which is killed too. `null` where there is none. */
export async function onPostgres(): Promise<TortureDatabase | null> {
  const server = await ownPostgres({ isDurable: true })
  if (server === null) return null
  const { default: pg } = await import("pg")
  const [db, store] = [await newDatabase(server.url), await newDatabase(server.url)]
  const rows = async (url: string, text: string): Promise<Record<string, any>[]> => {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    try {
      return (await client.query(text)).rows
    } finally {
      await client.end()
    }
  }
  const column = async (text: string): Promise<string[]> => (await rows(db.url, text)).map((row) => Object.values(row)[0])
  return {
    variables: () => ({ SUBJECT_KIND: "postgres", SUBJECT_DB: db.url, SUBJECT_STORE: store.url }),
    left: async () => Number((await rows(store.url, OPEN_JOBS))[0]!.n) + Number((await rows(db.url, WAITING))[0]!.n),
    stored: async () => ({
      orders: await column("select id from orders"),
      bills: await column("select order_id from bills"),
      ledger: await column("select order_id from ledger"),
      undecided: (await rows(store.url, UNDECIDED)).map(({ operation, state, outcome }) => `${operation} ${state} ${outcome}`),
    }),
    kill: async () => {
      await server.stop("immediate")
      await server.start()
    },
    close: async () => server.stop("immediate"),
  }
}

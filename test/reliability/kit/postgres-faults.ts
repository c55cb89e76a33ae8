import pg from "pg"
import { type Policy, postgres, secret, sql } from "../../../src/index.ts"
import { newDatabase } from "../../servers/postgres.ts"
import { type CommitProxy, commitProxy } from "./commit-proxy.ts"
import { type Calls, type FaultRow, type FaultyServer, type Thing, values } from "./fault.ts"

/** `fails` ends its transaction as the server itself would: with that SQLSTATE. */
const TABLES = `create table things (id text, name text);
  create table unlike (id text unique);
  insert into unlike values ('7');
  create function fails(state text) returns text language plpgsql volatile as $$ begin raise exception 'made' using errcode = state; end $$`

type Statement = (thing: Thing) => ReturnType<typeof sql>

interface Statements {
  readonly read?: Statement
  readonly write?: Statement
}

const INSERT: Statement = ({ id, name }) => sql`insert into things values (${id}, ${name}) returning id, name`
const SELECT: Statement = ({ id, name }) => sql`select ${id}::text as id, ${name}::text as name`

interface Spoiled {
  readonly proxy: CommitProxy
  readonly admin: pg.Client
}

/** A database of its own on that server, behind a proxy; `begin` spoils it once the application runs. */
function over(server: string, statements: Statements, begin: (spoiled: Spoiled) => void | Promise<void> = () => {}): FaultRow["open"] {
  return async () => {
    const database = await newDatabase(server)
    const admin = new pg.Client({ connectionString: database.url })
    await admin.connect()
    await admin.query(TABLES)
    const { hostname, port } = new URL(database.url)
    const proxy = await commitProxy({ host: hostname, port: Number(port) })
    const address = new URL(database.url)
    address.hostname = "127.0.0.1"
    address.port = String(proxy.port)
    let kept = 0
    return {
      declare(policy: Policy): Calls {
        values.set("FAULTY_URL", address.href)
        const db = postgres({ url: secret("FAULTY_URL"), name: "faulty", policy, pool: 2 })
        return { read: db.one(statements.read ?? SELECT), write: db.one(statements.write ?? INSERT) }
      },
      begin: () => begin({ proxy, admin }),
      arrived: () => kept,
      count: async () => {
        kept = Number((await admin.query("select count(*) as n from things")).rows[0].n)
      },
      mend: () => {
        proxy.losesCommits = false
      },
      async [Symbol.asyncDispose]() {
        await proxy[Symbol.asyncDispose]()
        await admin.end()
        await database.drop()
      },
    } satisfies FaultyServer
  }
}

const ROLLED_BACK = { outcome: "refused", code: "UNAVAILABLE", arrives: false } as const
const MISTAKE = { outcome: "refused", code: "INTERNAL", isTransient: false, arrives: false, feedsBreaker: false } as const

/** Writes, and then fails in the same transaction. */
const failing = (state: string): Statements => ({
  read: () => sql`select fails(${state}) as id, 'Ada' as name`,
  write: ({ id }) => sql`with kept as (insert into things values (${id}, 'Ada') returning id) select id, fails(${state}) as name from kept`,
})
/** The server ends the connection within the statement. */
const ending: Statements = {
  read: () => sql`select pg_terminate_backend(pg_backend_pid())::text as id, 'Ada' as name`,
  write: ({ id }) =>
    sql`with kept as (insert into things values (${id}, 'Ada') returning id) select id, pg_terminate_backend(pg_backend_pid())::text as name from kept`,
}

export function postgresFaults(server: string): readonly FaultRow[] {
  return [
    ...["40001", "40P01"].map((state) => ({
      ...ROLLED_BACK,
      rule: "refused: SQL 40001 and 40P01 (the whole transaction)",
      fault: state,
      feedsBreaker: false,
      open: over(server, failing(state)),
    })),
    {
      ...ROLLED_BACK,
      rule: "refused: the whole transaction, rolled back by the end of its connection before COMMIT",
      fault: "the server ends the connection",
      feedsBreaker: true,
      open: over(server, ending),
    },
    {
      rule: "unknown: a lost COMMIT",
      fault: "the connection ends with its answer",
      outcome: "unknown",
      code: "UNAVAILABLE",
      feedsBreaker: true,
      kinds: ["write"],
      open: over(server, {}, ({ proxy }) => {
        proxy.losesCommits = true
      }),
    },
    {
      ...ROLLED_BACK,
      rule: "refused: failure before the first request byte left",
      fault: "nobody listens",
      feedsBreaker: true,
      open: over(server, {}, ({ proxy }) => proxy[Symbol.asyncDispose]()),
    },
    {
      ...MISTAKE,
      rule: "refused, where the transaction is rolled back: output of a write that does not fit the contract",
      fault: "a row that does not fit the contract",
      open: over(server, {
        read: () => sql`select 7 as id`,
        write: ({ id }) => sql`insert into things values (${id}, ${id}) returning 7 as id`,
      }),
    },
    {
      ...MISTAKE,
      rule: "refused: failure before the first request byte left",
      fault: "a table that is not there",
      open: over(server, { read: () => sql`select * from nowhere`, write: () => sql`insert into nowhere values (1) returning *` }),
    },
    {
      rule: "answered: every other reply",
      fault: "a rule of the table",
      outcome: "answered",
      code: "CONFLICT",
      arrives: false,
      feedsBreaker: false,
      kinds: ["write"],
      open: over(server, { write: ({ id }) => sql`insert into unlike values (${id}) returning id, 'Ada' as name` }),
    },
    {
      rule: "answered: every other reply",
      fault: "no row",
      outcome: "answered",
      code: "NOT_FOUND",
      arrives: false,
      feedsBreaker: false,
      kinds: ["read"],
      open: over(server, { read: () => sql`select '1' as id, 'Ada' as name where false` }),
    },
  ]
}

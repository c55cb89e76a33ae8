// Nobody gets at another's rows, or at the database behind them, through anything that a caller may send to a resource.
import fc from "fast-check"
import { afterAll, describe, expect, test } from "vitest"
import { z } from "zod"
import {
  crud,
  nothing,
  op,
  type Principal,
  postgres,
  type Sql,
  type SqlText,
  secret,
  signedIn,
  sql,
  sqlite,
  trestle,
} from "../../src/index.ts"
import { testApp } from "../../src/testing/index.ts"
import { begun } from "../integration/sql/kit.ts"
import { findPostgres, newDatabase } from "../servers/postgres.ts"

const Row = z.object({ id: z.string(), owner: z.string(), tenant: z.string().nullable(), text: z.string(), rank: z.number().int() })
const Given = Row.partial({ id: true, owner: true, tenant: true })
const TABLE = "create table rows (id text primary key, owner text not null, tenant text, text text not null, rank integer not null)"
const migrations = [{ name: "0001-rows", sql: TABLE }]

function opsOf(db: Sql, namesOfTables: SqlText) {
  const rows = crud({
    http: "/rows",
    table: db.table("rows", Row),
    id: "id",
    // As much as a careless author may let through: the columns of the scope themselves.
    create: Given,
    update: Given.omit({ id: true }).partial(),
    allow: { read: signedIn(), write: signedIn() },
    scope: (who) => ({ owner: who.id, tenant: who.tenant ?? null }),
    filter: ["owner", "tenant", "text", "rank"],
    sort: ["text", "rank", "owner"],
  })
  const all = op({ effect: "read", input: nothing, output: z.array(Row) }).via(db.many(() => sql`select * from rows order by id`))
  const tables = op({ effect: "read", input: nothing, output: z.array(z.string()) }).via(
    db.many(() => namesOfTables, { row: (row) => row.name }),
  )
  return { rows, all, tables }
}

async function inSqlite() {
  const db = sqlite({ file: ":memory:", migrations })
  return testApp(trestle({ name: "rows", ops: opsOf(db, sql`select name from sqlite_schema where type = 'table' order by name`) }))
}

const server = await findPostgres()

async function inPostgres() {
  const database = await newDatabase(server!)
  afterAll(() => database.drop())
  const db = postgres({ url: secret("ROWS_URL"), migrations, migrate: "on start" })
  const names = sql`select tablename as name from pg_tables where schemaname = 'public' order by name`
  const { running } = await begun(opsOf(db, names), { values: { ROWS_URL: database.url } })
  return { as: running.as.bind(running), internal: running.internal.bind(running), [Symbol.asyncDispose]: () => running.close() }
}

const WORLDS = [
  { name: "SQLite", world: inSqlite, numRuns: 300 },
  ...(server === null ? [] : [{ name: "PostgreSQL", world: inPostgres, numRuns: 100 }]),
]

const eve: Principal = { id: "eve", kind: "user" }
const victims: readonly Principal[] = [
  { id: "ada", kind: "user" },
  { id: "eve", kind: "user", tenant: "other" },
  { id: "eve' or '1'='1", kind: "user" },
]

const evil = fc.constantFrom(
  "ada",
  "eve",
  "other",
  "' or 1=1 --",
  '"; drop table rows; --',
  "1",
  "%",
  "null",
  "",
  "%27",
  "*",
  "a0",
  "a1",
  "e0",
)
const anything = fc.oneof(
  evil,
  fc.string({ maxLength: 12 }),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
  fc.array(evil, { maxLength: 2 }),
  fc.object({ maxDepth: 1 }),
)
const field = fc.oneof(
  fc.constantFrom("id", "owner", "tenant", "text", "rank", "limit", "after", "sort", "1=1", "owner'", "__proto__", "constructor", "or"),
  fc.string({ maxLength: 6 }),
)
const nonsense = fc.array(fc.tuple(field, anything), { maxLength: 5 }).map((entries) => Object.fromEntries(entries))

/** Well-formed, so that it comes as far as the database. */
const id = fc.constantFrom("a00", "a01", "a10", "a11", "a20", "a21", "e0", "e1")
const columns = {
  owner: fc.constantFrom("ada", "eve", victims[2]!.id),
  tenant: fc.constantFrom(null, "other"),
  text: evil,
  rank: fc.integer({ min: 0, max: 2 }),
}
const maybe = <T extends object>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }) => fc.record(fields, { requiredKeys: [] })
const order = fc.constantFrom("text", "-text", "rank", "-owner")
const WELL_FORMED: Record<string, fc.Arbitrary<object>> = {
  list: maybe({ ...columns, limit: fc.integer({ min: 1, max: 3 }), sort: order, after: fc.constant("stolen") }),
  get: fc.record({ id }),
  create: fc.record({ ...columns, id }, { requiredKeys: ["text", "rank"] }),
  update: fc.record({ ...columns, id }, { requiredKeys: ["id"] }),
  remove: fc.record({ id }),
}
const action = fc
  .constantFrom(...Object.keys(WELL_FORMED))
  .chain((name) =>
    fc.tuple(
      fc.constant(name),
      fc.oneof({ arbitrary: WELL_FORMED[name]!, weight: 3 }, nonsense),
      fc.option(evil, { nil: undefined, freq: 1 }),
    ),
  )

describe.each(WORLDS)("$name", ({ world, numRuns }) => {
  test("whatever is sent to a resource: rows of others are neither shown, nor changed, nor made", async () => {
    await using t = await world()
    for (const [i, victim] of victims.entries())
      for (const n of [0, 1]) await t.as(victim).rows.create({ id: `a${i}${n}`, text: `secret ${i}${n}`, rank: n })
    const before = (await t.internal().all()).filter(({ id }) => id.startsWith("a"))
    const own = await t.as(eve).rows.create({ id: "e0", text: "mine", rank: 0 })
    const cursor = (await t.as(victims[0]!).rows.list({ limit: 1 })).next!
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 6 }), async (actions) => {
        for (const [name, given, ifMatch] of actions) {
          const asked = (given as any).after === "stolen" ? { ...given, after: cursor } : given
          const answer = await (t.as(eve).rows as any)[name].safe(asked, ifMatch === undefined ? {} : { ifMatch })
          expect(JSON.stringify(answer)).not.toContain("secret")
          if (!answer.ok) expect(["INVALID", "NOT_FOUND", "CONFLICT", "PRECONDITION_FAILED"]).toContain(answer.code)
          for (const row of answer.value?.items ?? (answer.value?.id ? [answer.value] : []))
            expect([row.owner, row.tenant]).toEqual(["eve", null])
        }
        const rows = await t.internal().all()
        expect(rows.filter(({ owner, tenant }) => owner !== "eve" || tenant !== null)).toEqual(before)
      }),
      { numRuns },
    )
    expect(await t.internal().tables()).toEqual(["rows", "trestle_migrations"])
    expect(own.owner).toBe("eve")
  })

  test("a cursor of somebody else: shows only one's own rows", async () => {
    await using t = await world()
    for (const who of [victims[0]!, eve])
      for (const n of [0, 1, 2]) await t.as(who).rows.create({ id: `${who.id}${n}`, text: who.id, rank: n })
    const { next } = await t.as(victims[0]!).rows.list({ limit: 1 })
    const { items } = await t.as(eve).rows.list({ after: next! })
    expect(items.map(({ id }) => id)).toEqual(["eve0", "eve1", "eve2"])
  })
})

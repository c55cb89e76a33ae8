import { describe, expect, onTestFinished, test } from "vitest"
import { z } from "zod"
import { systemClock } from "../../../src/base/clock.ts"
import { hasMigrations, type Migrator } from "../../../src/contract/sql-session.ts"
import { type Migration, nothing, op, postgres, secret, sql, trestle } from "../../../src/index.ts"
import { testApp } from "../../../src/testing/index.ts"
import { standInReferences } from "../../../src/testing/stand-ins.ts"
import { begun } from "../sql/kit.ts"
import { newSchema, otherClient, server, tell, worldOf } from "./kit.ts"

const one: Migration = { name: "0001-one", sql: "create table one (n integer primary key); insert into one values (1)" }
const two: Migration = { name: "0002-two", sql: "create table two (n integer references one (n))" }

async function migratorOf(url: string, migrations: readonly Migration[]): Promise<Migrator> {
  const service = postgres({ url: secret("NOTES_DB"), migrations })["~service"]
  if (!hasMigrations(service)) throw new TypeError("no migrations")
  const migrator = await service.openMigrator({ references: standInReferences({ NOTES_DB: url }), clock: systemClock })
  onTestFinished(() => migrator.close())
  return migrator
}

const apply = async (url: string, migrations: readonly Migration[]) => (await migratorOf(url, migrations)).apply()
const states = async (url: string, migrations: readonly Migration[]) =>
  (await (await migratorOf(url, migrations)).states()).map(({ name, state }) => `${name} ${state}`)

describe.skipIf(server === null)("migrations", () => {
  test("each once, in the order of their numbers; looking makes nothing", async () => {
    const url = await newSchema()
    expect(await states(url, [one, two])).toEqual(["0001-one pending", "0002-two pending"])
    expect(await tell(url, "select tablename from pg_tables where schemaname = current_schema()")).toEqual([])
    expect(await apply(url, [two, one])).toEqual(["0001-one", "0002-two"])
    expect(await apply(url, [one, two])).toEqual([])
    expect(await states(url, [one, two])).toEqual(["0001-one applied", "0002-two applied"])
  })

  test("one that fails: nothing of it is kept, those before it stay", async () => {
    const url = await newSchema()
    const bad = { name: "0002-bad", sql: "create table half (n integer); insert into nowhere values (1)" }
    await expect(apply(url, [one, bad])).rejects.toMatchObject({ code: "START_REFUSED", findings: [{ code: "TRS1022" }] })
    expect(await states(url, [one, bad])).toEqual(["0001-one applied", "0002-bad pending"])
    expect(await tell(url, "select to_regclass('half') as it")).toEqual([{ it: null }])
  })

  test("several processes at once: each is applied once", async () => {
    const url = await newSchema()
    const applied = await Promise.all(Array.from({ length: 5 }, () => apply(url, [one, two])))
    expect(applied.flat().sort()).toEqual(["0001-one", "0002-two"])
    expect(await tell(url, "select count(*)::int as n from one")).toEqual([{ n: 1 }])
  })

  test("another process that is at it: is waited for", async () => {
    const url = await newSchema()
    const other = await otherClient(url)
    await other.query("begin; select pg_advisory_xact_lock(32776877352709221)")
    const applying = apply(url, [one])
    await other.query("commit")
    expect(await applying).toEqual(["0001-one"])
  })

  test.each([
    ["a function with a body of its own", "create function f() returns integer language plpgsql as $$ begin return 1; end $$"],
    ["a trigger, with a tag", "create function t() returns trigger language plpgsql as $body$ begin new.n := 2; return new; end; $body$"],
    ["a function of standard SQL", "create function g() returns integer language sql begin atomic select 1; end"],
  ])("%s: its BEGIN and END are no transaction", async (_what, text) => {
    expect(await apply(await newSchema(), [{ name: "0001-f", sql: text }])).toEqual(["0001-f"])
  })

  test.each([["commit; create table x (n integer)"], ["create table x (n integer); rollback"], ["/* x */ END"]])(
    "%j in it: refused before anything runs",
    async (text) => {
      const url = await newSchema()
      await expect(apply(url, [{ name: "0001-own", sql: text }])).rejects.toMatchObject({ findings: [{ code: "TRS1021" }] })
    },
  )

  test("what was applied and is changed: refused by name", async () => {
    const url = await newSchema()
    await apply(url, [one])
    const changed = { ...one, sql: `${one.sql} -- a remark` }
    await expect(apply(url, [changed, two])).rejects.toMatchObject({ findings: [{ code: "TRS1021" }] })
  })
})

describe.skipIf(server === null)("a start", () => {
  const count = (db: ReturnType<typeof postgres>) => ({
    count: op({ effect: "read", input: nothing, output: z.number() }).via(
      db.one(() => sql`select count(*) as n from one`, { row: (row) => row.n }),
    ),
  })

  test("without its migrations: refused, and says what to type", async () => {
    const starting = worldOf(count, { migrations: [one], migrate: "by command" })
    await expect(starting).rejects.toMatchObject({ findings: [{ code: "TRS1020", fix: "trestle db migrate" }] })
  })

  test("with migrations, and without a server: refused, without the password", async () => {
    const address = "postgres://trestle:pass-9f2c@127.0.0.1:1/notes"
    const error = await worldOf(count, { address, migrations: [one] }).catch((thrown) => thrown)
    expect(error).toMatchObject({ code: "START_REFUSED", findings: [{ code: "TRS1014" }] })
    expect(JSON.stringify(error.findings)).toContain("ECONNREFUSED")
    expect(JSON.stringify(error.findings) + error.stack).not.toContain("pass-9f2c")
  })

  test("without migrations, and without a server: starts, and its calls are refused", async () => {
    const db = postgres({ url: secret("NOTES_DB"), policy: { retry: 0 } })
    const values = { NOTES_DB: "postgres://trestle@127.0.0.1:1/notes" }
    const { ask } = await begun(count(db), { values })
    expect(await ask.count.safe()).toMatchObject({ code: "UNAVAILABLE", outcome: "refused" })
  })

  test("of a test application: what is not replaced fails by name, and no fallback hides it", async () => {
    const db = postgres({ url: secret("NOTES_DB"), migrations: [one] })
    const ops = count(db)
    await using t = await testApp(trestle({ name: "x", ops }))
    expect(await t.internal().count.safe()).toMatchObject({ code: "INTERNAL" })
    expect(t.calls().at(-1)!.error!.note).toContain("t.backend(operation).replies")
    t.backend(ops.count).replies(7)
    expect(await t.internal().count()).toBe(7)
  })
})

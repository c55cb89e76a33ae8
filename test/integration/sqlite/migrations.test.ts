import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { describe, expect, onTestFinished, test } from "vitest"
import { z } from "zod"
import { systemClock } from "../../../src/base/clock.ts"
import { hasMigrations, type Migrator } from "../../../src/contract/sql-session.ts"
import { type Migration, nothing, op, type SqliteOptions, sql, sqlite, trestle } from "../../../src/index.ts"
import { standInReferences } from "../../../src/testing/stand-ins.ts"
import { testApp } from "../../../src/testing/test-app.ts"
import { begun, newFile, otherProcess } from "./kit.ts"

const one: Migration = { name: "0001-one", sql: "create table one (n integer primary key);" }
const two: Migration = { name: "0002-two", sql: "create table two (n integer references one (n)); insert into one values (1);" }
const three: Migration = { name: "0010-three", sql: "alter table two add column m text;" }

async function migratorOf(file: string, migrations: SqliteOptions["migrations"]): Promise<Migrator> {
  const service = sqlite({ file, migrations: migrations! })["~service"]
  if (!hasMigrations(service)) throw new TypeError("no migrations")
  const migrator = await service.openMigrator({ references: standInReferences(), clock: systemClock })
  onTestFinished(() => migrator.close())
  return migrator
}

async function apply(file: string, migrations: readonly Migration[]): Promise<readonly string[]> {
  return (await migratorOf(file, migrations)).apply()
}

async function states(file: string, migrations: readonly Migration[]): Promise<string[]> {
  return (await (await migratorOf(file, migrations)).states()).map(({ name, state }) => `${name} ${state}`)
}

/** An application that reads `one`. */
function start(file: string, options: Partial<SqliteOptions>) {
  const db = sqlite({ file, ...options })
  const count = op({ effect: "read", input: nothing, output: z.number() }).via(
    db.one(() => sql`select count(*) as n from one`, { row: (row) => row.n }),
  )
  return begun({ count })
}

describe("applying", () => {
  test("in the order of their numbers, each once", async () => {
    const file = newFile()
    expect(await apply(file, [three, one, two])).toEqual(["0001-one", "0002-two", "0010-three"])
    expect(await apply(file, [three, one, two])).toEqual([])
  })

  test("what is new, later", async () => {
    const file = newFile()
    await apply(file, [one])
    expect(await states(file, [one, two])).toEqual(["0001-one applied", "0002-two pending"])
    expect(await apply(file, [one, two])).toEqual(["0002-two"])
  })

  test("looking: makes no file", async () => {
    const file = newFile()
    expect(await states(file, [one])).toEqual(["0001-one pending"])
    expect(existsSync(file)).toBe(false)
  })

  test("one that fails: nothing of it is kept, those before it stay", async () => {
    const file = newFile()
    const bad = { name: "0002-bad", sql: "create table half (n integer); insert into nowhere values (1);" }
    await expect(apply(file, [one, bad, three])).rejects.toMatchObject({
      code: "START_REFUSED",
      findings: [{ code: "TRS1022" }],
      detail: expect.stringContaining("0002-bad"),
    })
    expect(await states(file, [one, bad])).toEqual(["0001-one applied", "0002-bad pending"])
    expect(await apply(file, [one, { name: "0002-bad", sql: "create table half (n integer);" }])).toEqual(["0002-bad"])
  })

  test("a table can be rebuilt though others refer to it", async () => {
    const file = newFile()
    const rebuild = {
      name: "0003-rebuild",
      sql: "create table new_one (n integer primary key, s text); insert into new_one (n) select n from one; drop table one; alter table new_one rename to one;",
    }
    await apply(file, [one, two])
    expect(await apply(file, [one, two, rebuild])).toEqual(["0003-rebuild"])
  })

  test("rows that would refer to nothing: refused", async () => {
    const file = newFile()
    const orphan = { name: "0003-orphan", sql: "insert into two values (77);" }
    await expect(apply(file, [one, two, orphan])).rejects.toThrow(/rows of two refer to rows of one that are not there/)
    expect(await states(file, [one, two, orphan])).toEqual(["0001-one applied", "0002-two applied", "0003-orphan pending"])
  })

  test("a trigger: its BEGIN is no transaction", async () => {
    const trigger = {
      name: "0003-trigger",
      sql: "create trigger t after insert on one begin insert into two values (case when 1 then new.n end); end; -- commit;",
    }
    expect(await apply(newFile(), [one, two, trigger])).toHaveLength(3)
  })

  test.each([
    ["commit; drop table one"],
    ["BEGIN; create table x (n)"],
    ["/* x */ rollback"],
    ["create table x (n); vacuum"],
    ["attach 'x' as y"],
    ["create table x (n); end"],
    ["create trigger t after insert on one begin select case when 1 then 2 end; end; END; drop table one"],
  ])("%j in it: refused before anything runs", async (text) => {
    const file = newFile()
    await expect(apply(file, [one, { name: "0002-own", sql: text }])).rejects.toMatchObject({ findings: [{ code: "TRS1021" }] })
    expect(existsSync(file)).toBe(false)
  })
})

describe("what was applied", () => {
  test("and is changed: refused by name", async () => {
    const file = newFile()
    await apply(file, [one, two])
    const changed = { ...one, sql: `${one.sql} -- a remark` }
    expect(await states(file, [changed, two])).toEqual(["0001-one changed", "0002-two applied"])
    await expect(apply(file, [changed, two, three])).rejects.toMatchObject({
      findings: [{ code: "TRS1021" }],
      detail: expect.stringContaining("0001-one has been changed"),
    })
  })

  test("and is renamed: changed", async () => {
    const file = newFile()
    await apply(file, [one])
    expect(await states(file, [{ ...one, name: "0001-uno" }])).toEqual(["0001-uno changed"])
  })

  test("and is gone: refused by name", async () => {
    const file = newFile()
    await apply(file, [one, two])
    expect(await states(file, [one])).toEqual(["0001-one applied", "0002-two missing"])
    await expect(apply(file, [one, three])).rejects.toThrow(/0002-two was applied and is gone/)
  })

  test("after one that comes now: refused by name", async () => {
    const file = newFile()
    await apply(
      file,
      [one, three].map((migration) => ({ ...migration, sql: "select 1" })),
    )
    const late = [one, two, three].map((migration) => ({ ...migration, sql: "select 1" }))
    expect(await states(file, late)).toEqual(["0001-one applied", "0002-two late", "0010-three applied"])
    await expect(apply(file, late)).rejects.toThrow(/0002-two comes before one that was applied already/)
  })

  test("with other line ends: the same", async () => {
    const file = newFile()
    await apply(file, [{ ...one, sql: "create table one (\n n integer\n);\n" }])
    expect(await states(file, [{ ...one, sql: "create table one (\r\n n integer\r\n);\r\n" }])).toEqual(["0001-one applied"])
  })
})

describe("a folder", () => {
  function folder(files: Record<string, string>): string {
    const path = mkdtempSync(join(tmpdir(), "trestle-migrations-"))
    onTestFinished(() => rmSync(path, { recursive: true }))
    for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text)
    return path
  }

  test("its .sql files, by path or URL; others are left alone", async () => {
    const path = folder({ "0002-b.sql": "select 1", "0001-a.sql": "select 1", "README.md": "notes" })
    expect(await (await migratorOf(newFile(), path)).apply()).toEqual(["0001-a", "0002-b"])
    expect(await (await migratorOf(newFile(), pathToFileURL(`${path}/`))).apply()).toEqual(["0001-a", "0002-b"])
  })

  test.each([
    [{ "a.sql": "" }, "no number"],
    [{ "0-a.sql": "" }, "no number"],
    [{ "0001.sql": "" }, "no number"],
    [{ "01-a.sql": "select 1", "0001-b.sql": "select 1" }, "the same number"],
    [{ "0001-a.sql": "-- to do;\n" }, "0001-a: it holds no statement"],
  ])("%j: refused", async (files, said) => {
    await expect(migratorOf(newFile(), folder(files))).rejects.toThrow(said)
  })

  test("with one that cannot be read: refused, with its path", async () => {
    const path = folder({})
    mkdirSync(join(path, "0001-a.sql"))
    await expect(migratorOf(newFile(), path)).rejects.toThrow(/0001-a\.sql cannot be read \(EISDIR\)/)
  })

  test("that is not there: refused, with its path", async () => {
    await expect(migratorOf(newFile(), "/no/such/folder")).rejects.toThrow(/\/no\/such\/folder cannot be read \(ENOENT\)/)
  })
})

describe("a start", () => {
  test("without its migrations: refused, and says what to type", async () => {
    await expect(start(newFile(), { migrations: [one] })).rejects.toMatchObject({
      code: "START_REFUSED",
      findings: [{ code: "TRS1020", fix: "trestle db migrate", message: expect.stringContaining("0001-one") }],
    })
  })

  test("with all of them: starts", async () => {
    const file = newFile()
    await apply(file, [one])
    expect(await (await start(file, { migrations: [one] })).ask.count()).toBe(0)
  })

  test("with one that was changed: refused", async () => {
    const file = newFile()
    await apply(file, [one])
    await expect(start(file, { migrations: [{ ...one, sql: "select 1" }, two] })).rejects.toMatchObject({ findings: [{ code: "TRS1021" }] })
  })

  test('migrate: "on start": applies them', async () => {
    expect(await (await start(newFile(), { migrations: [one, two], migrate: "on start" })).ask.count()).toBe(1)
  })

  test("in memory: applies them", async () => {
    expect(await (await start(":memory:", { migrations: [one, two] })).ask.count()).toBe(1)
  })

  test("of a test application: in memory, whatever file is declared", async () => {
    const file = newFile()
    const db = sqlite({ file, migrations: [one, two] })
    const count = op({ effect: "read", input: nothing, output: z.number() }).via(
      db.one(() => sql`select count(*) as n from one`, { row: (row) => row.n }),
    )
    await using t = await testApp(trestle({ name: "x", ops: { count } }))
    expect(await t.internal().count()).toBe(1)
    expect(existsSync(file)).toBe(false)
  })
})

test("another process that holds the lock: is waited for", async () => {
  const file = newFile()
  await apply(file, [one])
  const other = otherProcess(file)
  await other.exec("begin immediate")
  const applying = apply(file, [one, two])
  await other.exec("commit")
  expect(await applying).toEqual(["0002-two"])
})

test("what is no database: refused, with the file's name", async () => {
  const file = newFile()
  mkdirSync(join(file, ".."), { recursive: true })
  writeFileSync(file, "this is no database, and long enough to be looked at as one; ".repeat(20))
  await expect(apply(file, [one])).rejects.toThrow(/notes\.db, cannot be opened: file is not a database/)
})

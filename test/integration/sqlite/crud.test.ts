import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { z } from "zod"
import {
  anyone,
  type CrudOptions,
  crud,
  nothing,
  op,
  type Principal,
  role,
  type Sql,
  signedIn,
  sql,
  sqlite,
  trestle,
} from "../../../src/index.ts"
import { type TestApp, testApp } from "../../../src/testing/index.ts"

const TABLES = [
  {
    name: "0001-tasks",
    sql: `create table tasks (
      id text primary key, title text not null, points integer not null default 1, done integer not null default 0,
      tags text not null default '[]', note text, owner_id text not null, version integer not null default 1, unique (owner_id, title)
    ) strict;
    create table colours (number integer primary key, name text not null collate nocase) strict;`,
  },
]

const Task = z.object({
  id: z.string(),
  title: z.string(),
  points: z.number().int(),
  done: z.boolean(),
  tags: z.array(z.string()),
  note: z.string().nullable(),
  ownerId: z.string(),
  version: z.number().int(),
})
const NewTask = z.object({
  title: z.string().min(1),
  points: z.number().int().default(1),
  done: z.boolean().default(false),
  tags: z.array(z.string()).default([]),
  note: z.string().nullable().optional(),
})
const Colour = z.object({ number: z.number().int(), name: z.string() })

const ada: Principal = { id: "ada", kind: "user" }
const bob: Principal = { id: "bob", kind: "user" }

function appOf() {
  const db = sqlite({ file: ":memory:", migrations: TABLES })
  const table = db.table("tasks", Task, { columns: { ownerId: "owner_id" } })
  const tasks = crud({
    http: "/tasks",
    table,
    id: "id",
    create: NewTask,
    update: NewTask.partial(),
    allow: { read: signedIn(), write: signedIn() },
    scope: (who) => ({ ownerId: who.id }),
    filter: ["done", "points", "note"],
    sort: ["points", "title"],
    version: "version",
    pageMax: 500,
  })
  const colours = crud({
    http: "/colours",
    table: db.table("colours", Colour),
    id: "number",
    create: Colour.partial({ number: true }),
    update: Colour.omit({ number: true }),
    allow: { read: anyone("colours are nobody's"), write: role("painter") },
    anyObject: "colours are nobody's",
    sort: ["name"],
  })
  const raw = op({ effect: "read", input: nothing, output: z.array(z.record(z.string(), z.unknown())) }).via(
    db.many(() => sql`select * from tasks order by rowid`),
  )
  return trestle({ name: "tasks", ops: { tasks, colours, raw } })
}

type Ops = ReturnType<typeof appOf>["ops"]
const opened = async (): Promise<TestApp<Ops>> => testApp(appOf())

describe("five operations", () => {
  test("no finding", () => expect(appOf().check()).toEqual([]))

  test("create, get, update, remove: each sees what the one before has done", async () => {
    await using t = await opened()
    const { tasks } = t.as(ada)
    const made = await tasks.create({ title: "write", tags: ["a", "b"] })
    expect(made).toEqual({ id: made.id, title: "write", points: 1, done: false, tags: ["a", "b"], note: null, ownerId: "ada", version: 1 })
    expect(await tasks.get({ id: made.id })).toEqual(made)
    expect(await tasks.update({ id: made.id, done: true })).toEqual({ ...made, done: true, version: 2 })
    expect(await tasks.remove({ id: made.id })).toBeUndefined()
    expect(await tasks.get.safe({ id: made.id })).toMatchObject({ code: "NOT_FOUND" })
    expect(await tasks.remove.safe({ id: made.id })).toMatchObject({ code: "NOT_FOUND" })
    expect(await tasks.update.safe({ id: made.id, done: true })).toMatchObject({ code: "NOT_FOUND" })
  })

  test("a key of text that was not given: a UUID of version 7", async () => {
    await using t = await opened()
    const { id } = await t.as(ada).tasks.create({ title: "a" })
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(Number.parseInt(id.replace("-", "").slice(0, 12), 16)).toBe(t.clock.epoch())
  })

  test("a key that is a number: from the database, or as given", async () => {
    await using t = await opened()
    const { colours } = t.as({ id: "p", kind: "user", roles: ["painter"] })
    expect(await colours.create({ name: "red" })).toEqual({ number: 1, name: "red" })
    expect(await colours.create({ number: 7, name: "blue" })).toEqual({ number: 7, name: "blue" })
    expect(await colours.create.safe({ number: 7, name: "green" })).toMatchObject({ code: "CONFLICT", outcome: "answered" })
  })

  test("what is unique, twice: CONFLICT, on create and on update", async () => {
    await using t = await opened()
    const { tasks } = t.as(ada)
    await tasks.create({ title: "a" })
    const { id } = await tasks.create({ title: "b" })
    expect(await tasks.create.safe({ title: "a" })).toMatchObject({ code: "CONFLICT" })
    expect(await tasks.update.safe({ id, title: "a" })).toMatchObject({ code: "CONFLICT" })
  })

  test("update: a field that was not sent keeps its value, whatever default its schema has", async () => {
    await using t = await opened()
    const { tasks } = t.as(ada)
    const { id } = await tasks.create({ title: "a", points: 5, tags: ["x"], note: "n" })
    expect(await tasks.update({ id, title: "b" })).toMatchObject({ points: 5, tags: ["x"], note: "n" })
    expect(await tasks.update({ id, note: null })).toMatchObject({ note: null, title: "b" })
  })

  test("update of nothing: the row as it is, of the same version", async () => {
    await using t = await opened()
    const { tasks } = t.as(ada)
    const made = await tasks.create({ title: "a" })
    expect(await tasks.update({ id: made.id })).toEqual(made)
  })

  test("only: the others are not there", () => {
    const db = sqlite({ file: ":memory:" })
    const some = crud({ ...colourOptions(db), only: ["list", "get"] })
    expect(Object.keys(some)).toEqual(["list", "get"])
  })

  test("an undeclared field: INVALID", async () => {
    await using t = await opened()
    const { tasks } = t.as(ada)
    for (const field of ["ownerId", "version", "id", "owner_id", "constructor"])
      expect(await tasks.create.safe({ title: "a", [field]: "x" } as never), field).toMatchObject({ code: "INVALID" })
    const { id } = await tasks.create({ title: "a" })
    for (const field of ["ownerId", "version"])
      expect(await tasks.update.safe({ id, [field]: "x" } as never), field).toMatchObject({ code: "INVALID", issues: [{ path: field }] })
  })
})

describe("scope", () => {
  test("somebody else's row: not found, whatever is done with it, and it stays as it is", async () => {
    await using t = await opened()
    const made = await t.as(ada).tasks.create({ title: "a" })
    const { tasks } = t.as(bob)
    for (const asked of [tasks.get, tasks.remove, (input: any) => tasks.update({ ...input, title: "mine now" })] as any[])
      await expect(asked({ id: made.id })).rejects.toMatchObject({ code: "NOT_FOUND" })
    expect(await tasks.list({})).toEqual({ items: [], next: null })
    expect(await t.as(ada).tasks.get({ id: made.id })).toEqual(made)
  })

  test("without a caller: UNAUTHENTICATED, through internal() too", async () => {
    await using t = await opened()
    expect((await t.http("GET /tasks")).status).toBe(401)
    expect(await t.internal().tasks.list.safe({})).toMatchObject({ code: "UNAUTHENTICATED" })
  })

  test("that gives undefined: an error, never everybody's rows", async () => {
    const db = sqlite({ file: ":memory:", migrations: TABLES })
    const tasks = crud({ ...taskOptions(db), scope: (who) => ({ ownerId: who.tenant as string }) })
    await using t = await testApp(trestle({ name: "x", ops: { tasks } }))
    expect(await t.as(ada).tasks.list.safe({})).toMatchObject({ code: "INTERNAL", outcome: "refused" })
    expect(await t.as(ada).tasks.create.safe({ title: "a" })).toMatchObject({ code: "INTERNAL", outcome: "refused" })
  })

  test.each([
    ["a promise", async () => ({ ownerId: "ada" })],
    ["a list", () => []],
    ["a Map", () => new Map([["ownerId", "ada"]])],
    ["nothing", () => undefined],
  ])("that gives %s: an error, never everybody's rows", async (_, scope) => {
    const db = sqlite({ file: ":memory:", migrations: TABLES })
    const tasks = crud({ ...taskOptions(db), scope: scope as never })
    await using t = await testApp(trestle({ name: "x", ops: { tasks } }))
    expect(await t.as(ada).tasks.list.safe({})).toMatchObject({ code: "INTERNAL", outcome: "refused" })
  })

  test("that names what is no column: an error", async () => {
    const db = sqlite({ file: ":memory:", migrations: TABLES })
    const tasks = crud({ ...taskOptions(db), scope: () => ({ "1=1; --": 1 }) as never })
    await using t = await testApp(trestle({ name: "x", ops: { tasks } }))
    expect(await t.as(ada).tasks.list.safe({})).toMatchObject({ code: "INTERNAL", outcome: "refused" })
  })

  test("a column of the scope in create: its own value passes, another is INVALID", async () => {
    const db = sqlite({ file: ":memory:", migrations: TABLES })
    const tasks = crud({ ...taskOptions(db), create: NewTask.extend({ ownerId: z.string() }), update: z.object({ ownerId: z.string() }) })
    await using t = await testApp(trestle({ name: "x", ops: { tasks } }))
    const { id } = await t.as(ada).tasks.create({ title: "a", ownerId: "ada" })
    const refused = { code: "INVALID", issues: [{ path: "ownerId", message: "is decided by who calls" }] }
    expect(await t.as(ada).tasks.create.safe({ title: "b", ownerId: "bob" })).toMatchObject(refused)
    expect(await t.as(ada).tasks.update.safe({ id, ownerId: "bob" })).toMatchObject(refused)
    expect(await t.as(bob).tasks.list({})).toEqual({ items: [], next: null })
  })

  test("neither scope nor anyObject: the finding about ownership", () => {
    const db = sqlite({ file: ":memory:" })
    const { anyObject: _, ...options } = colourOptions(db)
    expect(
      trestle({ name: "x", ops: crud(options) })
        .check()
        .map(({ code }) => code),
    ).toEqual(["TRS1005", "TRS1005", "TRS1005"])
  })
})

describe("lists", () => {
  async function filled(t: TestApp<Ops>, count = 10): Promise<void> {
    for (let i = 0; i < count; i++)
      await t.as(ada).tasks.create({ title: `t${i}`, points: i % 3, done: i % 2 === 0, note: i === 4 ? "four" : null })
  }

  test("without anything: 50 rows, in the order of the key", async () => {
    await using t = await opened()
    await filled(t, 60)
    const { items, next } = await t.as(ada).tasks.list({})
    expect(items).toHaveLength(50)
    expect(items.map(({ id }) => id)).toEqual(items.map(({ id }) => id).sort())
    expect((await t.as(ada).tasks.list({ after: next! })).items).toHaveLength(10)
  })

  test("filter: equal to each of them", async () => {
    await using t = await opened()
    await filled(t)
    const titles = async (input: any) => (await t.as(ada).tasks.list({ ...input, sort: "title" })).items.map(({ title }) => title)
    expect(await titles({ done: true })).toEqual(["t0", "t2", "t4", "t6", "t8"])
    expect(await titles({ done: true, points: 0 })).toEqual(["t0", "t6"])
    expect(await titles({ note: "four" })).toEqual(["t4"])
    expect(await titles({ note: null, points: 1 })).toEqual(["t1", "t7"])
  })

  test("over HTTP: filter, order and page from the query", async () => {
    await using t = await opened()
    await filled(t)
    const first = (await (await t.http("GET /tasks?done=true&sort=-points&limit=2", { as: ada })).json()) as any
    expect(first.items.map((one: any) => one.title).sort()).toEqual(["t2", "t8"])
    const rest = await t.http(`GET /tasks?done=true&sort=-points&after=${encodeURIComponent(first.next)}`, { as: ada })
    expect(((await rest.json()) as any).items.map((one: any) => one.points)).toEqual([1, 0, 0])
  })

  test.each([
    [{ limit: 0 }, "limit"],
    [{ limit: 501 }, "limit"],
    [{ limit: 1.5 }, "limit"],
    [{ limit: "10; drop table tasks" }, "limit"],
    [{ sort: "note" }, "sort"],
    [{ sort: "points; drop table tasks" }, "sort"],
    [{ sort: "--points" }, "sort"],
    [{ title: "t1" }, "title"],
    [{ ownerId: "ada" }, "ownerId"],
    [{ points: "1 or 1=1" }, "points"],
    [{ done: 1 }, "done"],
    [{ after: "" }, "after"],
    [{ after: "x" }, "after"],
    [{ after: "x.y.z" }, "after"],
    [{ after: "W10.AAAAAAAAAA" }, "after"],
    [{ after: "a".repeat(5_000) }, "after"],
  ])("%j: INVALID, and names the field", async (input, field) => {
    await using t = await opened()
    await filled(t, 3)
    expect(await t.as(ada).tasks.list.safe(input as never)).toMatchObject({ code: "INVALID", issues: [{ path: field }] })
  })

  test("a cursor of another order, filter or list: INVALID", async () => {
    await using t = await opened()
    await filled(t)
    const { tasks } = t.as(ada)
    const { next } = await tasks.list({ limit: 2, sort: "points" })
    for (const input of [{}, { sort: "-points" as const }, { sort: "points" as const, done: true }])
      expect(await tasks.list.safe({ ...input, after: next! })).toMatchObject({ code: "INVALID", issues: [{ path: "after" }] })
    expect(await t.as(ada).colours.list.safe({ after: next! })).toMatchObject({ code: "INVALID" })
  })

  test("a cursor with any character changed: INVALID", async () => {
    await using t = await opened()
    await filled(t)
    const { tasks } = t.as(ada)
    const next = (await tasks.list({ limit: 2, sort: "points" })).next!
    for (let i = 0; i < next.length; i++) {
      const changed = next.slice(0, i) + (next[i] === "A" ? "B" : "A") + next.slice(i + 1)
      expect(await tasks.list.safe({ sort: "points", after: changed }), String(i)).toMatchObject({ code: "INVALID" })
    }
  })

  test("a column that knows no case: pages do not lose rows", async () => {
    await using t = await opened()
    const painter = t.as({ id: "p", kind: "user", roles: ["painter"] }).colours
    for (const name of ["red", "RED", "Red", "blue", "BLUE", "Zinc", "amber"]) await painter.create({ name })
    const seen: number[] = []
    for (let after: string | null | undefined; after !== null; ) {
      const page: { items: { number: number }[]; next: string | null } = await painter.list({
        limit: 2,
        sort: "name",
        ...(after ? { after } : {}),
      })
      seen.push(...page.items.map((one) => one.number))
      after = page.next
    }
    expect(seen).toEqual([7, 4, 5, 1, 2, 3, 6])
  })

  test("any rows with ties, and others added between the pages: each of the first comes once", async () => {
    const row = fc.record({ points: fc.integer({ min: 0, max: 3 }), title: fc.string({ minLength: 1, maxLength: 3 }) })
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(row, { maxLength: 25, selector: ({ title }) => title }),
        fc.array(row, { maxLength: 10 }),
        fc.integer({ min: 1, max: 7 }),
        fc.constantFrom("points", "-points", "title", "-title", undefined),
        async (rows, later, limit, sort) => {
          await using t = await opened()
          const { tasks } = t.as(ada)
          const add = ({ points, title }: { points: number; title: string }) => tasks.create.safe({ points, title })
          const ids = new Set<string>()
          for (const one of rows) {
            const made = await add(one)
            if (made.ok) ids.add(made.value.id)
          }
          const seen: string[] = []
          for (let after: string | null | undefined; after !== null; ) {
            const page: { items: { id: string }[]; next: string | null } = await tasks.list({
              limit,
              ...(sort ? { sort } : {}),
              ...(after ? { after } : {}),
            } as never)
            seen.push(...page.items.map(({ id }) => id))
            after = page.next
            const another = later.pop()
            if (another) await add(another)
          }
          const ofTheFirst = seen.filter((id) => ids.has(id))
          expect(new Set(seen).size).toBe(seen.length)
          expect(new Set(ofTheFirst)).toEqual(ids)
        },
      ),
      { numRuns: 25 },
    )
  })
})

describe("versions", () => {
  test("get, create and update name the version of the row", async () => {
    await using t = await opened()
    const { tasks } = t.as(ada)
    const made = await tasks.create.detailed({ title: "a" })
    expect(made.meta.etag).toBe('"1"')
    const { id } = made.value
    expect((await tasks.update.detailed({ id, title: "b" })).meta.etag).toBe('"2"')
    expect((await tasks.get.detailed({ id })).meta.etag).toBe('"2"')
    const response = await t.http(`GET /tasks/${id}`, { as: ada })
    expect(response.headers.get("etag")).toBe('"2"')
  })

  test("without a column for it: a hash, which changes with the row and with nothing else", async () => {
    await using t = await opened()
    const painter = t.as({ id: "p", kind: "user", roles: ["painter"] }).colours
    const first = (await painter.create.detailed({ name: "red" })).meta.etag!
    expect(first).toMatch(/^"[\w-]{22}"$/)
    expect((await painter.get.detailed({ number: 1 })).meta.etag).toBe(first)
    const second = (await painter.update.detailed({ number: 1, name: "blue" })).meta.etag!
    expect(second).not.toBe(first)
    expect((await painter.update.detailed({ number: 1, name: "red" })).meta.etag).toBe(first)
  })

  const MATCHES: [string, boolean][] = [
    ['"1"', true],
    ['"7", "1"', true],
    ["*", true],
    ['"2"', false],
    ['W/"1"', false],
    ["1", false],
    ['""', false],
    ["", false],
  ]

  test.each(MATCHES)("If-Match: %s → %s", async (ifMatch, holds) => {
    await using t = await opened()
    const { id } = await t.as(ada).tasks.create({ title: "a" })
    const headers = { "if-match": ifMatch }
    const changed = await t.http(`PATCH /tasks/${id}`, { as: ada, json: { title: "b" }, headers })
    expect(changed.status).toBe(holds ? 200 : 412)
    expect((await t.as(ada).tasks.get({ id })).title).toBe(holds ? "b" : "a")
    if (!holds) expect(await changed.json()).toMatchObject({ code: "PRECONDITION_FAILED" })
  })

  test.each([["get"], ["remove"]] as const)("%s with another version: PRECONDITION_FAILED, and the row stays", async (name) => {
    await using t = await opened()
    const { tasks } = t.as(ada)
    const { id } = await tasks.create({ title: "a" })
    expect(await tasks[name].safe({ id }, { ifMatch: '"9"' })).toMatchObject({ code: "PRECONDITION_FAILED", outcome: "answered" })
    expect(await tasks[name].safe({ id }, { ifMatch: '"1"' })).toMatchObject({ ok: true })
  })

  test("a row that is not there: NOT_FOUND, before any version", async () => {
    await using t = await opened()
    expect(await t.as(ada).tasks.update.safe({ id: "none", title: "b" }, { ifMatch: '"1"' })).toMatchObject({ code: "NOT_FOUND" })
    const { id } = await t.as(bob).tasks.create({ title: "a" })
    expect(await t.as(ada).tasks.remove.safe({ id }, { ifMatch: "*" })).toMatchObject({ code: "NOT_FOUND" })
  })

  test("ten at once with the same version: one of them wins", async () => {
    await using t = await opened()
    const { tasks } = t.as(ada)
    const { id } = await tasks.create({ title: "a" })
    const results = await Promise.all(Array.from({ length: 10 }, (_, i) => tasks.update.safe({ id, title: `by ${i}` }, { ifMatch: '"1"' })))
    expect(results.filter(({ ok }) => ok)).toHaveLength(1)
    expect(results.filter((one) => !one.ok && one.code === "PRECONDITION_FAILED")).toHaveLength(9)
    expect((await tasks.get({ id })).version).toBe(2)
  })
})

// -- declarations ---------------------------------------------------------------------------------

const colourOptions = (db: Sql) => ({
  http: "/colours" as const,
  table: db.table("colours", Colour),
  id: "number" as const,
  create: Colour.partial({ number: true }),
  update: Colour.omit({ number: true }),
  allow: { read: anyone("colours are nobody's"), write: role("painter") },
  anyObject: "colours are nobody's",
})

const taskOptions = (db: Sql) => ({
  http: "/tasks" as const,
  table: db.table("tasks", Task, { columns: { ownerId: "owner_id" } }),
  id: "id" as const,
  create: NewTask,
  update: NewTask.partial(),
  allow: { read: signedIn(), write: signedIn() },
  scope: (who: Principal) => ({ ownerId: who.id }),
})

describe("mistakes", () => {
  const found = (change: (db: Sql) => Partial<CrudOptions<any, any, any, any, any, any, any>>, base = taskOptions): string[] => {
    const db = sqlite({ file: ":memory:" })
    const ops = crud({ ...base(db), ...change(db) } as never) as object
    return trestle({ name: "x", ops })
      .check()
      .map(({ code, message }) => `${code} ${message}`)
  }

  test("none: none", () => expect([found(() => ({})), found(() => ({}), colourOptions as never)]).toEqual([[], []]))

  test.each([
    ["a key that is no column", () => ({ id: "uid" }), "id names uid"],
    ["a version that is no column", () => ({ version: "v" }), "version names v"],
    ["a filter that is no column", () => ({ filter: ["colour"] }), "filter or sort names colour"],
    ["a filter of lists", () => ({ filter: ["tags"] }), "tags holds objects or lists"],
    [
      "a filter named like a field of every list",
      (db: Sql) => ({ table: db.table("t", Task.extend({ limit: z.number() })), filter: ["limit"] }),
      "limit is the name",
    ],
    ["an order by what may be null", () => ({ sort: ["note"] }), "note may be missing"],
    ["a field to create that is no column", () => ({ create: z.object({ colour: z.string() }) }), "create: colour is no column"],
    ["a field to update that is the key", () => ({ update: z.object({ id: z.string() }) }), "update: id names the row"],
    [
      "a field to create that is the version",
      () => ({ version: "version", create: z.object({ version: z.number() }) }),
      "is counted by the resource",
    ],
    ["a schema that is no object", () => ({ create: z.string() }), "create: its schema is not an object"],
    ["a path with a parameter", () => ({ http: "/tasks/{id}" }), "without parameters"],
    ["a table's name that is none", (db: Sql) => ({ table: db.table("tasks; --", Task) }), "cannot be the name of a table"],
    [
      "a column's name that is none",
      (db: Sql) => ({ table: db.table("t", Task, { columns: { title: 'a"b' } }) }),
      "cannot be the name of a column",
    ],
    ["a column of no field", (db: Sql) => ({ table: db.table("t", Task, { columns: { nope: "n" } }) }), "columns names nope"],
    ["a scope with reads for anyone", () => ({ allow: { read: anyone("x"), write: signedIn() } }), "scope needs a caller"],
    ["pages of no rows", () => ({ pageMax: 0 }), "pageMax"],
  ] as [string, (db: Sql) => object, string][])("%s: one finding", (_what, change, said) => {
    const findings = found(change as never).filter((one) => one.startsWith("TRS1014"))
    expect(findings).toHaveLength(1)
    expect(findings[0]).toContain(said)
  })
})

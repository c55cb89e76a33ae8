import pg from "pg"
import { describe, expect, onTestFinished, test } from "vitest"
import { findPostgres, newDatabase } from "../servers/postgres.ts"
import { rowsOf, tried } from "./faults-kit.ts"
import { finished, folder, startTrestle } from "./kit.ts"

const server = await findPostgres()
const READ_FAULTS = 10
const WRITE_FAULTS = 16

const appWith = (operations: string, ops = "one"): string => `
import { code, env, fallback, flow, lastGood, nothing, op, postgres, secret, sql, sqlite, trestle, value } from "trestle"
import { z } from "zod"
const Person = z.object({ id: z.string(), name: z.string() })
const policy = { timeout: "600ms", retry: { times: 1, backoff: "10ms" } } as const
const kept = sqlite({ file: env("KEPT_DB"), outbox: true })
const db = postgres({ url: secret("PEOPLE_DB_URL"), name: "people-db", policy, migrations: [
  { name: "0001-people", sql: "create table people (id text primary key, name text); create table log (id text, name text)" },
] })
const list = op({ effect: "read", input: nothing, output: z.array(Person) })
const write = { effect: "write", input: Person, output: Person } as const
const put = op({ ...write, repeat: "natural" }).via(db.one((i) => sql\`insert into people (id, name) values (\${i.id}, \${i.name})
  on conflict (id) do update set name = excluded.name returning id, name\`))
const add = op({ ...write, repeat: "natural" }).via(db.one((i) => sql\`insert into log (id, name) values (\${i.id}, \${i.name}) returning id, name\`))
${operations}
export const app = trestle({ name: "people", ops: { ${ops} }, store: kept })
`
const SELECT = "db.many(() => sql`select id, name from people`)"

async function asked(url: string, statement: string): Promise<any[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(statement)).rows
  } finally {
    await client.end()
  }
}

const databases = async (): Promise<string[]> =>
  (await asked(server!, "select datname from pg_database where datname like 'trestle_faults_%'")).map(({ datname }) => datname)

describe.skipIf(server === null)("trestle faults, on PostgreSQL", { timeout: 120_000 }, () => {
  const env = { TRESTLE_FAULTS_POSTGRES: server ?? "" }

  test("promises that hold → every fault is met, typed or by the fallback; the real database is not touched, none is left", async () => {
    const real = await newDatabase(server!)
    onTestFinished(() => real.drop())
    await asked(real.url, "create table people (id text, name text); insert into people values ('7', 'Ada')")
    const app = appWith(`const one = list.via(fallback(${SELECT}, lastGood({ for: "1h" })))`, "one, put")
    const { ran, rows, row, codes } = await rowsOf(app, ["one", "put"], { ...env, PEOPLE_DB_URL: real.url })
    expect([ran.code, codes, rows.filter(({ result }) => result !== "held")]).toEqual([0, [], []])
    expect(rows.filter(({ operation }) => operation === "one")).toHaveLength(READ_FAULTS)
    expect(rows.filter(({ operation }) => operation === "put")).toHaveLength(WRITE_FAULTS)
    const ofRead = (fault: string) => row(fault, "people-db", "one")
    for (const fault of ["refuses connections", "has no connection left", "rejects our credential", "resets the connection", "hangs"])
      expect(ofRead(fault)).toMatchObject({ servedBy: "lastGood", isDegraded: true, attempts: 2 })
    expect(ofRead("leaves in mid-answer")).toMatchObject({ servedBy: "lastGood" })
    expect(ofRead("is locked")).toMatchObject({ servedBy: "lastGood" })
    expect(ofRead("is locked").ms).toBeGreaterThan(1_190)
    for (const fault of ["is slow", "has restarted", "is locked for a moment"])
      expect(ofRead(fault)).toMatchObject({ servedBy: "people-db" })
    expect(ofRead("is slow").ms).toBeGreaterThan(290)
    expect(await asked(real.url, "select * from people")).toEqual([{ id: "7", name: "Ada" }])
    expect(await databases()).toEqual([])
  })

  test("a write → what may have been kept is unknown and counts once; everything before the commit is refused", async () => {
    const { row } = await rowsOf(appWith("", "put"), ["put"], env)
    const ofWrite = (fault: string) => row(fault, "people-db", "put")
    for (const fault of ["loses its commit", "hangs in its commit"])
      expect(ofWrite(fault)).toMatchObject({ code: "OUTCOME_UNKNOWN", attempts: 1, effects: 1 })
    for (const fault of [
      "refuses connections",
      "resets the connection",
      "leaves in mid-answer",
      "cannot serialize",
      "has become read-only",
    ])
      expect(ofWrite(fault)).toMatchObject({ code: "UNAVAILABLE", outcome: "refused", attempts: 2, effects: 0 })
    for (const fault of ["hangs", "is locked"]) expect(ofWrite(fault)).toMatchObject({ code: "TIMEOUT", outcome: "refused", effects: 0 })
    expect(ofWrite("refuses a duplicate")).toMatchObject({ code: "CONFLICT", outcome: "answered", attempts: 1, effects: 0 })
    expect(ofWrite("ends a deadlock")).toMatchObject({ code: null, servedBy: "people-db", attempts: 2, effects: 1 })
  })

  test("code that repeats a write by hand → exit 1, its commits are counted", async () => {
    const again = `const one = op(write).via(code((i, ctx) => ctx.run(add, i).catch(() => ctx.run(add, i))))`
    const { ran, rows, codes, document } = await rowsOf(appWith(again, "one, add"), ["one"], env)
    const broken = rows.filter(({ result }) => result === "broken").map(({ fault, effects }) => `${fault}: ${effects}`)
    expect([ran.code, broken]).toEqual([1, ["loses its commit: 2", "hangs in its commit: 2"]])
    expect(codes).toEqual(["TRS3022", "TRS3022"])
    expect(document.findings[0].message).toContain(
      "insert into log (id, name) values ($1, $2) returning id, name may have its effect 2 times",
    )
  })

  test("a write promised `natural` that is not → exit 1; one that is → held, although it comes again", async () => {
    const flows = `const one = op({ ...write, deadline: "2s" }).via(flow((i, ctx) => ctx.run(add, i)))
const two = op({ ...write, deadline: "2s" }).via(flow((i, ctx) => ctx.run(put, i)))`
    const { ran, rows, row, codes } = await rowsOf(appWith(flows, "one, two, add, put"), ["one", "two", "--service", "people-db"], env)
    expect([ran.code, new Set(codes)]).toEqual([1, new Set(["TRS3022"])])
    const broken = rows.filter(({ result }) => result === "broken").map(({ operation, fault }) => `${operation} ${fault}`)
    expect(broken).toEqual(["one loses its commit", "one hangs in its commit"])
    expect(row("loses its commit", "people-db", "two")).toMatchObject({ result: "held", effects: 1 })
  })

  test("later steps of a flow → the second commit alone is refused or lost, and what was done is undone, or found out", async () => {
    const flows = `const keeping = postgres({ url: secret("KEEPING_DB_URL"), name: "keeping", policy, outbox: true,
  migrations: [{ name: "0001-n", sql: "create table notes (id text)" }] })
const remove = op({ effect: "write", repeat: "natural", input: Person, output: nothing }).via(db.run((i) => sql\`delete from people where id = \${i.id}\`))
const log = op(write).via(db.one((i) => sql\`insert into log (id, name) values (\${i.id}, \${i.name}) returning id, name\`))
const one = op({ ...write, deadline: "3s" }).via(flow(async (i, s) => {
  const made = await s.run(put, i, { name: "put", undo: (p) => s.run(remove, p) })
  return s.run(log, made, { name: "log" })
}))
const keep = (s, i, name) => s.transaction(keeping, async (t) => { await t.run(sql\`insert into notes (id) values (\${i.id + name})\`) },
  { name, undo: () => s.transaction(keeping, async (t) => { await t.run(sql\`delete from notes where id = \${i.id + name}\`) }) })
const two = op({ ...write, deadline: "8s" }).via(flow(async (i, s) => { await keep(s, i, "a"); await keep(s, i, "b"); return i }, { databases: [keeping] }))`
    const { ran, rows } = await rowsOf(appWith(flows, "one, two, put, log, remove"), ["one", "two"], env)
    expect(ran.code).toBe(0)
    const later = rows.filter(({ nth }) => nth !== null)
    expect(later.map(({ operation, nth, fault, code, why }) => [operation, nth, fault, code, why].join(" | "))).toEqual([
      "one | 2 | refuses a duplicate | CONFLICT | step log failed; undone: put",
      "one | 2 | loses its commit | PENDING | step log may have happened: it is parked for a person",
      "two | 2 | refuses a duplicate | CONFLICT | step b failed; undone: a",
      "two | 2 | loses its commit |  | ",
    ])
    expect(later.at(-1)).toMatchObject({ result: "held", effects: 2 })
  })

  test("a deadline that is over before the fallback's turn → exit 1", async () => {
    const hasty = `const one = op({ effect: "read", input: nothing, output: z.array(Person), deadline: "500ms" }).via(fallback(${SELECT}, value([])))`
    const { ran, rows, codes } = await rowsOf(appWith(hasty), [], env)
    const broken = rows.filter(({ result }) => result === "broken").map(({ fault }) => fault)
    expect([ran.code, broken, new Set(codes)]).toEqual([1, ["hangs", "is locked"], new Set(["TRS3021"])])
  })

  test("a server beyond this machine, when its host is named → is used", async () => {
    const url = new URL(server!)
    url.hostname = "0.0.0.0"
    url.searchParams.set("sslmode", "disable")
    const { rows } = await rowsOf(appWith("", "put"), ["put"], { TRESTLE_FAULTS_POSTGRES: url.href, TRESTLE_FAULTS_HOST: "0.0.0.0" })
    expect(rows.map(({ result }) => result)).toEqual(Array(WRITE_FAULTS).fill("held"))
  })

  test("what a killed run left a day ago → is dropped; what is younger, or has another name, stays", async () => {
    const at = (ageS: number): string => `trestle_faults_${Math.floor(Date.now() / 1000) - ageS}_0123456789ab`
    const [old, young, other] = [at(86_500), at(80_000), "trestle_faults_mine"]
    for (const name of [old, young, other]) await asked(server!, `create database ${name}`)
    onTestFinished(async () => {
      for (const name of [old, young, other]) await asked(server!, `drop database if exists ${name}`)
    })
    await tried(appWith("", "put"), ["put", "--limit", "1ms"], env)
    expect((await databases()).sort()).toEqual([young, other].sort())
  })

  test("SIGINT → no database is left", async () => {
    const child = startTrestle(["faults", "put"], { cwd: folder({ "app.ts": appWith("", "put") }), env })
    const ended = finished(child)
    while ((await databases()).length < 2) expect(child.exitCode).toBe(null)
    child.kill("SIGINT")
    expect([(await ended).code, await databases()]).toEqual([130, []])
  })
})

describe("without a server that may be used: a row with the reason, a warning with the fix, nothing is opened, exit 0", () => {
  test.each([
    ["none is named", {}, "it is not set", "TRESTLE_FAULTS_POSTGRES=postgres://"],
    ["no address", { TRESTLE_FAULTS_POSTGRES: "localhost" }, "it is no postgres:// URL", "Write it like"],
    [
      "a host beyond this machine",
      { TRESTLE_FAULTS_POSTGRES: "postgres://u:p@db.internal/p?sslmode=disable" },
      "its host db.internal is beyond this machine",
      "TRESTLE_FAULTS_HOST=db.internal",
    ],
    [
      "another host was allowed",
      { TRESTLE_FAULTS_POSTGRES: "postgres://u:p@db.internal/p", TRESTLE_FAULTS_HOST: "db" },
      "beyond",
      "db.internal",
    ],
    ["an encrypted way", { TRESTLE_FAULTS_POSTGRES: "postgres://u:p@127.0.0.1/p?sslmode=verify-full" }, "encrypted", "sslmode=disable"],
    ["a socket's folder", { TRESTLE_FAULTS_POSTGRES: "postgres://u:p@x/p?host=/run/postgresql" }, "socket", "127.0.0.1:5432"],
    ["nobody listens", { TRESTLE_FAULTS_POSTGRES: "postgres://u:p@127.0.0.1:1/p" }, "cannot be reached", "Start it"],
  ])("%s", async (_, env, why, fix) => {
    const { ran, rows, document } = await rowsOf(appWith("", "put"), ["put"], env)
    expect(rows).toMatchObject([{ service: "people-db", fault: null, result: "untried", why: expect.stringContaining(why) }])
    expect([ran.code, document.findings]).toMatchObject([0, [{ code: "TRS3024", severity: "warning", fix: expect.stringContaining(fix) }]])
    expect(ran.stdout).not.toContain("u:p@")
  })

  test.skipIf(server === null)("a user who may make no database", async () => {
    await asked(server!, "create role faultless login password 'x'")
    onTestFinished(async () => void (await asked(server!, "drop role faultless")))
    const url = new URL(server!)
    url.username = "faultless"
    url.password = "x"
    const { rows, document } = await rowsOf(appWith("", "put"), ["put"], { TRESTLE_FAULTS_POSTGRES: url.href })
    expect(rows).toMatchObject([{ result: "untried", why: expect.stringContaining("its user may make no database") }])
    expect(document.findings).toMatchObject([{ code: "TRS3024", fix: "On that server: alter role faultless createdb" }])
  })
})

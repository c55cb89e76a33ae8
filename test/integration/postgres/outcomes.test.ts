// What is known after a failure, over a real server: by what it says, by when the connection is lost, and by who stops it.
import { setImmediate as nextRound } from "node:timers/promises"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { z } from "zod"
import { systemClock } from "../../../src/base/clock.ts"
import { nothing, op, type Sql, sql } from "../../../src/index.ts"
import { FaultProxy } from "../../../src/testing/fault-proxy.ts"
import { newSchema, otherClient, server, tell, worldOf } from "./kit.ts"

const Text = z.object({ text: z.string() })
const REAL = { clock: { clock: systemClock } }
const insert = (text: string) => sql`insert into notes (text) values (${text})`

const notes = (db: Sql) => ({
  add: op({ effect: "write", input: Text, output: nothing }).via(db.run(({ text }) => insert(text))),
  all: op({ effect: "read", input: nothing, output: z.array(z.string()) }).via(
    db.many(() => sql`select text from notes order by text`, { row: (row) => row.text }),
  ),
  slow: op({ effect: "read", input: nothing, output: z.array(z.unknown()) }).via(db.many(() => sql`select pg_sleep(60), 'slow one' as it`)),
  slowly: op({ effect: "write", input: Text, output: nothing }).via(
    db.run(({ text }) => sql`insert into notes (text) select ${text} from pg_sleep(60)`),
  ),
  both: op({ effect: "write", input: Text, output: nothing }).via(
    db.transaction(async (tx, { text }) => {
      await tx.run(insert(`${text} 1`))
      await tx.run(insert(`${text} 2`))
    }),
  ),
})

const running = (url: string, what: string) =>
  tell(url, `select 1 from pg_stat_activity where state = 'active' and query like '%${what}%' and query not like '%pg_stat_activity%'`)

/** Asks again and again until the server says so. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 10_000
  while (!(await holds())) {
    if (Date.now() > end) throw new Error("it never came")
    await nextRound()
  }
}

describe.skipIf(server === null)("a call that ends early", () => {
  test("a read given up: its query is cancelled at the server", async () => {
    const address = await newSchema()
    const { ask } = await worldOf(notes, { address, ...REAL })
    const controller = new AbortController()
    const reading = ask.slow.safe(undefined, { signal: controller.signal })
    await until(async () => (await running(address, "slow one")).length === 1)
    controller.abort()
    expect(await reading).toMatchObject({ code: "CANCELLED", outcome: "refused" })
    await until(async () => (await running(address, "slow one")).length === 0)
    expect(await ask.all()).toEqual([])
  })

  test("a write that times out before its commit: refused, cancelled, and nothing of it is there", async () => {
    const address = await newSchema()
    const { ask, records } = await worldOf(notes, { address, policy: { retry: 0, timeout: "300ms" }, ...REAL })
    expect(await ask.slowly.safe({ text: "late" })).toMatchObject({ code: "TIMEOUT", outcome: "refused" })
    expect(records.at(-1)!.error).toMatchObject({ reason: "timeout-unsent" })
    await until(async () => (await running(address, "from pg_sleep")).length === 0)
    expect(await ask.all()).toEqual([])
  })

  test("waiting for a connection: given up without a word to the server", async () => {
    const address = await newSchema()
    const { ask } = await worldOf(notes, { address, pool: 1, policy: { retry: 0, concurrency: 1 }, ...REAL })
    const first = new AbortController()
    const second = new AbortController()
    const holding = ask.slow.safe(undefined, { signal: first.signal })
    await until(async () => (await running(address, "slow one")).length === 1)
    const waiting = ask.add.safe({ text: "waiting" }, { signal: second.signal })
    second.abort()
    expect(await waiting).toMatchObject({ code: "CANCELLED", outcome: "refused" })
    first.abort()
    await holding
    expect(await ask.all()).toEqual([])
  })

  test("the server's own end of a statement: raised for an attempt that may take longer", async () => {
    const ms = (db: Sql) => ({
      now: op({ effect: "read", input: nothing, output: z.string() }).via(
        db.one(() => sql`select setting from pg_settings where name = 'statement_timeout'`, { row: (row) => row.setting }),
      ),
    })
    expect(await (await worldOf(ms)).ask.now()).toBe("30000")
    const long = await worldOf(ms, { policy: { retry: 0, timeout: "59s" } })
    expect(Number(await long.ask.now())).toBeGreaterThanOrEqual(59_000)
  })
})

describe.skipIf(server === null)("a connection that is lost", () => {
  let proxy: FaultProxy
  let address: string
  beforeEach(async () => {
    const direct = new URL(await newSchema())
    proxy = await FaultProxy.open({ host: direct.hostname, port: Number(direct.port) })
    direct.host = `${proxy.place.host}:${proxy.place.port}`
    address = direct.href
  })
  afterEach(() => proxy.close())

  test("with the answer of COMMIT: unknown, not sent again, and it may be there", async () => {
    const { ask, records } = await worldOf(notes, { address, policy: { retry: 3 }, ...REAL })
    await ask.all()
    const before = proxy.timesSent("commit\0")
    const writing = ask.add.safe({ text: "perhaps" })
    await until(async () => proxy.timesSent("commit\0") > before)
    proxy.mode = "drop"
    expect(await writing).toMatchObject({ code: "OUTCOME_UNKNOWN", outcome: "unknown" })
    expect(records.at(-1)!.error).toMatchObject({ reason: "connection-lost" })
    expect(proxy.timesSent("perhaps")).toBe(1)
    proxy.mode = "pass"
    expect(await ask.all()).toEqual(["perhaps"])
  })

  test("inside a transaction: refused, rolled back, and the next one works", async () => {
    const { ask } = await worldOf(notes, { address, ...REAL })
    await ask.both({ text: "a" })
    proxy.mode = "drop"
    expect(await ask.both.safe({ text: "b" })).toMatchObject({ code: "UNAVAILABLE", outcome: "refused" })
    proxy.mode = "pass"
    await ask.both({ text: "c" })
    expect(await ask.all()).toEqual(["a 1", "a 2", "c 1", "c 2"])
  })
})

describe.skipIf(server === null)("what the server says", () => {
  test("a deadlock: one of the two is refused, and goes well when it is tried again", async () => {
    const address = await newSchema()
    const two = (db: Sql) => ({
      ...notes(db),
      swap: op({ effect: "write", input: z.object({ first: z.string(), then: z.string() }), output: nothing }).via(
        db.transaction(async (tx, { first, then }) => {
          await tx.run(sql`update notes set n = coalesce(n, 0) + 1 where text = ${first}`)
          await tx.many(sql`select pg_sleep(0.2)`)
          await tx.run(sql`update notes set n = coalesce(n, 0) + 1 where text = ${then}`)
        }),
      ),
      counts: op({ effect: "read", input: nothing, output: z.array(z.number()) }).via(
        db.many(() => sql`select n from notes`, { row: (row) => row.n }),
      ),
    })
    const { ask, records } = await worldOf(two, { address, policy: { timeout: "20s", retry: { times: 3, backoff: "10ms" } }, ...REAL })
    await ask.add({ text: "a" })
    await ask.add({ text: "b" })
    const both = [ask.swap.detailed({ first: "a", then: "b" }), ask.swap.detailed({ first: "b", then: "a" })]
    const attempts = (await Promise.all(both)).map(({ meta }: any) => meta.attempts)
    // On a busy machine they may meet more than once.
    expect(Math.max(...attempts)).toBeGreaterThanOrEqual(2)
    expect(await ask.counts()).toEqual([2, 2])
    expect(records.filter(({ error }) => error !== null)).toEqual([])
  })

  test("serializable as its first statement: of two that rest on what the other changes, one is tried again", async () => {
    const address = await newSchema()
    const tables = (db: Sql) => ({
      ...notes(db),
      addIfFew: op({ effect: "write", input: Text, output: z.boolean() }).via(
        db.transaction(async (tx, { text }) => {
          await tx.run(sql`set transaction isolation level serializable`)
          const { n } = await tx.one<{ n: number }>(sql`select count(*) as n, pg_sleep(0.2) from notes`)
          if (n >= 1) return false
          await tx.run(insert(text))
          return true
        }),
      ),
    })
    const { ask } = await worldOf(tables, { address, policy: { timeout: "20s", retry: { times: 3, backoff: "10ms" } }, ...REAL })
    const added = await Promise.all([ask.addIfFew({ text: "a" }), ask.addIfFew({ text: "b" })])
    expect(added.sort()).toEqual([false, true])
    expect(await ask.all()).toHaveLength(1)
  })

  test.each([
    ["begin", sql`begin`],
    ["commit behind a comment", sql`/* x */ COMMIT`],
    ["start transaction", sql`start transaction`],
    ["set", sql`set default_transaction_read_only = off`],
    ["set, for the transaction, to write", sql`set local transaction_read_only = off`],
    ["listen", sql`listen x`],
    ["copy", sql`copy notes from stdin`],
    ["two statements", sql`insert into notes (text) values ('a'); insert into notes (text) values ('b')`],
    ["no statement", sql` -- nothing`],
    ["a table that is not there", sql`delete from nowhere`],
    ["what writes, in a read", sql`with x as (insert into notes (text) values ('x') returning id) select id from x`],
    ["a function that writes, in a read", sql`select setval('notes_id_seq', 5)`],
  ])("%s: refused, and nothing has happened", async (_what, statement) => {
    const { ask } = await worldOf((db) => ({
      ...notes(db),
      odd: op({ effect: "read", input: nothing, output: z.any() }).via(db.many(() => statement)),
      oddTransaction: op({ effect: "read", input: nothing, output: z.any() }).via(db.transaction((tx) => tx.many(statement))),
    }))
    expect(await ask.odd.safe()).toMatchObject({ code: "INTERNAL", outcome: "refused" })
    expect(await ask.oddTransaction.safe()).toMatchObject({ code: "INTERNAL", outcome: "refused" })
    expect(await ask.all()).toEqual([])
  })

  test("an administrator ends the connections: the next read is well, nothing is unhandled", async () => {
    const address = await newSchema()
    const { ask } = await worldOf(notes, { address, policy: { retry: { times: 2, backoff: "10ms" } }, ...REAL })
    await ask.add({ text: "a" })
    await tell(address, "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'trestle notes'")
    expect(await ask.all()).toEqual(["a"])
  })

  test("a row that somebody else holds: waited for, and seen as it was left", async () => {
    const address = await newSchema()
    const { ask } = await worldOf(notes, { address, ...REAL })
    const other = await otherClient(address)
    await other.query("begin; insert into notes (text) values ('same')")
    const ours = ask.add.safe({ text: "same" })
    await other.query("commit")
    expect(await ours).toMatchObject({ code: "CONFLICT", outcome: "answered" })
  })

  test.each([
    ["lock_timeout", sql`select 1 from notes for update nowait`, "busy", "PostgreSQL 55P03"],
    ["a type that does not fit", sql`insert into notes (text, n) values ('x', ${"many"})`, "request-not-mapped", "PostgreSQL 22P02"],
    ["a division by zero", sql`insert into notes (text, n) values ('x', 1 / 0)`, "request-not-mapped", "PostgreSQL 22012"],
    ["out of its resources", sql`do $$ begin raise exception using errcode = '53200'; end $$`, "refused-by-service", "PostgreSQL 53200"],
    ["a serialization failure", sql`do $$ begin raise exception using errcode = '40001'; end $$`, "busy", "PostgreSQL 40001"],
  ])("%s: refused, by its code", async (_what, statement, reason, said) => {
    const address = await newSchema()
    const world = await worldOf(
      (db) => ({ ...notes(db), odd: op({ effect: "write", input: nothing, output: nothing }).via(db.run(() => statement)) }),
      { address, ...REAL },
    )
    await world.ask.add({ text: "held" })
    const other = await otherClient(address)
    await other.query("begin; select 1 from notes for update")
    expect(await world.ask.odd.safe()).toMatchObject({ ok: false, outcome: "refused" })
    expect(world.records.at(-1)!.error).toMatchObject({ reason })
    expect(world.lastNote()).toContain(said)
    await other.query("rollback")
    expect(await world.ask.all()).toEqual(["held"])
  })

  test("too many connections: refused, and well when there is a place again", async () => {
    const address = await newSchema()
    await tell(
      address,
      "do $$ begin create role narrow login superuser connection limit 1 password 'narrow-pass'; exception when duplicate_object then null; end $$; alter role narrow nosuperuser",
    )
    const url = new URL(address)
    url.username = "narrow"
    url.password = "narrow-pass"
    await tell(address, `grant all on schema ${url.searchParams.get("options")!.split("=")[1]} to narrow`)
    await tell(address, "create table notes (text text); grant select on notes to narrow")
    const holder = await otherClient(url.href)
    const without = { migrations: undefined as never, policy: { retry: 0 } }
    const { ask, records } = await worldOf(notes, { address: url.href, ...without, ...REAL })
    expect(await ask.all.safe()).toMatchObject({ code: "UNAVAILABLE", outcome: "refused" })
    expect(records.at(-1)!.error).toMatchObject({ reason: "refused-by-service", note: expect.stringContaining("PostgreSQL 53300") })
    await holder.end()
    await until(async () => (await ask.all.safe()).ok)
  })
})

// A statement of SQLite cannot be stopped: it runs in the thread of all calls. What that means for those who wait for it.
import { afterAll, beforeAll, expect, test } from "vitest"
import { z } from "zod"
import { startApp } from "../../../src/assembly/start.ts"
import { nothing, op, type Running, sql, sqlite, trestle } from "../../../src/index.ts"
import { rememberingLog, standInReferences, THROWAWAY } from "../../../src/testing/stand-ins.ts"

/** Work for longer than an attempt and the whole call may take. */
const STEPS = 1_500_000
const policy = { timeout: "20ms", retry: { times: 2, backoff: "1ms" } } as const
const migrations = [{ name: "0001-kept", sql: "create table kept (n integer)" }]
const db = sqlite({ file: ":memory:", name: "db", policy, migrations })
const counted = sql`with recursive c(n) as (select 1 union all select n + 1 from c where n < ${STEPS}) select max(n) as n from c`
const N = z.object({ n: z.number() })
const write = { effect: "write", input: nothing, output: nothing, deadline: "50ms" } as const
const ops = {
  read: op({ effect: "read", input: nothing, output: N, deadline: "50ms" }).via(db.one(() => counted)),
  statement: op(write).via(db.run(() => sql`insert into kept ${counted}`)),
  transaction: op(write).via(db.transaction(async (tx) => void (await tx.run(sql`insert into kept ${counted}`)))),
  count: op({ effect: "read", input: nothing, output: N }).via(db.one(() => sql`select count(*) as n from kept`)),
}

let running: Running<typeof ops>
beforeAll(async () => {
  running = await startApp(trestle({ name: "slow", ops }), { ...THROWAWAY, references: standInReferences(), log: rememberingLog([]) })
})
afterAll(() => running.close())

test("a read that takes longer than timeout and deadline → its answer, at the first attempt", async () => {
  const { value, meta } = await running.internal().read.detailed()
  expect([value, meta.attempts]).toEqual([{ n: STEPS }, 1])
  expect(meta.ms).toBeGreaterThan(50)
})

test.each(["statement", "transaction"] as const)("a %s that writes, the same → is kept, once", async (name) => {
  const { n } = await running.internal().count()
  const { meta } = await running.internal()[name].detailed()
  expect(meta.attempts).toBe(1)
  expect(await running.internal().count()).toEqual({ n: n + 1 })
})

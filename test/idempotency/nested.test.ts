// What is known of an intent inside a job that is run again: by what is asked for, not by when.
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { z } from "zod"
import { code, defer, env, fallback, flow, nothing, op, rest, sql, sqlite, topic, trestle } from "../../src/index.ts"
import { type TestApp, testApp } from "../../src/testing/index.ts"

const Id = z.object({ id: z.string() })
const State = z.object({ state: z.string() })
const batches = topic("batches", z.object({ ids: z.array(z.string()) }))
const bank = rest({ url: env("BANK_URL"), policy: { retry: 0, breaker: false } })
const silent = { body: (input: unknown) => input, repeat: { key: "X-Key" }, map: () => undefined } as const

const charge = op({ effect: "write", input: Id, output: nothing }).via(bank.call("POST /charges", silent))
const put = op({ effect: "write", input: Id, output: State }).via(
  fallback(
    bank.call("POST /charges", { ...silent, map: () => ({ state: "done" }) }),
    defer(() => ({ state: "pending" })),
  ),
)
/** Ids that are to be asked for, as the code of the batch knows them: it takes away what is done. */
let left: string[] = []
let failures = 0
let order: (ids: string[]) => string[] = (ids) => ids

const batch = { on: batches, effect: "write", repeat: "natural", input: z.object({ ids: z.array(z.string()) }), output: nothing } as const
const ops = {
  charge,
  put,
  shrinking: op(batch).via(
    code(async (_, ctx) => {
      for (const id of [...left]) {
        await ctx.run(charge, { id })
        left = left.filter((one) => one !== id)
      }
    }),
  ),
}
const kept = {
  put,
  shrinking: op(batch).via(
    code(async (_, ctx) => {
      for (const id of [...left]) {
        await ctx.run(put, { id })
        left = left.filter((one) => one !== id)
        if (failures-- > 0) throw new Error("after the first")
      }
    }),
  ),
}
const together = {
  charge,
  batch: op(batch).via(code(async ({ ids }, ctx) => void (await Promise.all(order(ids).map((id) => ctx.run(charge, { id })))))),
}

/** A bank that does each thing once for each key. */
class Bank {
  readonly effects: string[] = []
  readonly keys: string[] = []
  readonly #seen = new Set<string>()

  /** @param refuses which of the requests, from 1 */
  constructor(t: TestApp<any>, refuses = 0) {
    t.wire(bank)
      .on("POST /charges")
      .replies(({ headers, body }) => {
        const key = headers["x-key"]!
        this.keys.push(key)
        if (this.keys.length === refuses) return { status: 429 }
        if (!this.#seen.has(key)) this.effects.push((body as { id: string }).id)
        this.#seen.add(key)
        return { status: 201, body: {} }
      })
  }
}

let t: TestApp<any>
beforeEach(() => {
  left = ["a", "b", "c"]
  failures = 0
  order = (ids) => ids
})
afterEach(() => t.close())
const open = async (some: object): Promise<void> => {
  t = await testApp(trestle({ name: "nested", ops: some }) as any)
}
const again = async (times = 5): Promise<void> => {
  for (let n = 0; n < times; n++) {
    await t.clock.advance("2m")
    await t.drain()
  }
}

describe("code that a job runs again", () => {
  test("leaves out what is done → each is done once, none in the place of another", async () => {
    await open(ops)
    const { effects } = new Bank(t, 2)
    await t.deliver(batches, { ids: [] })
    await again()
    expect([effects, left]).toEqual([["a", "b", "c"], []])
  })

  test("asks in another order → each is done once", async () => {
    await open(together)
    const { effects } = new Bank(t, 2)
    await t.deliver(batches, { ids: ["a", "b"] })
    order = (ids) => ids.toReversed()
    await again()
    expect(effects.toSorted()).toEqual(["a", "b"])
  })

  test("asks for two that are alike → two keys, the same in the next run", async () => {
    await open(together)
    const { effects, keys } = new Bank(t, 2)
    await t.deliver(batches, { ids: ["a", "a"] })
    await again()
    expect([effects, new Set(keys).size, keys.length]).toEqual([["a", "a"], 2, 4])
  })

  test("leaves out what was kept for later → the rest is kept too, and all is sent", async () => {
    await open(kept)
    failures = 1
    t.wire(bank).down()
    await t.deliver(batches, { ids: [] })
    await again()
    t.wire(bank).up()
    const { effects } = new Bank(t)
    await again(20)
    expect(effects.toSorted()).toEqual(["a", "b", "c"])
  })
})

test("an operation has another name by now → what it asks of a service has the same key", async () => {
  const keys: string[][] = []
  for (const [name, was] of [
    ["charge", []],
    ["pay", ["charge"]],
  ] as const) {
    const renamed = op({ effect: "write", input: Id, output: nothing, was }).via(bank.call("POST /charges", silent))
    const run = op(batch).via(code(({ ids }, ctx) => ctx.run(renamed, { id: ids[0]! })))
    await t?.close()
    await open({ [name]: renamed, run })
    const { keys: seen } = new Bank(t)
    await t.deliver(batches, { ids: ["a"] })
    keys.push(seen)
  }
  expect(keys[0]).toHaveLength(1)
  expect(keys[1]).toEqual(keys[0])
})

test("two requests that one call makes of one service → two keys", async () => {
  const charges = bank.call<{ id: string }, void>("POST /charges", silent)
  const either = op({ effect: "write", input: Id, output: nothing }).via(
    fallback(charges, bank.call<{ id: string }, void>("POST /bills", silent)),
  )
  await open({ either })
  t.wire(bank).on("POST /charges").reply(429)
  t.wire(bank).on("POST /bills").reply(201, {})
  await (t.internal() as any).either({ id: "a" })
  expect(new Set(t.sent(bank).map(({ headers }) => headers["x-key"])).size).toBe(2)
})

test("a flow without a journal, run in a job, with two transactions of one database → both", async () => {
  const migrations = [{ name: "0001-rows", sql: "create table names (id text not null)" }]
  const db = sqlite({ file: ":memory:", outbox: true, migrations, migrate: "on start" })
  const count = op({ effect: "read", input: nothing, output: z.array(z.unknown()) }).via(db.many(() => sql`select id from names limit 9`))
  const two = op({ effect: "write", input: nothing, output: nothing, repeat: "natural" }).via(
    flow(
      async (_, s) => {
        for (const id of ["a", "b"]) await s.transaction(db, (tx) => tx.run(sql`insert into names (id) values (${id})`))
      },
      { databases: [db], durable: false, why: "a test" },
    ),
  )
  await open({ count, two, run: op(batch).via(code((_, ctx) => ctx.run(two, undefined))) })
  await t.deliver(batches, { ids: [] })
  expect(await (t.internal() as any).count()).toHaveLength(2)
})

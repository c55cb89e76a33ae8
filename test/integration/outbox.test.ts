import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, onTestFinished, test } from "vitest"
import { z } from "zod"
import type { DurableParts } from "../../src/assembly/durable.ts"
import { startApp } from "../../src/assembly/start.ts"
import { systemClock } from "../../src/base/clock.ts"
import { OutboxDesk } from "../../src/durable/outbox-desk.ts"
import { code, nothing, op, sql, sqlite, topic, trestle } from "../../src/index.ts"
import { testApp } from "../../src/testing/index.ts"
import { rememberingLog, testEnvironment } from "../../src/testing/stand-ins.ts"
import { remembering } from "../durable/kit.ts"

const Added = z.object({ id: z.string(), n: z.number().int() })
const added = topic("thing.added", Added, { key: (thing) => thing.id })
const db = sqlite({
  file: ":memory:",
  name: "things",
  outbox: true,
  migrations: [{ name: "0001-things", sql: "create table things (id text not null, n integer not null)" }],
})
const seen: string[] = []
const add = op({ effect: "write", input: Added, output: Added, errors: { TOO_MANY: 422 } }).via(
  db.transaction(async (tx, thing, { fail }) => {
    await tx.run(sql`insert into things (id, n) values (${thing.id}, ${thing.n})`)
    await tx.emit(added, thing)
    if (thing.n > 100) return fail("TOO_MANY")
    return thing
  }),
)
const insert = op({ effect: "write", input: Added, output: z.object({ n: z.number() }) }).via(
  db.one((i) => sql`insert into things (id, n) values (${i.id}, ${i.n}) returning n`),
)
const count = op({ effect: "read", input: z.object({}), output: z.object({ n: z.number() }) }).via(
  db.one(() => sql`select count(*) as n from things`),
)
let breaks = 0
/** Writes, and then breaks: what it has written is there when it is run again. */
const copy = op({ on: added, effect: "write", input: Added, output: nothing, repeat: "natural" }).via(
  code(async (thing, ctx) => {
    seen.push(`${thing.id}${thing.n}`)
    await ctx.run(insert, { id: `copy of ${thing.id}`, n: thing.n })
    if (breaks-- > 0) throw new Error("broken")
  }),
)
const app = trestle({ name: "outbox", ops: { add, insert, count, copy } })

describe("tx.emit", () => {
  test("the transaction commits → its message reaches the consumer", async () => {
    await using t = await testApp(app)
    seen.length = 0
    await t.internal().add({ id: "a", n: 1 })
    await t.drain()
    expect(seen).toEqual(["a1"])
    expect(t.published(added)).toEqual([{ id: "a", n: 1 }])
  })
  test("the transaction is rolled back → no message", async () => {
    await using t = await testApp(app)
    seen.length = 0
    expect(await t.internal().add.safe({ id: "a", n: 101 })).toMatchObject({ ok: false, code: "TOO_MANY" })
    await t.drain()
    expect(seen).toEqual([])
    expect(await t.internal().count({})).toEqual({ n: 0 })
  })
  test("messages of one key → in the order in which they were committed", async () => {
    await using t = await testApp(app)
    seen.length = 0
    for (let n = 1; n <= 20; n++) await t.internal().add({ id: "a", n })
    await t.drain()
    expect(seen).toEqual(Array.from({ length: 20 }, (_, i) => `a${i + 1}`))
  })
})

describe("a node of an older version", () => {
  test("messages that it does not take → are left for those that do", async () => {
    const folder = mkdtempSync(join(tmpdir(), "trestle-outbox-"))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const things = sqlite({ file: join(folder, "things.db"), name: "things", outbox: true })
    const say = (on: typeof added) =>
      op({ effect: "write", input: Added, output: nothing }).via(things.transaction((tx, thing) => tx.emit(on, thing)))
    const hear = (on: typeof added) =>
      op({ on, effect: "write", repeat: "natural", input: Added, output: nothing }).via(code(({ id }) => void seen.push(id)))
    const older = topic("thing.seen", Added)
    const started = async (ops: object): Promise<{ parts: DurableParts; running: any }> => {
      let parts!: DurableParts
      const running = await startApp(trestle({ name: "versions", ops, store: things }), {
        clock: systemClock,
        environment: testEnvironment,
        keptFolder: null,
        log: rememberingLog([]),
        durable: { isByHand: true, opened: (opened) => (parts = opened) },
      })
      onTestFinished(() => running.close())
      return { parts, running }
    }
    const newNode = await started({ say: say(added), hear: hear(added) })
    const oldNode = await started({ say: say(older), hear: hear(older), unheard: say(topic("nobody", Added)) })
    seen.length = 0
    await newNode.running.internal().say({ id: "new", n: 1 })
    await oldNode.running.internal().say({ id: "old", n: 1 })
    await oldNode.running.internal().unheard({ id: "unheard", n: 1 })
    await oldNode.parts.work()
    expect(seen).toEqual(["old"])
    await newNode.parts.work()
    expect(seen).toEqual(["old", "new"])
    expect(await newNode.parts.store.read({ text: "select id from trestle_outbox", values: [] })).toEqual([])
  })
})

describe("a message that cannot be read", () => {
  test("→ stays, holds up no other, is told of once, and reaches its consumer when it can be read after a start", async () => {
    const folder = mkdtempSync(join(tmpdir(), "trestle-outbox-"))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const things = sqlite({ file: join(folder, "things.db"), name: "things", outbox: true })
    const heard: string[] = []
    const say = op({ effect: "write", input: Added, output: nothing }).via(things.transaction((tx, thing) => tx.emit(added, thing)))
    const hear = op({ on: added, effect: "write", repeat: "natural", input: Added, output: nothing }).via(
      code(({ id }) => void heard.push(id)),
    )
    const events = remembering()
    const start = async (isByHand: boolean) => {
      let parts!: DurableParts
      const running = await startApp(trestle({ name: "unreadable", ops: { say, hear }, store: things }), {
        environment: testEnvironment,
        keptFolder: null,
        log: { ...rememberingLog([]), events },
        durable: { isByHand, opened: (opened) => (parts = opened) },
      })
      return { parts, running }
    }
    const { parts, running } = await start(true)
    for (const id of ["a", "b"]) await running.internal().say({ id, n: 1 })
    const [{ body }] = (await parts.store.read({ text: "select body from trestle_outbox where seq = 1", values: [] })) as [{ body: string }]
    const write = (text: string) => parts.store.unit([{ text: "update trestle_outbox set body = ? where seq = 1", values: [text] }])
    await write("{")
    for (let i = 0; i < 2; i++) await parts.work()
    const left = await new OutboxDesk(parts.store).list(9)
    expect([heard, left.map(({ isReadable }) => isReadable)]).toEqual([["b"], [false]])
    expect(events.told.filter((told) => told.includes("outbox"))).toEqual([expect.stringContaining("of things cannot be read")])
    await write(body)
    await running.close()
    const again = await start(false)
    await expect.poll(() => heard).toEqual(["b", "a"])
    await again.running.close()
  })
})

describe("a message of another version than its consumer takes", () => {
  test("→ is dead, and never taken for one of its own", async () => {
    const things = sqlite({ file: ":memory:", name: "things", outbox: true })
    const [first, second] = [topic("counted", Added, { version: 1 }), topic("counted", Added, { version: 2 })]
    const heard: string[] = []
    const hear = op({ on: first, effect: "write", repeat: "natural", input: Added, output: nothing }).via(
      code(({ id }) => void heard.push(id)),
    )
    const say = op({ effect: "write", input: Added, output: nothing }).via(things.transaction((tx, thing) => tx.emit(second, thing)))
    await using t = await testApp(trestle({ name: "versions", ops: { hear, say } }))
    await t.internal().say({ id: "a", n: 1 })
    await t.drain()
    expect([heard, await t.outbox()]).toMatchObject([[], { dead: 1 }])
  })
})

describe("inbox", () => {
  test("a consumer is run again after its step has written → the step has its effect once", async () => {
    await using t = await testApp(app)
    seen.length = 0
    breaks = 2
    await t.internal().add({ id: "a", n: 1 })
    for (let i = 0; i < 5; i++) {
      await t.drain()
      await t.clock.advance("1m")
    }
    expect(seen).toEqual(["a1", "a1", "a1"])
    expect(await t.internal().count({})).toEqual({ n: 2 })
  })
})

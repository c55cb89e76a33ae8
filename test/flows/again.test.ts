// What the simulation has found in flows that are run, begun or undone again (`npm run sim`).
import { describe, expect, test } from "vitest"
import { z } from "zod"
import { env, flow, nothing, op, rest, trestle } from "../../src/index.ts"
import { type TestApp, testApp } from "../../src/testing/index.ts"

const Order = z.object({ id: z.string() })
const stock = rest({ url: env("STOCK_URL"), policy: { retry: 0, breaker: false, timeout: "1s" } })
const asked = (path: string) => stock.call<{ id: string }, void>(`POST /${path}`, { repeat: { key: "X-Key" }, map: () => undefined })
const write = { effect: "write", input: Order, output: nothing } as const
const reserve = op(write).via(asked("reserve"))
const release = op(write).via(asked("release"))
const pack = op(write).via(asked("pack"))
const ops = {
  reserve,
  release,
  pack,
  order: op({ ...write, repeat: "key" }).via(
    flow(async (order, s) => {
      await s.run(reserve, order, { undo: () => s.run(release, order) })
      await s.run(pack, order)
    }),
  ),
}
const app = trestle({ name: "again", ops })

/** Keys of the requests to one path, in their order. */
function keysTo(t: TestApp<typeof ops>, path: string): unknown[] {
  return t.sent(stock).flatMap(({ path: at, headers }) => (at === `/${path}` ? [headers["x-key"]] : []))
}

/** Until nothing is left that would run again by itself. */
async function settle(t: TestApp<typeof ops>): Promise<void> {
  for (let i = 0; i < 5; i++) {
    await t.clock.advance(600_000)
    await t.drain()
  }
}

describe("a flow again", () => {
  test("a step may have happened, then is refused in the next run → it is asked for until it is decided", async () => {
    await using t = await testApp(app)
    t.wire(stock).on("POST /reserve").drops({ times: 1 }).wire(stock).on("POST /reserve").reply(429, {}, { times: 1 })
    t.wire(stock).on("POST /reserve").reply(201, {})
    t.wire(stock).on("POST /pack").reply(201, {})
    const begun = t.internal().order.safe({ id: "7" })
    await settle(t)
    await begun
    expect(keysTo(t, "reserve")).toHaveLength(3)
    expect(new Set(keysTo(t, "reserve")).size).toBe(1)
    expect(keysTo(t, "pack")).toHaveLength(1)
  })

  test("undone, then begun anew under the key of its caller → its steps are others", async () => {
    await using t = await testApp(app)
    t.wire(stock).on("POST /reserve").reply(201, {}).wire(stock).on("POST /release").reply(201, {})
    t.wire(stock).on("POST /pack").reply(429, {}, { times: 1 }).wire(stock).on("POST /pack").reply(201, {})
    expect(await t.internal().order.safe({ id: "7" }, { idempotencyKey: "k" })).toMatchObject({ ok: false, outcome: "refused" })
    expect(await t.internal().order.safe({ id: "7" }, { idempotencyKey: "k" })).toMatchObject({ ok: true })
    expect(new Set(keysTo(t, "reserve")).size).toBe(2)
    expect(keysTo(t, "release")).toHaveLength(1)
  })

  test("an undo may have happened → it is run again, and the flow ends", async () => {
    await using t = await testApp(app)
    t.wire(stock).on("POST /reserve").reply(201, {}).wire(stock).on("POST /pack").reply(429)
    t.wire(stock).on("POST /release").drops({ times: 1 }).wire(stock).on("POST /release").reply(201, {})
    const begun = t.internal().order.safe({ id: "7" })
    await settle(t)
    await begun
    expect(keysTo(t, "release")).toHaveLength(2)
    expect(await t.outbox()).toEqual({ waiting: 0, dead: 0, parked: 0 })
    expect((await t.jobs()).map(({ state }) => state)).toEqual(["failed"])
  })
})

import { afterEach, describe, expect, test } from "vitest"
import { z } from "zod"
import { anyone, code, defer, env, fallback, flow, nothing, op, rest, topic, trestle } from "../../src/index.ts"
import { type TestApp, testApp } from "../../src/testing/index.ts"

const ada = { id: "ada", kind: "user" } as const
const crm = rest({ url: env("CRM_URL"), policy: { retry: 0 } })
const Order = z.object({ item: z.string() })
const Placed = z.object({ id: z.number().nullable(), item: z.string() })
const keyed = { input: Order, output: Placed, allow: anyone("a test"), repeat: "key", deadline: "3s" } as const
const ordered = topic("ordered", Order)

let effects = 0
let finish: (() => void) | null = null
const step = op({ effect: "write", repeat: "key", input: Order, output: Placed }).via(
  code(async ({ item }) => {
    if (item === "slow") await new Promise<void>((resolve) => (finish = resolve))
    return { id: ++effects, item }
  }),
)
const placed = op({ http: "POST /flows", ...keyed }).via(flow(async (input, s) => s.run(step, input)))
const later = op({ http: "POST /later", ...keyed }).via(
  fallback(
    crm.call("POST /orders", { repeat: { key: "Idempotency-Key" } }),
    defer(({ item }) => ({ id: null, item }), { expires: "3d" }),
  ),
)
const ops = {
  step,
  placed,
  later,
  around: op({ http: "POST /around", ...keyed }).via(code((input, ctx) => ctx.run(placed, input))),
  waits: op({ http: "POST /waits", ...keyed }).via(
    flow(async (input, s) => {
      await s.run(step, input)
      return s.run(later, input)
    }),
  ),
  heard: op({ on: ordered, effect: "write", input: Order, output: nothing, repeat: "key" }).via(
    code(async (input, ctx) => {
      await ctx.run(step, input)
      if (input.item === "fails once" && effects === 1 && failures++ === 0) throw new Error("after the step")
    }),
  ),
}
let failures = 0
const key = { idempotencyKey: "k1" }

let t: TestApp<typeof ops>
afterEach(() => t.close())
const open = async (): Promise<void> => {
  effects = 0
  failures = 0
  finish = null
  t = await testApp(trestle({ name: "orders", ops }))
}

describe("a flow under a key", () => {
  test("made again → the same answer, one flow", async () => {
    await open()
    expect(await t.as(ada).placed({ item: "tea" }, key)).toEqual({ id: 1, item: "tea" })
    expect(await t.as(ada).placed({ item: "tea" }, key)).toEqual({ id: 1, item: "tea" })
    expect([effects, (await t.jobs()).filter(({ kind }) => kind === "flow").length]).toEqual([1, 1])
  })

  test("still under way when its caller's deadline is over → PENDING, again PENDING with the same work, then the answer", async () => {
    await open()
    const first = t.as(ada).placed.safe({ item: "slow" }, key)
    await t.clock.advance("3s")
    const pending = await first
    expect(pending).toMatchObject({ code: "PENDING" })
    const again = t.as(ada).placed.safe({ item: "slow" }, key)
    await t.clock.advance("3s")
    expect(await again).toMatchObject({ code: "PENDING", work: (pending as any).work })
    finish!()
    await t.clock.advance(0)
    expect(await t.as(ada).placed({ item: "slow" }, key)).toEqual({ id: 1, item: "slow" })
    expect(effects).toBe(1)
  })

  test("run inside of code, and still under way at the deadline → unknown from then on: the code would begin another", async () => {
    await open()
    const first = t.as(ada).around.safe({ item: "slow" }, key)
    await t.clock.advance("3s")
    expect(await first).toMatchObject({ outcome: "unknown" })
    expect(await t.as(ada).around.safe({ item: "slow" }, key)).toMatchObject({ code: "OUTCOME_UNKNOWN" })
    finish!()
    await t.clock.advance(0)
    expect(effects).toBe(1)
  })

  test("the same key for another input, while it is pending → KEY_REUSED", async () => {
    await open()
    const first = t.as(ada).placed.safe({ item: "slow" }, key)
    await t.clock.advance("3s")
    await first
    expect(await t.as(ada).placed.safe({ item: "tea" }, key)).toMatchObject({ code: "KEY_REUSED" })
    finish!()
    await t.clock.advance(0)
  })
})

describe("a deferred write under a key", () => {
  test("made again → the same provisional answer and the same work; sent once when the service is back", async () => {
    await open()
    t.wire(crm).down()
    const first = await t.as(ada).later.detailed({ item: "tea" }, key)
    const again = await t.as(ada).later.detailed({ item: "tea" }, key)
    expect(again.value).toEqual({ id: null, item: "tea" })
    expect([again.meta.work, again.meta.degraded]).toEqual([first.meta.work, first.meta.degraded])
    expect(first.meta.work).toBeDefined()
    t.wire(crm).up()
    t.wire(crm).on("POST /orders").reply(201, { id: 7, item: "tea" })
    await t.clock.advance("1m")
    await t.drain()
    await t.clock.advance("1h")
    await t.drain()
    expect(t.sent(crm)).toHaveLength(1)
  })

  test("longer than a day, and as long as what was deferred may wait → still the same answer", async () => {
    await open()
    t.wire(crm).down()
    const first = await t.as(ada).later.detailed({ item: "tea" }, key)
    await t.clock.advance("70h")
    expect((await t.as(ada).later.detailed({ item: "tea" }, key)).meta.work).toBe(first.meta.work)
  })
})

describe("a consumer's step under a key", () => {
  test("the consumer fails after the step, and is run again → the step has its effect once", async () => {
    await open()
    await t.deliver(ordered, { item: "fails once" })
    await t.clock.advance("1h")
    await t.drain()
    expect([effects, failures]).toEqual([1, 2])
  })
})

describe("one id in two tenants", () => {
  const red = { ...ada, tenant: "red" }
  const blue = { ...ada, tenant: "blue" }

  test("with one key → two effects", async () => {
    await open()
    expect(await t.as(red).around({ item: "tea" }, key)).toEqual({ id: 1, item: "tea" })
    expect(await t.as(blue).around({ item: "tea" }, key)).toEqual({ id: 2, item: "tea" })
  })

  test("a service with keys, asked by both → two keys", async () => {
    await open()
    t.wire(crm).on("POST /orders").reply(201, { id: 7, item: "tea" })
    for (const who of [red, blue]) await t.as(who).later({ item: "tea" }, key)
    expect(new Set(t.sent(crm).map(({ headers }) => headers["idempotency-key"])).size).toBe(2)
  })

  test("work of one → is not there for the other", async () => {
    await open()
    t.wire(crm).down()
    const { meta } = await t.as(red).later.detailed({ item: "tea" })
    const statusFor = async (as: typeof red): Promise<number> => (await t.http(`GET /work/${meta.work}`, { as })).status
    expect([await statusFor(red), await statusFor(blue)]).toEqual([200, 404])
  })
})

describe("work that somebody has dropped", () => {
  const flowOf = async (): Promise<string> => (await t.jobs()).find(({ kind }) => kind === "flow")!.id

  test("a flow, and its caller asks again → unknown, and nothing is done again", async () => {
    await open()
    t.wire(crm).down()
    const first = t.as(ada).waits.safe({ item: "tea" }, key)
    await t.clock.advance("3s")
    expect(await first).toMatchObject({ code: "PENDING" })
    expect(await t.drop(await flowOf())).toBe(true)
    expect(await t.as(ada).waits.safe({ item: "tea" }, key)).toMatchObject({ code: "OUTCOME_UNKNOWN" })
    expect([effects, await t.jobs()]).toEqual([1, []])
  })

  test("a flow that waits for a deferred write → that is not sent any more", async () => {
    await open()
    t.wire(crm).down()
    const first = t.as(ada).waits.safe({ item: "tea" }, key)
    await t.clock.advance("3s")
    await first
    await t.drop(await flowOf())
    t.wire(crm).up()
    t.wire(crm).on("POST /orders").reply(201, { id: 7, item: "tea" })
    await t.clock.advance("1h")
    await t.drain()
    expect(t.sent(crm)).toEqual([])
  })

  test("a deferred write, and its caller asks again → unknown", async () => {
    await open()
    t.wire(crm).down()
    const { meta } = await t.as(ada).later.detailed({ item: "tea" }, key)
    await t.drop(meta.work!)
    expect(await t.as(ada).later.safe({ item: "tea" }, key)).toMatchObject({ code: "OUTCOME_UNKNOWN" })
  })
})

describe("a call under a key whose flow is there", () => {
  test("again while the first still waits → joins it: PENDING with its address, not KEY_IN_USE; then its answer, as a replay", async () => {
    await open()
    const first = t.as(ada).placed.safe({ item: "slow" }, key)
    await t.clock.advance("1s")
    const again = t.as(ada).placed.safe({ item: "slow" }, { ...key, deadline: "1s" })
    await t.clock.advance("1s")
    expect(await again).toMatchObject({ code: "PENDING", work: (await t.jobs())[0]!.id })
    await t.clock.advance("1s")
    await first
    finish!()
    await t.clock.advance(0)
    const later = await t.http("POST /flows", { as: ada, json: { item: "slow" }, headers: { "idempotency-key": "k1" } })
    expect([later.status, later.headers.get("idempotent-replayed"), effects]).toEqual([201, "true", 1])
  })
})

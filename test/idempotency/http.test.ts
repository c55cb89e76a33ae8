import { afterEach, describe, expect, test } from "vitest"
import { z } from "zod"
import { anyone, code, env, nothing, op, rest, signedIn, trestle } from "../../src/index.ts"
import { type TestApp, testApp } from "../../src/testing/index.ts"

const ada = { id: "ada", kind: "user" } as const
const crm = rest({ url: env("CRM_URL"), policy: { retry: 0 } })
const Order = z.object({ item: z.string() })
const Placed = z.object({ id: z.number(), item: z.string() })
const keyed = { input: Order, output: Placed, allow: anyone("a test"), repeat: "key", deadline: "3s" } as const

let effects = 0
const place = code<{ item: string }, { id: number; item: string }>(({ item }) => ({ id: ++effects, item }))
const ops = {
  place: op({ http: "POST /orders", ...keyed, errors: { SOLD_OUT: 409 } }).via(place),
  plain: op({ http: "POST /plain", ...keyed, repeat: "none" }).via(place),
  forwarded: op({ http: "POST /forwarded", ...keyed, allow: signedIn() }).via(
    crm.call("POST /orders", { repeat: { key: "Idempotency-Key" } }),
  ),
  onlyForwarded: op({ http: "POST /only-forwarded", ...keyed, repeat: "none", allow: signedIn() }).via(
    crm.call("POST /orders", { repeat: { key: "Idempotency-Key" } }),
  ),
  cancel: op({
    http: "DELETE /orders/{id}",
    input: z.object({ id: z.string() }),
    output: nothing,
    allow: anyone("a test"),
    anyObject: "a test",
    repeat: "key",
  }).via(code(() => void effects++)),
  versioned: op({
    http: "PUT /orders/{id}",
    input: Order.extend({ id: z.string() }),
    output: Placed,
    allow: anyone("a test"),
    anyObject: "a test",
    repeat: "key",
  }).via(code(({ item }) => ({ id: ++effects, item }))),
}
const app = trestle({ name: "orders", ops })

let t: TestApp<typeof ops>
afterEach(() => t.close())
const open = async (): Promise<void> => {
  effects = 0
  t = await testApp(app)
}
const post = (path: string, key: string | null, json: object = { item: "tea" }) =>
  t.http(`POST ${path}`, { json, headers: key === null ? {} : { "idempotency-key": key } })

describe("Idempotency-Key over HTTP", () => {
  test("the same key → the same status and body, and the header that says so; a trace of its own", async () => {
    await open()
    const [first, again] = [await post("/orders", '"k1"'), await post("/orders", '"k1"')]
    expect([first.status, again.status]).toEqual([201, 201])
    expect(await again.json()).toEqual(await first.json())
    expect([first, again].map(({ headers }) => headers.get("idempotent-replayed"))).toEqual([null, "true"])
    expect(first.headers.get("x-request-id")).not.toBe(again.headers.get("x-request-id"))
    expect(effects).toBe(1)
  })

  test("bare and in quotes, on the route, over rpc, in process → one key", async () => {
    await open()
    await post("/orders", '"k1"')
    await post("/orders", "k1")
    await post("/rpc/place", "k1")
    expect(effects).toBe(1)
    // In process the caller is somebody: another one.
    await t.as(ada).place({ item: "tea" }, { idempotencyKey: "k1" })
    expect(effects).toBe(2)
    await t.http("POST /rpc/place", { as: ada, json: { item: "tea" }, headers: { "idempotency-key": "k1" } })
    expect(effects).toBe(2)
  })

  test("no key → made each time", async () => {
    await open()
    await post("/orders", null)
    await post("/orders", null)
    expect(effects).toBe(2)
  })

  test.each(["", '""', "a, b", "ä", "k".repeat(256), "a b", '"a";v=1'])("%j → 400 that names the header; nothing happens", async (key) => {
    await open()
    const reply = await t.http("POST /orders", {
      json: { item: "tea" },
      headers: { "idempotency-key": Buffer.from(key).toString("latin1") },
    })
    expect(reply.status).toBe(400)
    expect(await reply.json()).toMatchObject({ code: "INVALID", issues: [{ path: "Idempotency-Key" }] })
    expect(effects).toBe(0)
  })

  test("no key, in an operation without keys → taken as ever", async () => {
    await open()
    expect((await post("/plain", "a, b")).status).toBe(201)
  })

  test("another body → 422 KEY_REUSED", async () => {
    await open()
    await post("/orders", "k1")
    const reply = await post("/orders", "k1", { item: "coffee" })
    expect(reply.status).toBe(422)
    expect(await reply.json()).toMatchObject({ code: "KEY_REUSED", type: "urn:trestle:error:key-reused", outcome: "refused" })
  })

  test("under way → 409 KEY_IN_USE with Retry-After", async () => {
    await open()
    t.backend(ops.place).replies(() => new Promise(() => {}))
    const first = t.as(ada).place.safe({ item: "tea" }, { idempotencyKey: "k1" })
    await t.clock.advance(0)
    const reply = await t.http("POST /orders", { as: ada, json: { item: "tea" }, headers: { "idempotency-key": "k1" } })
    expect([reply.status, reply.headers.get("retry-after")]).toEqual([409, "1"])
    expect(await reply.json()).toMatchObject({ code: "KEY_IN_USE", outcome: "unknown", retryAfterMs: 1_000 })
    await t.clock.advance("4s")
    await first
  })

  test("a declared error → again with its status, and the header that says so", async () => {
    await open()
    t.backend(ops.place).replies((_, ctx) => ctx.fail("SOLD_OUT" as never, "no tea"), { times: 1 })
    const [first, again] = [await post("/orders", "k1"), await post("/orders", "k1")]
    expect([first.status, again.status, again.headers.get("idempotent-replayed")]).toEqual([409, 409, "true"])
    expect(await again.json()).toMatchObject({ code: "SOLD_OUT", detail: "no tea" })
  })

  test("an answer of nothing → 204 again", async () => {
    await open()
    const cancel = () => t.http("DELETE /orders/7", { headers: { "idempotency-key": "k1" } })
    expect([(await cancel()).status, (await cancel()).status, effects]).toEqual([204, 204, 1])
  })

  test("the same key for another object of the path → 422", async () => {
    await open()
    const put = (id: string) => t.http(`PUT /orders/${id}`, { json: { item: "tea" }, headers: { "idempotency-key": "k1" } })
    expect([(await put("1")).status, (await put("2")).status]).toEqual([200, 422])
  })

  test("a replay → is told in the record of the call", async () => {
    await open()
    await post("/orders", "k1")
    await post("/orders", "k1")
    expect(t.calls().map(({ isReplayed }) => isReplayed)).toEqual([false, true])
  })
})

describe("services that take keys", () => {
  test.each(["forwarded", "onlyForwarded"] as const)("%s: two callers with the same key → two keys at the service", async (name) => {
    await open()
    t.wire(crm).on("POST /orders").reply(201, { id: 1, item: "tea" })
    for (const id of ["ada", "bob"]) await t.as({ id, kind: "user" })[name]({ item: "tea" }, { idempotencyKey: "k1" })
    const keys = t.sent(crm).map(({ headers }) => headers["idempotency-key"])
    expect(new Set(keys).size).toBe(2)
  })

  test("refused, then made again with the same key → the same key at the service", async () => {
    await open()
    t.wire(crm).down()
    expect(await t.as(ada).forwarded.safe({ item: "tea" }, { idempotencyKey: "k1" })).toMatchObject({ outcome: "refused" })
    t.wire(crm).up()
    t.wire(crm).on("POST /orders").reply(429, {}, { times: 1 })
    t.wire(crm).on("POST /orders").reply(201, { id: 1, item: "tea" })
    expect(await t.as(ada).forwarded.safe({ item: "tea" }, { idempotencyKey: "k1" })).toMatchObject({ outcome: "refused" })
    expect(await t.as(ada).forwarded({ item: "tea" }, { idempotencyKey: "k1" })).toEqual({ id: 1, item: "tea" })
    const keys = t.sent(crm).map(({ headers }) => headers["idempotency-key"])
    expect([keys.length, new Set(keys).size]).toEqual([2, 1])
  })
})

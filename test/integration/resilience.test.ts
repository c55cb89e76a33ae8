// The rules of failure.md (Outcomes, Attempts, Fallbacks), one test each, through a whole application: only network and clock are a test's.
import { describe, expect, test } from "vitest"
import { z } from "zod"
import { code, env, fallback, op, type Policy, type Principal, rest, signedIn, trestle, value } from "../../src/index.ts"
import { type TestApp, testApp } from "../../src/testing/index.ts"

/** Without a breaker, so that each test shows one rule; the breaker has its own service. */
const PLAIN: Policy = { breaker: false, timeout: "2s", retry: { times: 2, backoff: "100ms" } }
const crm = rest({ url: env("CRM_URL"), policy: PLAIN })
const replica = rest({ url: env("CRM_EU_URL"), policy: PLAIN, replicaOf: crm })
const shy = rest({ url: env("SHY_URL"), policy: PLAIN, refuses: [503] })
const brittle = rest({
  url: env("BRITTLE_URL"),
  policy: { retry: 0, timeout: "1s", breaker: { failures: 3, of: 5, slow: "800ms", rest: "10s" } },
})
const narrow = rest({ url: env("NARROW_URL"), policy: { ...PLAIN, retry: 0, concurrency: 1, queue: 1 } })

const Id = z.object({ id: z.string() })
const Thing = z.object({ id: z.string(), name: z.string() })
const write = { effect: "write", input: Thing, output: Thing } as const
const read = { effect: "read", input: Id, output: Thing, errors: { GONE: 410 } } as const
const none = { id: "", name: "default" }

const get = op(read).via(crm.call("GET /things/{id}", { errors: { 410: "GONE" } }))
const ops = {
  get,
  add: op(write).via(crm.call("POST /things")),
  addKeyed: op(write).via(crm.call("POST /things", { repeat: { key: "Idempotency-Key" } })),
  addLookedUp: op(write).via(crm.call("POST /things", { repeat: { key: "Idempotency-Key" }, lookup: crm.call("GET /things/{id}") })),
  put: op(write).via(crm.call("PUT /things/{id}", { body: (i) => i })),
  shyAdd: op(write).via(shy.call("POST /things")),
  getOr: op(read).via(fallback(crm.call("GET /things/{id}", { errors: { 410: "GONE" } }), replica.call("GET /things/{id}"), value(none))),
  addOr: op(write).via(fallback(crm.call("POST /things"), replica.call("POST /things"))),
  brittleGet: op(read).via(brittle.call("GET /things/{id}")),
  brittleAdd: op(write).via(brittle.call("POST /things")),
  brittleOr: op(read).via(fallback(brittle.call("GET /things/{id}"), value(none))),
  narrowGet: op(read).via(narrow.call("GET /things/{id}")),
  narrowOr: op(read).via(fallback(narrow.call("GET /things/{id}"), value(none))),
  owned: op({
    http: "PUT /owned/{id}",
    input: Id,
    output: Thing,
    allow: signedIn(),
    owner: { load: get, is: (row, who) => row.name === who.id },
    deadline: "1s",
  }).via(code((i) => ({ ...i, name: "mine" }))),
  nested: op({ ...read, deadline: "3s" }).via(code(async (i, ctx) => ({ ...(await ctx.run(get, i)), id: "nested" }))),
  throwing: op(write).via(
    code(() => {
      throw new Error("half way")
    }),
  ),
}
// `ctx.run` of operations that stand in the same object.
const composed = {
  both: op({ ...read, output: z.array(Thing) }).via(code(async (i, ctx) => [await ctx.run(ops.getOr, i), await ctx.run(get, i)])),
  afterWrite: op(write).via(code(async (i, ctx) => ctx.run(ops.add, i))),
}
const app = trestle({ name: "resilience", ops: { ...ops, ...composed } })
type T = TestApp<{ [K in keyof (typeof ops & typeof composed)]: (typeof ops & typeof composed)[K] }>

const thing = { id: "7", name: "Ada" }
const who: Principal = { id: "Ada", kind: "user" }
/** A test application that is closed, and so has met no request that nobody programmed. */
const given = (name: string, run: (t: T) => Promise<void>): void =>
  test(name, async () => {
    await using t = await testApp(app)
    await run(t as T)
  })
const failed = async (call: Promise<unknown>): Promise<any> =>
  call.then(
    (answer) => expect.unreachable(`it answered ${JSON.stringify(answer)}`),
    (error) => error,
  )

describe("outcomes", () => {
  given("failure before the first byte left → refused, for read and write", async (t) => {
    t.wire(crm).down()
    expect(await failed(t.internal().get({ id: "7" }))).toMatchObject({ outcome: "refused", code: "UNAVAILABLE" })
    expect(await failed(t.internal().add(thing))).toMatchObject({ outcome: "refused", code: "UNAVAILABLE" })
  })
  given("connection lost after the request left → unknown; a write says OUTCOME_UNKNOWN", async (t) => {
    t.wire(crm).on("GET /things/{id}").drops()
    t.wire(crm).on("POST /things").drops()
    // A read changes nothing, so to its caller nothing has happened.
    expect(await failed(t.internal().get({ id: "7" }))).toMatchObject({
      outcome: "refused",
      reason: "connection-lost",
      code: "UNAVAILABLE",
    })
    expect(await failed(t.internal().add(thing))).toMatchObject({ outcome: "unknown", code: "OUTCOME_UNKNOWN" })
  })
  for (const status of [429, 425]) {
    given(`${status} → refused`, async (t) => {
      t.wire(crm).on("POST /things").reply(status)
      expect(await failed(t.internal().add(thing))).toMatchObject({ outcome: "refused", code: "UNAVAILABLE" })
    })
  }
  for (const status of [408, 500, 502, 503, 504]) {
    given(`${status} → unknown`, async (t) => {
      t.wire(crm).on("POST /things").reply(status)
      expect(await failed(t.internal().add(thing))).toMatchObject({ outcome: "unknown", code: "OUTCOME_UNKNOWN" })
    })
  }
  given("503 of a service that declares it to mean refusal → refused", async (t) => {
    t.wire(shy).on("POST /things").reply(503)
    expect(await failed(t.internal().shyAdd(thing))).toMatchObject({ outcome: "refused" })
  })
  given("4xx → answered, one attempt, with the contract's own code where it declares one", async (t) => {
    t.wire(crm).on("GET /things/{id}").reply(410, {}, { times: 1 })
    expect(await failed(t.internal().get({ id: "7" }))).toMatchObject({ outcome: "answered", code: "GONE", status: 410 })
    t.wire(crm).on("GET /things/{id}").reply(404)
    expect(await failed(t.internal().get({ id: "7" }))).toMatchObject({ outcome: "answered", code: "NOT_FOUND" })
    t.wire(crm).on("POST /things").reply(422)
    expect(await failed(t.internal().add(thing))).toMatchObject({ outcome: "answered", code: "INTERNAL" })
    expect(t.sent(crm).length).toBe(3)
  })
  given("an answer that does not fit → a read fails, a write is unknown; neither is repeated", async (t) => {
    t.wire(crm).on("GET /things/{id}").reply(200, { id: 7 })
    t.wire(crm).on("POST /things").reply(201, { id: 7 })
    expect(await failed(t.internal().get({ id: "7" }))).toMatchObject({ code: "INTERNAL", reason: "output-misfit" })
    expect(await failed(t.internal().add(thing))).toMatchObject({ outcome: "unknown", code: "OUTCOME_UNKNOWN" })
    expect(t.sent(crm).length).toBe(2)
  })
  given("a throw from code() of a write → unknown", async (t) => {
    expect(await failed(t.internal().throwing(thing))).toMatchObject({ outcome: "unknown", code: "OUTCOME_UNKNOWN" })
  })
})

describe("attempts", () => {
  given("a write without a promise of its service is never repeated after unknown", async (t) => {
    t.wire(crm).on("POST /things").drops()
    await failed(t.internal().add(thing))
    expect(t.sent(crm).length).toBe(1)
  })
  given("a write without a promise is repeated after refused", async (t) => {
    t.wire(crm).on("POST /things").reply(429, undefined, { times: 2 })
    t.wire(crm).on("POST /things").reply(201, thing)
    expect(await t.internal().add.detailed(thing)).toMatchObject({ value: thing, meta: { attempts: 3 } })
  })
  given("a natural write is repeated after unknown, byte for byte", async (t) => {
    t.wire(crm).on("PUT /things/{id}").drops({ times: 2 })
    t.wire(crm).on("PUT /things/{id}").reply(200, thing)
    expect((await t.internal().put.detailed(thing)).meta.attempts).toBe(3)
    expect(new Set(t.sent(crm).map(({ text }) => text))).toEqual(new Set([JSON.stringify(thing)]))
  })
  given("a write with a key is repeated after unknown: the same key, the same bytes, the same header", async (t) => {
    t.wire(crm).on("POST /things").reply(500, undefined, { times: 1 })
    t.wire(crm).on("POST /things").drops({ times: 1 })
    t.wire(crm).on("POST /things").reply(201, thing)
    await t.internal().addKeyed(thing, { idempotencyKey: "k1" })
    const [first, ...others] = t.sent(crm)
    expect(first?.headers["idempotency-key"]).toMatch(/^[\w-]{32}$/)
    for (const other of others) expect([other.headers, other.text]).toEqual([first?.headers, first?.text])
    expect(others.length).toBe(2)
  })
  given("the key follows the caller's intent: same intent same key, another intent another", async (t) => {
    t.wire(crm).on("POST /things").reply(201, thing)
    for (const idempotencyKey of ["k1", "k1", "k2"]) await t.internal().addKeyed(thing, { idempotencyKey })
    await t.internal().addKeyed(thing)
    const [a, b, c, d] = t.sent(crm).map(({ headers }) => headers["idempotency-key"])
    expect([a === b, a === c, a === d, c === d]).toEqual([true, false, false, false])
  })
  given("backoff: exponential, jittered, never longer than its step", async (t) => {
    t.wire(crm).on("GET /things/{id}").reply(500)
    await failed(t.internal().get({ id: "7" }))
    expect([t.lastCall().attempts, t.lastCall().ms > 0, t.lastCall().ms <= 100 + 200]).toEqual([3, true, true])
  })
  given("Retry-After is waited for", async (t) => {
    t.wire(crm)
      .on("GET /things/{id}")
      .reply(429, undefined, { times: 1, headers: { "Retry-After": "4" } })
    t.wire(crm).on("GET /things/{id}").reply(200, thing)
    await t.internal().get({ id: "7" })
    expect(t.lastCall()).toMatchObject({ attempts: 2, ms: 4_000 })
  })
  given("Retry-After beyond the deadline → no further attempt, answered at once", async (t) => {
    t.wire(crm)
      .on("GET /things/{id}")
      .reply(503, undefined, { headers: { "Retry-After": "11" } })
    expect(await failed(t.internal().get({ id: "7" }))).toMatchObject({ retryAfterMs: 11_000 })
    expect(t.lastCall()).toMatchObject({ attempts: 1, ms: 0 })
  })
  given("a total outage, 10,000 calls → the reserve is spent, and nothing is earned", async (t) => {
    t.wire(crm).down()
    let attempts = 0
    for (let i = 0; i < 10_000; i++) {
      await failed(t.internal().get({ id: "7" }))
      attempts += t.lastCall().attempts
    }
    expect(attempts).toBe(10_010)
  })
  given("409 after an own unknown attempt, with lookup → looked up", async (t) => {
    t.wire(crm).on("POST /things").drops({ times: 1 })
    t.wire(crm).on("POST /things").reply(409)
    t.wire(crm)
      .on("GET /things/{id}")
      .reply(200, { ...thing, name: "looked up" })
    expect(await t.internal().addLookedUp(thing)).toEqual({ ...thing, name: "looked up" })
  })
  given("409 after an own unknown attempt, without lookup → OUTCOME_UNKNOWN", async (t) => {
    t.wire(crm).on("POST /things").drops({ times: 1 })
    t.wire(crm).on("POST /things").reply(409)
    expect(await failed(t.internal().addKeyed(thing))).toMatchObject({ code: "OUTCOME_UNKNOWN", reason: "own-conflict" })
  })
  given("409 after an own refused attempt → a real conflict", async (t) => {
    t.wire(crm).on("POST /things").reply(429, undefined, { times: 1 })
    t.wire(crm).on("POST /things").reply(409)
    expect(await failed(t.internal().addKeyed(thing))).toMatchObject({ code: "CONFLICT", outcome: "answered" })
  })
  given("an attempt's timeout → unknown, then repeated where it may be", async (t) => {
    t.wire(crm).on("GET /things/{id}").hangs({ times: 1 })
    t.wire(crm).on("GET /things/{id}").reply(200, thing)
    const call = t.internal().get.detailed({ id: "7" })
    await t.clock.advance("2s")
    expect((await call).meta.attempts).toBe(2)
    expect(t.sent(crm).map(({ isStopped }) => isStopped)).toEqual([true, false])
  })
})

describe("circuit breaker", () => {
  const fail = async (t: T, times: number): Promise<void> => {
    for (let i = 0; i < times; i++) await failed(t.internal().brittleGet({ id: "7" }))
  }
  given("opens at its failures: then nothing leaves, refused, with the time of the next probe", async (t) => {
    t.wire(brittle).on("GET /things/{id}").reply(500)
    await fail(t, 3)
    await t.clock.advance("4s")
    expect(await failed(t.internal().brittleGet({ id: "7" }))).toMatchObject({
      reason: "circuit-open",
      outcome: "refused",
      retryAfterMs: 6_000,
    })
    expect(t.sent(brittle).length).toBe(3)
  })
  given("half-open → exactly one probe; it succeeds → closed", async (t) => {
    t.wire(brittle).on("GET /things/{id}").reply(500, undefined, { times: 3 })
    t.wire(brittle).on("GET /things/{id}").reply(200, thing)
    await fail(t, 3)
    await t.clock.advance("10s")
    const results = await Promise.all(Array.from({ length: 5 }, () => t.internal().brittleGet.safe({ id: "7" })))
    expect(results.filter(({ ok }) => ok).length).toBe(1)
    expect(t.sent(brittle).length).toBe(4)
    expect(await t.internal().brittleGet({ id: "7" })).toEqual(thing)
  })
  given("half-open → the probe fails → open again for its whole rest", async (t) => {
    t.wire(brittle).on("GET /things/{id}").reply(500)
    await fail(t, 3)
    await t.clock.advance("10s")
    await fail(t, 1)
    await t.clock.advance(9_999)
    expect(await failed(t.internal().brittleGet({ id: "7" }))).toMatchObject({ reason: "circuit-open" })
    expect(t.sent(brittle).length).toBe(4)
  })
  given("a caller who gives up during the probe → the next one may probe", async (t) => {
    t.wire(brittle).on("GET /things/{id}").reply(500, undefined, { times: 3 })
    t.wire(brittle).on("GET /things/{id}").hangs({ times: 1 })
    t.wire(brittle).on("GET /things/{id}").reply(200, thing)
    await fail(t, 3)
    await t.clock.advance("10s")
    const given = new AbortController()
    const call = failed(t.internal().brittleGet({ id: "7" }, { signal: given.signal }))
    await t.clock.advance(1)
    given.abort()
    expect(await call).toMatchObject({ code: "CANCELLED" })
    expect(await t.internal().brittleGet({ id: "7" })).toEqual(thing)
  })
  given("timeouts count", async (t) => {
    t.wire(brittle).on("GET /things/{id}").hangs()
    const calls = [0, 1, 2].map(() => failed(t.internal().brittleGet({ id: "7" })))
    await t.clock.advance("1s")
    expect((await Promise.all(calls)).map(({ reason }) => reason)).toEqual(Array(3).fill("timeout-sent"))
    expect(await failed(t.internal().brittleGet({ id: "7" }))).toMatchObject({ reason: "circuit-open" })
  })
  given("slowness counts", async (t) => {
    t.wire(brittle)
      .on("GET /things/{id}")
      .replies(async () => {
        await t.clock.pause(900)
        return { status: 200, body: thing }
      })
    for (let i = 0; i < 3; i++) expect(await t.internal().brittleGet({ id: "7" })).toEqual(thing)
    expect(await failed(t.internal().brittleGet({ id: "7" }))).toMatchObject({ reason: "circuit-open" })
  })
  given("4xx, 429, cancelled calls and answers that do not fit → do not count", async (t) => {
    const route = t.wire(brittle).on("GET /things/{id}")
    route.reply(404, undefined, { times: 3 })
    route.reply(429, undefined, { times: 3 })
    route.reply(200, { no: "thing" }, { times: 3 })
    route.reply(200, thing)
    await fail(t, 9)
    await failed(t.internal().brittleGet({ id: "7" }, { signal: AbortSignal.abort() }))
    expect(await t.internal().brittleGet({ id: "7" })).toEqual(thing)
  })
})

describe("fallbacks", () => {
  given("a read falls back after any failure, in order, and says so", async (t) => {
    t.wire(crm).on("GET /things/{id}").reply(500)
    t.wire(replica).on("GET /things/{id}").reply(200, thing)
    expect(await t.internal().getOr.detailed({ id: "7" })).toMatchObject({
      value: thing,
      meta: { servedBy: "crm-eu", attempts: 4, degraded: { why: "crm: HTTP 500" } },
    })
    t.wire(replica).down()
    expect(await t.internal().getOr.detailed({ id: "7" })).toMatchObject({
      value: none,
      meta: { servedBy: "value", degraded: { why: "crm-eu: cannot be reached (ECONNREFUSED)" } },
    })
  })
  given("a read falls back from an answer that does not fit", async (t) => {
    t.wire(crm).on("GET /things/{id}").reply(200, { id: 7 })
    t.wire(replica).on("GET /things/{id}").reply(200, thing)
    expect(await t.internal().getOr.detailed({ id: "7" })).toMatchObject({ value: thing, meta: { servedBy: "crm-eu" } })
  })
  given("an open breaker falls back, without an attempt", async (t) => {
    t.wire(brittle).on("GET /things/{id}").reply(500)
    for (let i = 0; i < 3; i++) await t.internal().brittleOr({ id: "7" })
    expect(await t.internal().brittleOr.detailed({ id: "7" })).toMatchObject({
      value: none,
      meta: { attempts: 0, degraded: { why: "brittle: circuit breaker is open" } },
    })
  })
  given("a full bulkhead falls back, without an attempt", async (t) => {
    t.wire(narrow).on("GET /things/{id}").hangs()
    const busy = [failed(t.internal().narrowGet({ id: "1" })), failed(t.internal().narrowGet({ id: "2" }))]
    await t.clock.advance(1)
    expect(await t.internal().narrowOr.detailed({ id: "3" })).toMatchObject({
      value: none,
      meta: { attempts: 0, degraded: { why: "narrow: bulkhead and its queue are full" } },
    })
    expect(await failed(t.internal().narrowGet({ id: "4" }))).toMatchObject({ reason: "bulkhead-full", outcome: "refused" })
    await t.clock.advance("10s")
    await Promise.all(busy)
  })
  given("4xx is an answer and never falls back", async (t) => {
    t.wire(crm).on("GET /things/{id}").reply(410, undefined, { times: 1 })
    t.wire(crm).on("GET /things/{id}").reply(404)
    expect(await failed(t.internal().getOr({ id: "7" }))).toMatchObject({ code: "GONE" })
    expect(await failed(t.internal().getOr({ id: "7" }))).toMatchObject({ code: "NOT_FOUND" })
    expect(t.sent(replica)).toEqual([])
  })
  given("a write falls back after refused, to a replica", async (t) => {
    t.wire(crm).down()
    t.wire(replica).on("POST /things").reply(201, thing)
    expect(await t.internal().addOr.detailed(thing)).toMatchObject({
      value: thing,
      meta: { servedBy: "crm-eu", degraded: { why: expect.stringContaining("crm: cannot be reached") } },
    })
  })
  given("a write never falls back after unknown", async (t) => {
    for (const how of ["drops", "misfit", 500] as const) {
      if (how === "drops") t.wire(crm).on("POST /things").drops()
      else
        t.wire(crm)
          .on("POST /things")
          .reply(how === 500 ? 500 : 201, {})
      expect(await failed(t.internal().addOr(thing))).toMatchObject({ code: "OUTCOME_UNKNOWN" })
    }
    expect(t.sent(replica)).toEqual([])
  })
  test("a write that falls back to what is no replica, or to a value → does not start", () => {
    const other = rest({ url: env("OTHER_URL") })
    const toOther = op(write).via(fallback(crm.call("POST /things"), other.call("POST /things")))
    const toValue = op(write).via(fallback(crm.call("POST /things"), value(thing)))
    const found = trestle({ name: "bad", ops: { toOther, toValue } }).check()
    expect(found.map((one) => one.code)).toEqual(expect.arrayContaining(["TRS1010", "TRS1009"]))
  })
})

describe("deadline", () => {
  given("bounds attempts and pauses together", async (t) => {
    t.wire(crm).on("GET /things/{id}").hangs()
    const call = failed(t.internal().get({ id: "7" }, { deadline: "5s" }))
    await t.clock.advance("5s")
    expect(await call).toMatchObject({ code: "TIMEOUT" })
    expect(t.lastCall().ms).toBe(5_000)
    expect(t.sent(crm).every(({ isStopped }) => isStopped)).toBe(true)
  })
  given("bounds fallbacks: no service is asked after it", async (t) => {
    t.wire(crm).on("GET /things/{id}").hangs()
    const call = t.internal().getOr.detailed({ id: "7" }, { deadline: "1s" })
    await t.clock.advance("1s")
    // What needs no service may still answer in the last moment.
    expect(await call).toMatchObject({ value: none, meta: { ms: 1_000, attempts: 1, degraded: { why: "crm-eu: no time was left" } } })
    expect(t.sent(replica)).toEqual([])
  })
  given("a deadline that is over says nothing of the service: the breaker stays closed, no attempt is counted", async (t) => {
    t.wire(brittle).on("GET /things/{id}").reply(200, thing)
    for (let i = 0; i < 5; i++) {
      expect(await failed(t.internal().brittleGet({ id: "7" }, { deadline: 0 }))).toMatchObject({ code: "TIMEOUT", outcome: "refused" })
      expect(t.lastCall().attempts).toBe(0)
    }
    expect(await t.internal().brittleGet({ id: "7" })).toEqual(thing)
    t.wire(narrow).on("GET /things/{id}").reply(200, thing)
    await failed(t.internal().narrowGet({ id: "7" }, { deadline: 0 }))
    expect(await t.internal().narrowGet({ id: "7" })).toEqual(thing)
  })
  given("bounds nested calls by the outer one's", async (t) => {
    t.wire(crm).on("GET /things/{id}").hangs()
    const call = failed(t.internal().nested({ id: "7" }))
    await t.clock.advance(2_999)
    expect(t.calls().some(({ operation }) => operation === "nested")).toBe(false)
    await t.clock.advance(1)
    expect(await call).toMatchObject({ code: "TIMEOUT" })
    expect(t.calls().map(({ operation, meta }) => [operation, meta.ms])).toEqual(
      expect.arrayContaining([
        ["get", 3_000],
        ["nested", 3_000],
      ]),
    )
  })
  given("bounds the pauses of nested calls: none that would outlast the outer one's", async (t) => {
    t.wire(crm)
      .on("GET /things/{id}")
      .reply(429, undefined, { headers: { "Retry-After": "4" } })
    expect(await failed(t.internal().nested({ id: "7" }))).toMatchObject({ reason: "rate-limited", retryAfterMs: 4_000 })
    expect(t.lastCall()).toMatchObject({ attempts: 1, ms: 0 })
  })
  given("bounds the loading of the owner's object; a write then was not begun", async (t) => {
    t.wire(crm).on("GET /things/{id}").hangs()
    const call = failed(t.as(who).owned({ id: "7" }))
    await t.clock.advance("1s")
    expect(await call).toMatchObject({ code: "TIMEOUT", outcome: "refused" })
    expect(t.sent(crm)[0]?.isStopped).toBe(true)
  })
  given("bounds the wait in the bulkhead; who waited too long never calls", async (t) => {
    t.wire(narrow).on("GET /things/{id}").hangs()
    const first = failed(t.internal().narrowGet({ id: "1" }))
    const second = failed(t.internal().narrowGet({ id: "2" }, { deadline: "500ms" }))
    await t.clock.advance("500ms")
    expect(await second).toMatchObject({ code: "TIMEOUT", outcome: "refused" })
    await t.clock.advance("2s")
    await first
    expect(t.sent(narrow).map(({ path }) => path)).toEqual(["/things/1"])
  })
  given("who gives up waiting in the bulkhead leaves its place in the queue", async (t) => {
    t.wire(narrow).on("GET /things/{id}").hangs({ times: 1 })
    t.wire(narrow).on("GET /things/{id}").reply(200, thing)
    const first = failed(t.internal().narrowGet({ id: "1" }))
    const second = failed(t.internal().narrowGet({ id: "2" }, { deadline: "500ms" }))
    await t.clock.advance("500ms")
    await second
    const third = t.internal().narrowGet({ id: "3" })
    await t.clock.advance("2s")
    await first
    expect(await third).toEqual(thing)
  })
  given("the wait in the bulkhead does not count as slowness or as the attempt's time", async (t) => {
    t.wire(narrow).on("GET /things/{id}").hangs({ times: 1 })
    t.wire(narrow).on("GET /things/{id}").reply(200, thing)
    const first = failed(t.internal().narrowGet({ id: "1" }))
    const second = t.internal().narrowGet({ id: "2" })
    await t.clock.advance("2s")
    await first
    expect(await second).toEqual(thing)
  })
})

describe("cancel by signal", () => {
  given("before the call → nothing leaves, refused", async (t) => {
    expect(await failed(t.internal().add(thing, { signal: AbortSignal.abort() }))).toMatchObject({ code: "CANCELLED", outcome: "refused" })
    expect(t.sent(crm)).toEqual([])
  })
  given("before the first byte → nothing leaves, refused", async (t) => {
    t.wire(crm).on("POST /things").reply(201, thing)
    const given = new AbortController()
    const call = failed(t.internal().add(thing, { signal: given.signal }))
    given.abort()
    expect(await call).toMatchObject({ code: "CANCELLED", outcome: "refused" })
    await t.clock.advance(1)
    expect(t.sent(crm)).toEqual([])
  })
  given("after the first byte → the connection is closed; a write is unknown, a read cancelled", async (t) => {
    t.wire(crm).on("POST /things").hangs()
    t.wire(crm).on("GET /things/{id}").hangs()
    const given = new AbortController()
    const calls = [
      failed(t.internal().add(thing, { signal: given.signal })),
      failed(t.internal().get({ id: "7" }, { signal: given.signal })),
    ]
    await t.clock.advance(1)
    given.abort()
    expect((await Promise.all(calls)).map(({ code: said, outcome }) => [said, outcome])).toEqual([
      ["OUTCOME_UNKNOWN", "unknown"],
      ["CANCELLED", "refused"],
    ])
    expect(t.sent(crm).map(({ isStopped }) => isStopped)).toEqual([true, true])
  })
  given("of a nested write → the outer write is unknown too", async (t) => {
    t.wire(crm).on("POST /things").hangs()
    const given = new AbortController()
    const call = failed(t.internal().afterWrite(thing, { signal: given.signal }))
    await t.clock.advance(1)
    given.abort()
    expect(await call).toMatchObject({ code: "OUTCOME_UNKNOWN", outcome: "unknown" })
  })
  given("during a pause before a retry → no further attempt", async (t) => {
    t.wire(crm)
      .on("GET /things/{id}")
      .reply(429, undefined, { headers: { "Retry-After": "5" } })
    const given = new AbortController()
    const call = failed(t.internal().get({ id: "7" }, { signal: given.signal }))
    await t.clock.advance("1s")
    given.abort()
    expect(await call).toMatchObject({ code: "CANCELLED" })
    await t.clock.advance("10s")
    expect(t.sent(crm).length).toBe(1)
  })
})

describe("nothing hidden", () => {
  given("servedBy, attempts and degraded of nested calls show outside", async (t) => {
    t.wire(crm).on("GET /things/{id}").reply(500, undefined, { times: 3 })
    t.wire(crm).on("GET /things/{id}").reply(200, thing)
    t.wire(replica).on("GET /things/{id}").reply(200, thing)
    const { meta } = await t.internal().both.detailed({ id: "7" })
    expect(meta).toMatchObject({ servedBy: "crm-eu+crm", attempts: 5, degraded: { why: "crm: HTTP 500" } })
    expect(t.calls().every((call) => call.meta.trace === meta.trace)).toBe(true)
  })
  given("the first choice's answer → not degraded", async (t) => {
    t.wire(crm).on("GET /things/{id}").reply(200, thing)
    expect((await t.internal().getOr.detailed({ id: "7" })).meta).toMatchObject({ servedBy: "crm", attempts: 1, degraded: false })
  })
})

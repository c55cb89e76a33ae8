// The deadline beyond the process: what a service is told of it, and what is taken from a caller.
import { setTimeout as wait } from "node:timers/promises"
import { anyone, apiKey, asFile, asText, code, env, file, nothing, op, pageNumber, raw, rest, secret, stream, trestle } from "trestle"
import { type TestApp, testApp } from "trestle/testing"
import { describe, expect, test } from "vitest"
import { z } from "zod"

const Id = z.object({ id: z.string() })
const Thing = z.object({ id: z.string(), name: z.string() })
const thing = { id: "7", name: "Ada" }
const PATIENT = { timeout: "2s", retry: { times: 1, backoff: "100ms" }, breaker: false } as const

const inMs = rest({ url: env("MS_URL"), deadline: { header: "X-Time-Left-Ms", unit: "ms" }, policy: PATIENT })
const inS = rest({ url: env("S_URL"), deadline: { header: "Request-Timeout", unit: "s" }, policy: PATIENT })
const untold = rest({ url: env("UNTOLD_URL"), policy: PATIENT })
const keyed = rest({
  url: env("KEYED_URL"),
  auth: apiKey(secret("KEYED_KEY"), { header: "X-Time-Left-Ms" }),
  deadline: { header: "X-Time-Left-Ms", unit: "ms" },
})
const read = { effect: "read", input: Id, output: Thing } as const

const caller = trestle({
  name: "caller",
  ops: {
    ms: op(read).via(inMs.call("GET /things/{id}")),
    s: op(read).via(inS.call("GET /things/{id}")),
    untold: op(read).via(untold.call("GET /things/{id}")),
    keyed: op(read).via(keyed.call("GET /things/{id}")),
    own: op(read).via(inMs.call("GET /things/{id}", { headers: () => ({ "x-time-left-ms": "7" }) })),
    text: op({ ...read, output: z.string() }).via(inMs.call("GET /texts/{id}", { answer: asText })),
    picture: op({ effect: "read", input: Id, output: file(), deadline: "1m" }).via(inMs.call("GET /pictures/{id}", { answer: asFile })),
    upload: op({ http: "POST /pictures", input: file(), output: nothing, allow: anyone("test"), deadline: "1m" }).via(
      inMs.call("POST /pictures", { body: raw(({ file }) => file) }),
    ),
    all: op({ effect: "read", input: nothing, output: stream(Thing) }).via(
      inMs.pages("GET /things", { next: pageNumber("page"), items: (page: any) => page }),
    ),
  },
})
type Caller = TestApp<(typeof caller)["ops"]>
const given = (name: string, run: (t: Caller) => Promise<void>): void =>
  test(name, async () => {
    await using t = await testApp(caller)
    await run(t)
  })
const toldTo = (t: Caller, service: typeof inMs, name: string): (string | undefined)[] =>
  t.sent(service).map(({ headers }) => headers[name])

describe("a service that takes a deadline", () => {
  given("a call with more time than the attempt's → is told the attempt's", async (t) => {
    t.wire(inMs).on("GET /things/{id}").reply(200, thing)
    await t.internal().ms({ id: "7" })
    expect(toldTo(t, inMs, "x-time-left-ms")).toEqual(["2000"])
  })
  given("a call with less time → is told what is left of it", async (t) => {
    t.wire(inMs).on("GET /things/{id}").reply(200, thing)
    await t.internal().ms({ id: "7" }, { deadline: "500ms" })
    expect(toldTo(t, inMs, "x-time-left-ms")).toEqual(["500"])
  })
  given("a repeat → each attempt is told its own, and everything else is the same", async (t) => {
    t.wire(inMs).on("GET /things/{id}").hangs({ times: 1 })
    t.wire(inMs).on("GET /things/{id}").reply(200, thing)
    const answer = t.internal().ms({ id: "7" }, { deadline: "3s" })
    await t.clock.advance("2s")
    await t.clock.advance("100ms")
    await answer
    const [first, second] = t.sent(inMs)
    const leftMs = Number(second!.headers["x-time-left-ms"])
    expect(first!.headers["x-time-left-ms"]).toBe("2000")
    expect(leftMs).toBeGreaterThanOrEqual(900)
    expect(leftMs).toBeLessThanOrEqual(1_000)
    expect({ ...second!.headers, "x-time-left-ms": "2000" }).toEqual(first!.headers)
  })
  given("in seconds → rounded down, and never 0", async (t) => {
    t.wire(inS).on("GET /things/{id}").reply(200, thing)
    await t.internal().s({ id: "7" })
    await t.internal().s({ id: "7" }, { deadline: 1_900 })
    await t.internal().s({ id: "7" }, { deadline: 300 })
    expect(toldTo(t, inS, "request-timeout")).toEqual(["2", "1", "1"])
  })
  given("a text → is told the attempt's time, for it is read whole", async (t) => {
    t.wire(inMs).on("GET /texts/{id}").reply(200, "text", { raw: true })
    await t.internal().text({ id: "7" })
    expect(toldTo(t, inMs, "x-time-left-ms")).toEqual(["2000"])
  })
  given("a long answer → is told the call's, for its attempt lasts as long as something comes", async (t) => {
    t.wire(inMs)
      .on("GET /pictures/{id}")
      .replies(() => ({ status: 200, body: new Uint8Array(3) }))
    const picture = await t.internal().picture({ id: "7" })
    await picture.bytes()
    expect(toldTo(t, inMs, "x-time-left-ms")).toEqual(["60000"])
  })
  given("a long body → is told the call's too", async (t) => {
    t.wire(inMs).on("POST /pictures").reply(204)
    const sent = new Request("http://app.test/pictures", {
      method: "POST",
      body: new Uint8Array(3),
      headers: { "content-type": "image/png" },
    })
    expect((await t.http(sent)).status).toBe(204)
    expect(toldTo(t, inMs, "x-time-left-ms")).toEqual(["60000"])
    expect(t.sent(inMs)[0]!.bytes).toHaveLength(3)
  })
  given("pages → each is told its own", async (t) => {
    t.wire(inMs).on("GET /things").reply(200, [thing], { times: 1 })
    t.wire(inMs).on("GET /things").reply(200, [])
    for await (const one of await t.internal().all()) expect(one).toEqual(thing)
    expect(toldTo(t, inMs, "x-time-left-ms")).toEqual(["2000", "2000"])
  })
  given("one that declares none → is told nothing", async (t) => {
    t.wire(untold).on("GET /things/{id}").reply(200, thing)
    await t.internal().untold({ id: "7" })
    expect(Object.keys(t.sent(untold)[0]!.headers).sort()).toEqual(["accept", "traceparent", "user-agent"])
  })
  given("a credential in the same field → has the last word", async (t) => {
    t.wire(keyed).on("GET /things/{id}").reply(200, thing)
    await t.internal().keyed({ id: "7" })
    expect(toldTo(t, keyed, "x-time-left-ms")[0]).not.toBe("2000")
  })
  given("the call's own field of that name → has the last word", async (t) => {
    t.wire(inMs).on("GET /things/{id}").reply(200, thing)
    await t.internal().own({ id: "7" })
    expect(toldTo(t, inMs, "x-time-left-ms")).toEqual(["7"])
  })
})

const brittle = rest({
  url: env("BRITTLE_URL"),
  policy: { retry: 0, timeout: "1s", breaker: { failures: 3, of: 5, rest: "10s" } },
})
const open = { input: Id, output: Thing, allow: anyone("test"), anyObject: "test" } as const
const asked = { header: "Request-Timeout-Ms", unit: "ms" } as const
const opsOf = () => ({
  things: {
    get: op({ http: "GET /things/{id}", ...open, deadline: "5s" }).via(code(() => wait(2 ** 30, thing))),
    brittle: op({ http: "GET /brittle/{id}", ...open }).via(brittle.call("GET /things/{id}")),
    outer: op({ http: "GET /outer/{id}", ...open }).via(code((i, ctx) => ctx.run(inner, i))),
  },
  inner,
})
const inner = op(read).via(brittle.call("GET /things/{id}"))
const inHaste = trestle({ name: "in-haste", ops: opsOf(), defaults: { callerDeadline: asked } })
const unasked = trestle({ name: "unasked", ops: opsOf() })

/** How long that request was answered after: with a problem, by the clock of the test. */
async function lasted(t: TestApp<(typeof inHaste)["ops"]>, path: string, value: string, stepMs = 500): Promise<number> {
  const isRpc = path.startsWith("/rpc")
  const init = isRpc ? { method: "POST", body: '{"id":"7"}', headers: { "content-type": "application/json" } } : {}
  const request = new Request(`http://app.test${path}`, init)
  request.headers.set("request-timeout-ms", value)
  let status = 0
  const answered = t.http(request).then((reply) => {
    status = reply.status
  })
  let ms = 0
  for (; status === 0 && ms < 20_000; ms += stepMs) await t.clock.advance(stepMs)
  await answered
  expect(status).toBe(504)
  return ms
}

describe("a caller's deadline", () => {
  test.each(["/things/7", "/rpc/things.get"])("shorter than the declared one, %s → the call ends at it", async (path) => {
    await using t = await testApp(inHaste)
    expect(await lasted(t, path, "1500")).toBe(1_500)
  })
  test.each(["60000", "0", "-1", "1.5", "soon", "500, 500", "99999999999"])("%s → the declared one holds", async (value) => {
    await using t = await testApp(inHaste)
    expect(await lasted(t, "/things/7", value)).toBe(5_000)
  })
  test("nobody asks for one → the declared one holds", async () => {
    await using t = await testApp(unasked)
    expect(await lasted(t, "/things/7", "500")).toBe(5_000)
  })
  test.each(["/brittle/7", "/outer/7"])("callers in haste, %s → do not open the circuit for everybody", async (path) => {
    await using t = await testApp(inHaste)
    t.wire(brittle).on("GET /things/{id}").hangs({ times: 6 })
    for (let i = 0; i < 6; i++) await lasted(t, path, "400", 100)
    expect(t.sent(brittle)).toHaveLength(6)
    t.wire(brittle).on("GET /things/{id}").reply(200, thing)
    expect(await t.internal().inner({ id: "7" })).toEqual(thing)
  })
  test("callers who wait long enough → their timeouts count", async () => {
    await using t = await testApp(inHaste)
    t.wire(brittle).on("GET /things/{id}").hangs()
    for (let i = 0; i < 3; i++) await lasted(t, "/brittle/7", "600", 100)
    expect(await t.internal().inner.safe({ id: "7" })).toMatchObject({ ok: false, code: "UNAVAILABLE" })
    expect(t.sent(brittle)).toHaveLength(3)
  })
})

test("declared wrongly, at a service and for callers → findings", () => {
  const wrong = { header: "Time Left", unit: "m" } as unknown as typeof asked
  const service = rest({ url: env("WRONG_URL"), deadline: wrong })
  const ops = { get: op(read).via(service.call("GET /things/{id}")) }
  const found = trestle({ name: "wrong", ops, defaults: { callerDeadline: wrong } }).check()
  expect(found.map(({ code, message }) => `${code} ${message}`).sort()).toEqual([
    'TRS1012 defaults: callerDeadline: header is not the name of a header field such as "Request-Timeout"',
    'TRS1012 defaults: callerDeadline: unit is neither "ms" nor "s"',
    'TRS1014 wrong: deadline: header is not the name of a header field such as "Request-Timeout"',
    'TRS1014 wrong: deadline: unit is neither "ms" nor "s"',
  ])
})

test("one application on another, over the network → the inner one gives up within the deadline of the outer", async () => {
  const gaveUp = Promise.withResolvers<string>()
  // A write goes on when its caller has left: only the deadline that it was told can end it.
  const work = op({ http: "POST /things", ...open, deadline: "1h" }).via(
    code(
      (_, { signal }) =>
        new Promise<never>((_resolve, reject) => {
          signal.addEventListener("abort", () => {
            gaveUp.resolve(signal.reason.code)
            reject(signal.reason)
          })
        }),
    ),
  )
  const field = { header: "X-Time-Left-Ms", unit: "ms" } as const
  const below = await trestle({ name: "below", ops: { work }, defaults: { callerDeadline: field } }).start()
  const { url } = await below.listen({ port: 0 })
  const service = rest({ url, deadline: field, policy: { retry: 0 } })
  const asking = op({ effect: "write", input: Id, output: Thing, deadline: "200ms" }).via(service.call("POST /things"))
  const above = await trestle({ name: "above", ops: { asking } }).start()
  try {
    const answer = above.internal().asking.safe({ id: "7" })
    expect(await gaveUp.promise).toBe("TIMEOUT")
    expect(await answer).toMatchObject({ ok: false, outcome: "unknown" })
  } finally {
    await above.close()
    await below.close()
  }
})

import { describe, expect, test } from "vitest"
import { z } from "zod"
import {
  anyone,
  apiKeys,
  basic,
  bearer,
  code,
  env,
  fallback,
  nothing,
  op,
  type Principal,
  rest,
  role,
  secret,
  trestle,
  value,
} from "../index.ts"
import { testApp } from "./index.ts"

const crm = rest({ url: env("CRM_EU_URL"), auth: bearer(secret("CRM_TOKEN")), answerLimit: "1kb", health: "GET /ping" })
const hr = rest({ url: "https://hr.example.com/api/v1", auth: basic(env("HR_USER", "bot"), secret("HR_PASSWORD")) })
const Person = z.object({ id: z.string(), name: z.string() })
const named = { map: (r: any) => ({ id: String(r.uid), name: r.full_name }) }
const show = op({
  http: "GET /people/{id}",
  input: z.object({ id: z.string() }),
  output: Person,
  allow: role("reader"),
  anyObject: "test",
}).via(crm.call("GET /v2/people/{id}", named))
const search = op({ effect: "read", input: z.object({ tag: z.array(z.string()), team: z.string() }), output: z.array(Person) }).via(
  fallback(crm.call("GET /v2/people", { query: (i) => ({ tag: i.tag, team: i.team }) }), value([])),
)
const create = op({
  http: "POST /people",
  input: Person,
  output: Person,
  errors: { TAKEN: 409 },
  allow: role("writer"),
  anyObject: "test",
}).via(crm.call("POST /v2/people", { body: (p) => ({ uid: Number(p.id), full_name: p.name }), ...named, errors: { 409: "TAKEN" } }))
const twice = op({ effect: "read", input: z.object({ id: z.string() }), output: Person }).via(code((i, ctx) => ctx.run(show, i)))
const team = op({ effect: "read", input: z.object({}), output: z.array(z.string()) }).via(hr.call("GET /team"))
const ping = op({ http: "GET /ping", input: nothing, output: nothing, allow: anyone("test") }).via(code(() => {}))
const app = trestle({ name: "people", ops: { show, search, create, twice, team, ping }, authenticate: [apiKeys()] })
const ada: Principal = { id: "ada", kind: "user", roles: ["reader", "writer"] }
const seven = { uid: 7, full_name: "Ada" }

describe("wire", () => {
  test("mapping and credentials run for real; what was sent can be read", async () => {
    await using t = await testApp(app)
    t.wire(crm).on("POST /v2/people").reply(201, seven)
    expect(await t.as(ada).create({ id: "7", name: "Ada" })).toEqual({ id: "7", name: "Ada" })
    expect(t.sent(crm)).toMatchObject([
      { route: "POST /v2/people", path: "/v2/people", body: seven, headers: { authorization: "Bearer test-CRM_TOKEN" } },
    ])
    expect(t.lastCall()).toMatchObject({ servedBy: "crm-eu", attempts: 1, degraded: false })
  })
  test("a template → its parameters decoded; a literal route wins over it", async () => {
    await using t = await testApp(app)
    t.wire(crm)
      .on("GET /v2/people/me")
      .reply(200, { ...seven, full_name: "Me" })
    t.wire(crm)
      .on("GET /v2/people/{id}")
      .replies((request) => ({ status: 200, body: { uid: 1, full_name: request.params.id } }))
    expect((await t.as(ada).show({ id: "a b/c" })).name).toBe("a b/c")
    expect((await t.as(ada).show({ id: "me" })).name).toBe("Me")
    expect(t.sent(crm).map(({ route }) => route)).toEqual(["GET /v2/people/{id}", "GET /v2/people/me"])
  })
  test("query → parsed, a repeated field as a list", async () => {
    await using t = await testApp(app)
    t.wire(crm).on("GET /v2/people").reply(200, [])
    await t.internal().search({ tag: ["a", "b"], team: "x" })
    expect(t.sent(crm)[0]?.query).toEqual({ tag: ["a", "b"], team: "x" })
  })
  test("answers with times come first, in their order; then the last one without", async () => {
    await using t = await testApp(app)
    const route = t.wire(crm).on("GET /v2/people/{id}")
    route.reply(404)
    route.reply(200, seven)
    route.reply(500, undefined, { times: 1 })
    route.drops({ times: 1 })
    expect(await t.as(ada).show.detailed({ id: "7" })).toMatchObject({ value: { name: "Ada" }, meta: { attempts: 3 } })
  })
  test("raw → the text as it is; larger than the limit → cut off", async () => {
    await using t = await testApp(app)
    t.wire(crm).on("GET /v2/people/{id}").reply(200, "{not json", { raw: true, times: 1 })
    t.wire(crm)
      .on("GET /v2/people/{id}")
      .reply(200, { ...seven, more: "x".repeat(2_000) })
    await expect(t.as(ada).show({ id: "7" })).rejects.toMatchObject({ reason: "answer-unreadable" })
    await expect(t.as(ada).show({ id: "7" })).rejects.toMatchObject({ reason: "answer-too-large" })
  })
  test("hangs → hangs until the clock is advanced, then the connection is closed", async () => {
    await using t = await testApp(app)
    t.wire(crm).on("GET /v2/people/{id}").hangs()
    let isOver = false
    const call = t
      .as(ada)
      .show({ id: "7" }, { deadline: "1s" })
      .catch((error) => {
        isOver = true
        return error
      })
    await t.clock.advance(999)
    expect(isOver).toBe(false)
    await t.clock.advance(1)
    expect(await call).toMatchObject({ code: "TIMEOUT", reason: "timeout-sent" })
    expect(t.sent(crm)[0]?.isStopped).toBe(true)
  })
  test("down → nothing leaves; for a time on the test's clock; up → answers again", async () => {
    await using t = await testApp(app)
    t.wire(crm).on("GET /v2/people/{id}").reply(200, seven)
    t.wire(crm).down({ for: "30s" })
    await expect(t.as(ada).show({ id: "7" })).rejects.toMatchObject({ reason: "not-connected", outcome: "refused" })
    expect(t.sent(crm)).toEqual([])
    await t.clock.advance("30s")
    expect((await t.as(ada).show({ id: "7" })).name).toBe("Ada")
    t.wire(crm).down()
    await expect(t.as(ada).show({ id: "7" })).rejects.toMatchObject({ code: "UNAVAILABLE" })
    t.wire(crm).up()
    // The breaker has opened meanwhile, and lets a probe through after its rest.
    await t.clock.advance("10s")
    expect((await t.as(ada).show({ id: "7" })).name).toBe("Ada")
  })
  test("a written-out address → its path is left out; fallbacks of settings hold", async () => {
    await using t = await testApp(app)
    t.wire(hr).on("GET /team").reply(200, ["x"])
    expect(await t.internal().team({})).toEqual(["x"])
    const { authorization = "" } = t.sent(hr)[0]!.headers
    expect(Buffer.from(authorization.slice(6), "base64").toString()).toBe("bot:test-HR_PASSWORD")
  })
  test("no route → refused with an example; a service of another application → refused with its own", async () => {
    await using t = await testApp(app)
    expect(() => t.wire(crm).on("people")).toThrow("is not a method and a path")
    expect(() => t.wire(rest({ url: env("OTHER_URL") }))).toThrow(
      "no operation of this application uses other; it uses crm-eu, hr.example.com",
    )
  })
})

describe("a request that no answer is programmed for", () => {
  test("ends the call at once, with the nearest answer; sent and close say so too", async () => {
    const t = await testApp(app)
    t.wire(crm).on("GET /v2/person/{id}").reply(200, seven)
    const error = await t
      .as(ada)
      .show({ id: "7" })
      .catch((thrown) => thrown)
    expect(error.message).toContain("TEST: GET /v2/people/7 to crm-eu is not answered by this test: did you mean GET /v2/person/{id}?")
    expect(() => t.sent(crm)).toThrow(error)
    await expect(t.close()).rejects.toBe(error)
  })
  test("is not retried, does not fall back, does not feed the breaker", async () => {
    const t = await testApp(app)
    for (let i = 0; i < 20; i++)
      await expect(t.internal().search({ tag: [], team: "x" })).rejects.toThrow("nothing is programmed for it yet")
    expect(t.lastCall().attempts).toBe(1)
    t.reset()
    await t.close()
  })
  test("another method → that one is named; used up → said so", async () => {
    await using t = await testApp(app)
    t.wire(crm).on("PUT /v2/people/{id}").reply(200)
    await expect(t.as(ada).show({ id: "7" })).rejects.toThrow("did you mean PUT /v2/people/{id}?")
    t.wire(crm).on("GET /v2/people/{id}").reply(200, seven, { times: 1 })
    await t.as(ada).show({ id: "7" })
    await expect(t.as(ada).show({ id: "7" })).rejects.toThrow("are used up")
    t.reset()
  })
  test("a function of the test that throws → comes out of the call, not retried", async () => {
    await using t = await testApp(app)
    t.wire(crm)
      .on("GET /v2/people/{id}")
      .replies(() => expect.unreachable("my own assertion"))
    await expect(t.as(ada).show({ id: "7" })).rejects.toThrow("my own assertion")
    expect(t.calls().at(-1)?.meta.attempts).toBe(1)
    t.reset()
  })
})

describe("backend", () => {
  test("replies with a value or a function; the contract is checked", async () => {
    await using t = await testApp(app)
    t.backend(show).replies((input) => ({ id: input.id, name: "made up" }))
    expect(await t.as(ada).show.detailed({ id: "9" })).toMatchObject({ value: { id: "9", name: "made up" }, meta: { servedBy: "test" } })
    t.backend(show).replies({ id: 7 } as never)
    await expect(t.as(ada).show({ id: "9" })).rejects.toMatchObject({ code: "INTERNAL", reason: "output-misfit" })
    t.backend(create).replies((_input, ctx) => (ctx as any).fail("TAKEN"))
    await expect(t.as(ada).create({ id: "7", name: "Ada" })).rejects.toMatchObject({ code: "TAKEN", status: 409 })
  })
  test.each([
    ["refused", "UNAVAILABLE", "UNAVAILABLE", "refused"],
    ["timeout", "TIMEOUT", "OUTCOME_UNKNOWN", "unknown"],
    ["unknown", "UNAVAILABLE", "OUTCOME_UNKNOWN", "unknown"],
    [429, "UNAVAILABLE", "UNAVAILABLE", "refused"],
    [500, "UNAVAILABLE", "OUTCOME_UNKNOWN", "unknown"],
    [503, "UNAVAILABLE", "OUTCOME_UNKNOWN", "unknown"],
  ] as const)("fails %s → read %s, write %s, %s", async (how, read, write, outcome) => {
    await using t = await testApp(app)
    t.backend(show).fails(how)
    t.backend(create).fails(how)
    await expect(t.as(ada).show({ id: "7" })).rejects.toMatchObject({ code: read, outcome: "refused" })
    await expect(t.as(ada).create({ id: "7", name: "Ada" })).rejects.toMatchObject({ code: write, outcome })
  })
  test("fails with times → then the standing answer, or the real backend", async () => {
    await using t = await testApp(app)
    t.wire(crm).on("GET /v2/people/{id}").reply(200, seven)
    t.backend(show).fails("refused", { times: 2 })
    const codes = [await t.as(ada).show.safe({ id: "7" }), await t.as(ada).show.safe({ id: "7" }), await t.as(ada).show.safe({ id: "7" })]
    expect(codes.map(({ ok }) => ok)).toEqual([false, false, true])
  })
})

describe("http", () => {
  test("as a principal; without one; as one without the role", async () => {
    await using t = await testApp(app)
    t.backend(create).replies((person) => person)
    const json = { id: "7", name: "Ada" }
    expect((await t.http("POST /people", { json, as: ada })).status).toBe(201)
    expect((await t.http("POST /people", { json })).status).toBe(401)
    expect((await t.http("POST /people", { json, as: { id: "b", kind: "user" } })).status).toBe(403)
    expect((await t.http("POST /people", { json, headers: { "x-trestle-test-caller": "99" } })).status).toBe(401)
  })
  test("a Request as it is; a path alone is GET", async () => {
    await using t = await testApp(app)
    expect((await t.http(new Request("http://x.test/ping"))).status).toBe(204)
    expect((await t.http("/nowhere")).status).toBe(404)
  })
  test("an API key from memory", async () => {
    await using t = await testApp(app)
    t.backend(show).replies({ id: "7", name: "Ada" })
    const { key } = await t.keys.create({ name: "ci", roles: ["reader"], permissions: [], expiresInMs: null })
    expect((await t.http("/people/7", { headers: { authorization: `Bearer ${key}` } })).status).toBe(200)
    await t.keys.revoke("ci")
    expect((await t.http("/people/7", { headers: { authorization: `Bearer ${key}` } })).status).toBe(401)
  })
  test("the first request and a hanging service → advance reaches it", async () => {
    await using t = await testApp(app)
    t.wire(crm).on("GET /v2/people/{id}").hangs()
    const answer = t.http("/people/7", { as: ada })
    await t.clock.advance("10s")
    expect((await answer).status).toBe(504)
    expect(await (await t.http("/health/live")).json()).toEqual({ status: "live" })
  })
  test("readiness asks the programmed network", async () => {
    await using t = await testApp(app)
    t.wire(crm).on("GET /ping").reply(200)
    expect((await t.http("/health/ready")).status).toBe(200)
  })
})

describe("the application", () => {
  test("two of them share nothing, and go alike", async () => {
    const run = async (): Promise<unknown> => {
      await using t = await testApp(app)
      t.wire(crm).on("GET /v2/people/{id}").reply(500)
      for (let i = 0; i < 5; i++) await t.as(ada).show.safe({ id: "7" })
      return t.calls().map(({ meta, error, epoch }) => [meta, error?.reason, epoch])
    }
    expect(await run()).toEqual(await run())
  })
  test("close ends calls that hang, in no time", async () => {
    const t = await testApp(app)
    t.wire(crm).on("GET /v2/people/{id}").hangs()
    const call = t.as(ada).show.safe({ id: "7" })
    const startedAt = performance.now()
    await t.close()
    expect(await call).toMatchObject({ ok: false, code: "TIMEOUT" })
    expect(performance.now() - startedAt).toBeLessThan(2_000)
  })
  test("records: nested calls are kept, and are not the last call", async () => {
    await using t = await testApp(app)
    t.backend(show).replies({ id: "7", name: "Ada" })
    await t.internal().twice({ id: "7" })
    expect(t.calls().map(({ operation, entrance }) => `${operation} ${entrance}`)).toEqual(["show nested", "twice in-process"])
    expect(t.lastCall().servedBy).toBe("test")
    t.reset()
    expect(() => t.lastCall()).toThrow("no call has ended yet")
  })
})

import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { parseDuration } from "../../src/base/duration.ts"
import { ClientError, type ClientOptions, createClient } from "../../src/client/index.ts"
import { millisecondsOf } from "../../src/client/milliseconds.ts"

const problem = (status: number, body: object): Response =>
  new Response(JSON.stringify(body), { status, headers: { "content-type": "application/problem+json" } })

/** A client whose network is a function, and what it was asked. */
function clientOf(reply: Response | ((init: RequestInit) => Promise<Response>), options: Partial<ClientOptions> = {}) {
  const sent: { url: string; init: RequestInit & { headers: Record<string, string> } }[] = []
  const fetch = async (url: any, init: any): Promise<Response> => {
    sent.push({ url, init })
    return typeof reply === "function" ? reply(init) : reply.clone()
  }
  const api: any = createClient<{ ops: any }>({ url: "/api", fetch: fetch as any, ...options })
  return { api, sent }
}
const failureOf = async (made: Promise<unknown>): Promise<any> =>
  made.then(
    () => null,
    (error) => error,
  )

describe("a call", () => {
  test("goes as POST to the path, with a key, a token and a body", async () => {
    const { api, sent } = clientOf(Response.json({ id: 1 }), { token: async () => "t" })
    expect(await api.users.create({ name: "Ada" }, { idempotencyKey: "k1" })).toEqual({ id: 1 })
    expect(sent[0]!.url).toBe("/api/rpc/users.create")
    expect(sent[0]!.init).toMatchObject({ method: "POST", body: '{"name":"Ada"}' })
    expect(sent[0]!.init.headers).toMatchObject({ authorization: "Bearer t", "idempotency-key": "k1" })
  })
  test("without input → no body; each call has a key of its own", async () => {
    const { api, sent } = clientOf(new Response(null, { status: 204 }))
    expect(await api.ping()).toBeUndefined()
    await api.ping()
    expect(sent[0]!.init.body).toBeUndefined()
    expect(sent[0]!.init.headers["idempotency-key"]).toMatch(/^\d+(-\d+){3}$/)
    expect(sent[0]!.init.headers["idempotency-key"]).not.toBe(sent[1]!.init.headers["idempotency-key"])
  })
  test("null is an answer", async () => expect(await clientOf(Response.json(null)).api.a.b()).toBeNull())
})

describe("the proxy", () => {
  test("is not thenable and has no symbols", async () => {
    const { api, sent } = clientOf(Response.json(1))
    expect(await api.users).toBeTypeOf("function")
    expect([api.then, api.users.create.then, api[Symbol.iterator]]).toEqual([undefined, undefined, undefined])
    expect(sent).toEqual([])
  })
  test("safe and detailed are operations only at the root", async () => {
    const { api, sent } = clientOf(Response.json(1))
    await api.safe()
    await api.users.create.safe()
    await api.users.create.detailed()
    expect(sent.map((one) => one.url)).toEqual(["/api/rpc/safe", "/api/rpc/users.create", "/api/rpc/users.create"])
  })
})

describe("meta", () => {
  const metaWith = async (header?: string): Promise<any> =>
    (await clientOf(Response.json(1, header ? { headers: { "trestle-meta": header } } : {})).api.a.detailed()).meta
  const full = { servedBy: "crm", attempts: 2, ms: 5, degraded: { why: "cache", ageMs: 9 }, trace: "t" }
  test("told in full → as told", async () => expect(await metaWith(JSON.stringify(full))).toEqual(full))
  test.each([
    ['{"trace":"t","degraded":false}', false, "t"],
    ['{"trace":"t","degraded":true}', { why: "withheld" }, "t"],
    [undefined, { why: "withheld" }, ""],
    ["<html>", { why: "withheld" }, ""],
  ])("%s → what was not told is absent", async (header, degraded, trace) => {
    expect(await metaWith(header)).toStrictEqual({ degraded, trace })
  })
})

describe("failures", () => {
  const declared = {
    type: "about:blank",
    title: "T",
    status: 409,
    code: "EMAIL_TAKEN",
    detail: "taken",
    outcome: "answered",
    trace: "x",
    issues: [],
  }
  test("a problem → its members, thrown and safe", async () => {
    const { api } = clientOf(problem(409, { ...declared, retryAfterMs: 5 }))
    const error = await failureOf(api.a.b())
    expect(error).toBeInstanceOf(ClientError)
    expect(error).toMatchObject({ name: "ClientError", code: "EMAIL_TAKEN", status: 409, retryAfterMs: 5, trace: "x" })
    expect(await api.a.b.safe()).toMatchObject({ ok: false, code: "EMAIL_TAKEN", detail: "taken", outcome: "answered", issues: [] })
  })
  test.each([200, 401, 403, 404, 408, 429, 502])("HTML with %i → UNAVAILABLE, unknown, and nothing of its text", async (status) => {
    const error = await failureOf(clientOf(new Response("<h1>hunter2</h1>", { status, headers: { "content-type": "text/html" } })).api.a())
    expect(error).toMatchObject({ code: "UNAVAILABLE", outcome: "unknown", status })
    expect(JSON.stringify(error) + error.stack + error.cause).not.toContain("hunter2")
  })
  test.each([{ detail: "hunter2" }, { code: 7, detail: "hunter2" }, null, "hunter2", ["hunter2"]])(
    "JSON without a code, %j → UNAVAILABLE, unknown, and nothing of it",
    async (body) => {
      const error = await failureOf(clientOf(problem(502, body as object)).api.a())
      expect(error).toMatchObject({ code: "UNAVAILABLE", outcome: "unknown", status: 502, issues: [] })
      expect(JSON.stringify(error) + error.stack).not.toContain("hunter2")
    },
  )
  test("a code from something else → only the members of a failure are taken, and the outcome stays unknown", async () => {
    const foreign = { code: "ECONNRESET", name: "Foreign", message: "hunter2", stack: "hunter2", ok: true, status: 200, value: "hunter2" }
    const { api } = clientOf(Response.json(foreign, { status: 502 }))
    const error = await failureOf(api.a())
    expect(error).toMatchObject({
      name: "ClientError",
      code: "ECONNRESET",
      outcome: "unknown",
      status: 502,
      message: "ECONNRESET: No answer",
    })
    const result = await api.a.safe()
    expect(result).toMatchObject({ ok: false, code: "ECONNRESET", status: 502 })
    expect(JSON.stringify([error, result]) + error.stack).not.toContain("hunter2")
  })
  test("network → UNAVAILABLE, unknown; the cause is kept", async () => {
    const cause = new TypeError("fetch failed")
    const error = await failureOf(clientOf(() => Promise.reject(cause)).api.a())
    expect(error).toMatchObject({ code: "UNAVAILABLE", outcome: "unknown", status: 0, cause })
  })
  const hanging = (init: RequestInit): Promise<Response> =>
    new Promise((_, reject) => init.signal!.addEventListener("abort", () => reject(init.signal!.reason)))
  test("abort under way → CANCELLED, unknown; before → refused and nothing sent", async () => {
    const stop = new AbortController()
    const { api, sent } = clientOf(hanging)
    const made = failureOf(api.a(1, { signal: stop.signal, deadline: "1h" }))
    await Promise.resolve()
    stop.abort()
    expect(await made).toMatchObject({ code: "CANCELLED", outcome: "unknown" })
    expect(await failureOf(api.a(1, { signal: stop.signal }))).toMatchObject({ code: "CANCELLED", outcome: "refused" })
    expect(sent).toHaveLength(1)
  })
  test("own deadline → TIMEOUT, unknown", async () => {
    expect(await failureOf(clientOf(hanging).api.a(1, { deadline: "1.5ms" }))).toMatchObject({ code: "TIMEOUT", outcome: "unknown" })
  })
  test("no token, no JSON, no duration → refused, nothing sent, safe does not throw", async () => {
    const { api, sent } = clientOf(Response.json(1), { token: () => Promise.reject(new Error("secret")) })
    expect(await api.a.b.safe()).toMatchObject({ ok: false, code: "UNAUTHENTICATED", outcome: "refused" })
    expect(await api.a.b.safe(1n)).toMatchObject({ ok: false, code: "INVALID", outcome: "refused" })
    for (const deadline of ["soon", -1]) expect(await api.a.b.safe(1, { deadline })).toMatchObject({ code: "INVALID", outcome: "refused" })
    expect(sent).toEqual([])
  })
})

test("durations: the client's short reading agrees with the server's", () => {
  const duration = fc.tuple(
    fc.oneof(
      fc.nat(3_650),
      fc.double({ min: 0.001, max: 99, noNaN: true }).map((n) => Number(n.toFixed(3))),
    ),
    fc.constantFrom("", "ms", "s", "m", "h", "d"),
  )
  fc.assert(
    fc.property(duration, ([count, unit]) => {
      const written = (unit ? `${count}${unit}` : count) as any
      expect(millisecondsOf(written)).toBe(Math.ceil(parseDuration(written)!))
    }),
  )
})

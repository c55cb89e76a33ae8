// What must never come out, and what must never go in: secrets, undeclared fields, injected header fields.
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { expectHealthy, expectNoSecret, expectProblem, only } from "./kit/expectations.ts"
import { post, raw, request } from "./kit/raw.ts"
import { openWorld, THEIRS, type World } from "./kit/world.ts"

let w: World
beforeAll(async () => {
  w = await openWorld()
})
afterAll(async () => {
  await expectHealthy(w)
  await w.close()
})
const ask = async (bytes: string): Promise<ReturnType<typeof only>> => only(await raw(w.port, bytes, { answers: 1, withinMs: 5_000 }))

describe("canaries", () => {
  const failing = [400, 401, 403, 404, 409, 418, 422, 429, 500, 502, 503, "reset", "garbage", "json"]
  for (const how of failing)
    test(`a service that fails with ${how} and names secrets → none in the answer`, async () => {
      const answer = await ask(request(`GET /fail/${how}`))
      expectProblem(answer, answer.status)
      expect(answer.status).toBeGreaterThanOrEqual(400)
      expect(answer.headers["set-cookie"] ?? answer.headers["x-secret"]).toBeUndefined()
    })
  test("an answer that does not fit `response`, `map` or `output` → its values nowhere", async () => {
    for (const path of ["/checked/1", "/mapped/1", "/misfit"]) expectProblem(await ask(request(`GET ${path}`)), 500, "INTERNAL")
    await expect.poll(() => w.log()).toContain("has drifted from")
    await expect.poll(() => w.log()).toContain("does not fit the output")
  })
  test("code, rule and authenticator that throw with the secret → none in the answer", async () => {
    expectProblem(await ask(post("/throwing", '{"text":"a"}')), 502, "OUTCOME_UNKNOWN")
    expectProblem(await ask(post("/ruled", '{"how":"throw"}', { "x-api-key": w.key })), 403)
    expectProblem(await ask(request("GET /badged", { "x-badge": "throw" })), 503)
  })
  test("a secret sent by a caller in every field → in no answer and no log line", async () => {
    const mine = "hunter2-of-the-caller"
    const fields = { authorization: `Bearer ${mine}`, "x-api-key": mine, cookie: mine, "x-other": mine, "user-agent": mine, referer: mine }
    await ask(post(`/things?x=${mine}`, `{"name":"${mine}","${mine}":1`, { "x-api-key": w.key, cookie: mine }))
    for (const [name, value] of Object.entries(fields))
      expectNoSecret((await ask(request(`GET /things/${mine}`, { [name]: value }))).body, [mine])
    await raw(w.port, `${mine} ${mine}\r\n\r\n`)
    expect(w.log()).not.toContain(mine)
  })
  test("the log, at its lowest level, after all of it → holds none, as it is or encoded; each line is JSON", async () => {
    await expect.poll(() => w.log().split("\n").length).toBeGreaterThan(25)
    const log = w.log()
    for (const line of log.split("\n").filter(Boolean)) expect(() => JSON.parse(line), line).not.toThrow()
    expectNoSecret(log)
    expectNoSecret(log, [w.key, w.key.slice(17)])
  })
  test("our own credential → goes to the service, and only there", () => {
    expect(w.seen.length).toBeGreaterThan(5)
    for (const { headers, url } of w.seen) {
      if (!url.startsWith("/echo")) expect(headers.authorization).toMatch(/^Bearer canary/)
      expect(headers["x-api-key"] ?? headers.cookie).toBeUndefined()
    }
  })
  test("document, page and health → hold none, and no address of a service", async () => {
    for (const path of ["/openapi.json", "/docs", "/health/live", "/health/ready"]) {
      const { body } = await ask(request(`GET ${path}`))
      expectNoSecret(body)
      expect(body).not.toMatch(/127\.0\.0\.1|UPSTREAM/)
    }
  })
})

describe("output", () => {
  test("undeclared fields, at the top and inside → left out, with Zod and with ArkType", async () => {
    expect(await ask(request("GET /stripped/zod"))).toMatchObject({ status: 200, body: '{"id":"1"}' })
    const { status, body } = await ask(request("GET /stripped/ark"))
    expect({ status, body: JSON.parse(body) }).toEqual({ status: 200, body: { id: "1", inner: [{ a: "b" }] } })
  })
  test("who served it → only for those who may see it", async () => {
    const meta = async (headers: Record<string, string>): Promise<object> =>
      JSON.parse((await ask(request("GET /stub", headers))).headers["trestle-meta"]!)
    expect(Object.keys(await meta({}))).toEqual(["trace", "degraded"])
    expect(await meta({ "x-api-key": w.key })).toMatchObject({ servedBy: "placeholder" })
  })
})

describe("input on its way to a service", () => {
  const wire = async (id: string): Promise<string[]> => {
    const before = w.seen.length
    await ask(request(`GET /out/${id}`))
    return w.seen.slice(before).map(({ url }) => url)
  }
  const encoded: [string, string][] = [
    ["a%2F..%2F..%2Fadmin", "a%2F..%2F..%2Fadmin"],
    ["a%3Fadmin=1", "a%3Fadmin%3D1"],
    ["a%23b", "a%23b"],
    ["a%0d%0aHost:%20evil", "a%0D%0AHost%3A%20evil"],
    ["a%00b", "a%00b"],
    ["a@evil.test", "a%40evil.test"],
    ["%2e%2e%2f", "..%2F"],
    ["%252e%252e", "%252e%252e"],
    ["a%5c..%5cb", "a%5C..%5Cb"],
  ]
  for (const [given, sent] of encoded)
    test(`parameter ${given} → stays in its segment and its query field`, async () => {
      const [url] = await wire(given)
      expect(url).toMatch(new RegExp(`^/echo/${sent.replace(/[.*+?^$()]/g, "\\$&")}/end\\?id=`))
      expect(url!.split("&")).toHaveLength(2)
    })
  for (const dots of ["%2e", "%2e%2e", "..", "."])
    test(`parameter ${dots} → refused, nothing sent`, async () => expect(await wire(dots)).toEqual([]))
  for (const label of ["a\r\nx-evil: 1", "a\nb", "a\0b", "\u0141uk", "a\u2028b", "\r\n\r\nGET / HTTP/1.1"])
    test(`header field ${JSON.stringify(label)} → 400, nothing sent`, async () => {
      const before = w.seen.length
      expectProblem(await ask(post("/label", JSON.stringify({ label }))), 400, "INVALID")
      expect(w.seen.length).toBe(before)
    })
  test("after all those → the service's circuit breaker is closed for everybody else", async () => {
    expect((await ask(post("/label", '{"label":"fine"}'))).status).toBe(201)
    expect(w.seen.at(-1)!.headers).toMatchObject({ "x-label": "fine" })
    expect(w.seen.at(-1)!.headers["x-evil"]).toBeUndefined()
  })
  test("half of a character in a parameter → 400, not a failure of ours", async () => {
    for (const path of ["out.show", "fail", "out.fail"]) {
      const answer = await ask(post(`/rpc/${path}`, '{"id":"\\ud800"}'))
      expect([400, 404]).toContain(answer.status)
    }
    expect(THEIRS).not.toBe("")
  })
})

// Credentials, rules and owners: wrong, hanging, throwing. A check that cannot be made lets nobody in.
import { rmSync } from "node:fs"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { systemRandom } from "../../src/base/random.ts"
import { openKeyStore } from "../../src/index.ts"
import { expectHealthy, expectProblem, only } from "./kit/expectations.ts"
import { post, raw, request } from "./kit/raw.ts"
import { openWorld, ran, type World } from "./kit/world.ts"

let w: World
beforeAll(async () => {
  w = await openWorld()
})
afterAll(async () => {
  await expectHealthy(w)
  await w.close()
})
const get = (path: string, headers: Record<string, string> = {}): Promise<ReturnType<typeof only>> =>
  raw(w.port, request(`GET ${path}`, headers), { answers: 1 }).then(only)

describe("credentials", () => {
  const wrong: [string, () => Record<string, string>][] = [
    ["none", () => ({})],
    ["empty Authorization", () => ({ authorization: "" })],
    ["Bearer and nothing", () => ({ authorization: "Bearer" })],
    ["Bearer and spaces", () => ({ authorization: "Bearer    " })],
    ["another scheme", () => ({ authorization: "Basic YTpi" })],
    ["the key without scheme", () => ({ authorization: w.key })],
    ["the key under another scheme", () => ({ authorization: `Token ${w.key}` })],
    ["a token of 12 kB", () => ({ authorization: `Bearer ${"a".repeat(12_000)}` })],
    ["a key of 12 kB", () => ({ "x-api-key": w.key + "A".repeat(12_000) })],
    ["letters beyond ASCII", () => ({ "x-api-key": "trs_\u00e9\u00ff" })],
    ["the key and a tab", () => ({ "x-api-key": `${w.key}\tx` })],
    ["cut off", () => ({ "x-api-key": w.key.slice(0, -1) })],
    ["one letter wrong", () => ({ "x-api-key": w.key.slice(0, -2) + (w.key.at(-2) === "A" ? "B" : "A") + w.key.at(-1) })],
    ["in capitals", () => ({ "x-api-key": w.key.toUpperCase() })],
    ["an id that nobody has", () => ({ "x-api-key": `trs_000000000000_${"A".repeat(43)}` })],
    ["an id that is a name of JavaScript", () => ({ "x-api-key": `trs___proto____${"A".repeat(43)}` })],
    ["a JWT without signature", () => ({ authorization: "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZGEifQ." })],
    ["two keys in one field", () => ({ "x-api-key": `${w.key}, ${w.key}` })],
    ["a bad badge", () => ({ "x-badge": "nobody" })],
    ["a good badge and a bad key", () => ({ "x-badge": "guard-7", "x-api-key": "trs_nope" })],
  ]
  for (const [name, headers] of wrong)
    test(`${name} → 401`, async () => {
      const answer = await get("/things/1", headers())
      const problem = expectProblem(answer, 401, "UNAUTHENTICATED")
      expect(answer.headers["www-authenticate"]).toBe("Bearer")
      expect(JSON.stringify(problem)).not.toContain(w.key.slice(4, 16))
    })
  for (const order of [
    ["good", "bad"],
    ["bad", "good"],
    ["good", "good"],
  ])
    test(`several Authorization fields, ${order.join(" then ")} → 401`, async () => {
      const fields = order.map((one) => `authorization: Bearer ${one === "good" ? w.key : "trs_x"}\r\n`).join("")
      expectProblem(only(await raw(w.port, `GET /things/1 HTTP/1.1\r\nhost: a\r\n${fields}\r\n`, { answers: 1 })), 401)
    })
  test("a wrong credential on a public operation → 401 too", async () =>
    void expectProblem(await get("/open", { authorization: "Bearer x" }), 401))
  test("the key in query, body or cookie → not looked at", async () => {
    expectProblem(await get(`/things/1?x-api-key=${w.key}`), 401)
    expectProblem(await get("/things/1", { cookie: `x-api-key=${w.key}` }), 401)
  })
  test("a role that is missing → 403, and nothing said of it", async () => {
    const { key } = await openKeyStore({ folder: w.folder, random: systemRandom }).create({
      name: "poor",
      roles: [],
      permissions: [],
      expiresInMs: null,
    })
    await new Promise((resolve) => setTimeout(resolve, 60))
    const answer = only(await raw(w.port, request("DELETE /things/1", { "x-api-key": key }), { answers: 1 }))
    expect(expectProblem(answer, 403, "FORBIDDEN").detail).not.toMatch(/guard|role/)
    expectProblem(await get("/owned/mine", { "x-api-key": key }), 404)
  })
  test("a key just made by another process → works at once, not a second later", async () => {
    expectProblem(await get("/things/1", { "x-api-key": `trs_000000000000_${"A".repeat(43)}` }), 401)
    const { key } = await openKeyStore({ folder: w.folder, random: systemRandom }).create({
      name: "fresh",
      roles: [],
      permissions: [],
      expiresInMs: null,
    })
    await expect.poll(async () => (await get("/things/1", { "x-api-key": key })).status, { timeout: 300, interval: 20 }).toBe(200)
  })
  test("a bad key, and none where one is needed → answered before the body is read", async () => {
    for (const headers of [{ "x-api-key": "trs_nope" }, {}]) {
      const head = request("POST /things", { ...headers, "content-type": "application/json", "content-length": 100_000 })
      const exchange = await raw(w.port, `${head}{`, { answers: 1 })
      expectProblem(only(exchange), 401)
      expect(exchange.ms).toBeLessThan(1_000)
    }
  })
})

describe("checks that cannot be made", () => {
  const within = async (path: string, headers: Record<string, string>, status: number, code: string): Promise<void> => {
    const startedAt = performance.now()
    expectProblem(await get(path, headers), status, code)
    expect(performance.now() - startedAt).toBeLessThan(1_400)
  }
  test("authenticator: hangs → ended at the deadline", () => within("/badged", { "x-badge": "hang" }, 504, "TIMEOUT"))
  test("authenticator: throws → 503", () => within("/badged", { "x-badge": "throw" }, 503, "UNAVAILABLE"))
  test("authenticator: forgets its answer → 503", () => within("/badged", { "x-badge": "undefined" }, 503, "UNAVAILABLE"))
  test("authenticator: a good badge → in", async () => expect((await get("/badged", { "x-badge": "guard-7" })).status).toBe(200))
  test("owner.load: hangs → ended at the deadline", () => within("/owned/hang", { "x-api-key": w.key }, 504, "TIMEOUT"))
  test("owner: somebody else's and missing → the same 404; its own → answered", async () => {
    ran.length = 0
    expectProblem(await get("/owned/theirs", { "x-api-key": w.key }), 404)
    expect(ran).toEqual([])
    expect((await get("/owned/mine", { "x-api-key": w.key })).status).toBe(200)
  })
  const ruled = async (how: string): Promise<ReturnType<typeof only>> =>
    only(await raw(w.port, post("/ruled", JSON.stringify({ how }), { "x-api-key": w.key }), { answers: 1 }))
  for (const how of ["throw", "reject", "no"])
    test(`rule: ${how} → 403`, async () => void expectProblem(await ruled(how), 403, "FORBIDDEN"))
  test("rule: hangs → ended at the deadline", async () => void expectProblem(await ruled("hang"), 504, "TIMEOUT"))
  test("rule: holds → in", async () => expect((await ruled("yes")).status).toBe(204))
  test("while 200 calls hang → health answers at once", async () => {
    const hanging = Array.from({ length: 200 }, () => raw(w.port, request("GET /hang"), { withinMs: 700 }))
    for (const path of ["/health/live", "/health/ready"]) {
      const exchange = await raw(w.port, request(`GET ${path}`), { answers: 1 })
      expect(only(exchange).status).toBe(200)
      expect(exchange.ms).toBeLessThan(500)
    }
    await Promise.all(hanging)
    await expect.poll(() => w.log()).toContain('"operation":"hang"')
  })
  test("key file: broken → 503 for everybody with a key, and no file name", async () => {
    await using other = await openWorld()
    rmSync(`${other.folder}/keys.json`)
    const { mkdirSync } = await import("node:fs")
    mkdirSync(`${other.folder}/keys.json`)
    await expect
      .poll(async () => only(await raw(other.port, request("GET /things/1", { "x-api-key": other.key }), { answers: 1 })).status, {
        timeout: 2_500,
      })
      .toBe(503)
    expectProblem(only(await raw(other.port, request("GET /things/1", { "x-api-key": other.key }), { answers: 1 })), 503)
  })
})

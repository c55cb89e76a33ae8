import { describe, expect, test } from "vitest"
import { z } from "zod"
import { anyone, type CoalesceOptions, coalesce, env, fallback, op, type Principal, rest, stream, trestle, value } from "../../src/index.ts"
import { testApp } from "../../src/testing/index.ts"

const ADA: Principal = { id: "ada", kind: "user" }
const BOB: Principal = { id: "bob", kind: "user" }
const input = z.object({ id: z.string() })
const output = z.object({ id: z.string(), n: z.number() })
const crm = rest({ url: env("CRM_URL"), policy: { retry: 0, breaker: false, timeout: "1s" } })

async function given(options: CoalesceOptions<{ id: string }> = {}) {
  const get = op({ http: "GET /things/{id}", input, output, anyObject: "a test", allow: anyone("a test"), deadline: "5s" }).via(
    coalesce(crm.call("GET /things/{id}"), options),
  )
  const t = await testApp(trestle({ name: "coalesced", ops: { get } }))
  let n = 0
  t.wire(crm)
    .on("GET /things/{id}")
    .replies((request) => ({ status: 200, body: { id: request.params.id, n: ++n } }))
  return { t, sent: (): number => t.sent(crm).length, ada: t.as(ADA), bob: t.as(BOB) }
}

describe("equal reads under way", () => {
  test("one attempt, one answer; it is counted once", async () => {
    const { t, sent, ada } = await given()
    const all = await Promise.all(Array.from({ length: 20 }, () => ada.get.detailed({ id: "a" })))
    expect(all.map(({ value: { n } }) => n)).toEqual(Array(20).fill(1))
    expect(all.reduce((sum, { meta }) => sum + meta.attempts, 0)).toBe(1)
    expect(new Set(all.map(({ meta }) => meta.servedBy))).toEqual(new Set(["crm"]))
    expect(sent()).toBe(1)
    await t.close()
  })
  test("one after the other → each is asked: nothing is kept", async () => {
    const { t, sent, ada } = await given()
    await ada.get({ id: "a" })
    expect(await ada.get({ id: "a" })).toEqual({ id: "a", n: 2 })
    expect(sent()).toBe(2)
    await t.close()
  })
  test("other inputs → attempts of their own", async () => {
    const { t, sent, ada } = await given()
    await Promise.all([ada.get({ id: "a" }), ada.get({ id: "b" })])
    expect(sent()).toBe(2)
    await t.close()
  })
  test("it fails → the failure is everybody's own", async () => {
    const { t, sent, ada } = await given()
    t.wire(crm).on("GET /things/{id}").reply(500, {})
    const errors = await Promise.all([1, 2, 3].map(() => ada.get({ id: "a" }).catch((error) => error)))
    expect(errors.map(({ code, reason }) => [code, reason])).toEqual(Array(3).fill(["UNAVAILABLE", "server-error"]))
    expect([new Set(errors).size, sent()]).toEqual([3, 1])
    await t.close()
  })
  test("one gives up → the others have their answer; all give up → the attempt is stopped", async () => {
    const { t, ada } = await given()
    t.wire(crm).on("GET /things/{id}").hangs({ times: 1 })
    const [first, second] = [new AbortController(), new AbortController()]
    const ends = [first, second].map(({ signal }) => ada.get({ id: "a" }, { signal }).catch(({ code }) => code))
    first.abort()
    expect(await ends[0]).toBe("CANCELLED")
    second.abort()
    expect(await ends[1]).toBe("CANCELLED")
    // Whoever comes now begins anew.
    expect(await ada.get({ id: "a" })).toMatchObject({ id: "a" })
    await t.close()
  })
})

describe("callers", () => {
  test("another principal → an attempt of its own", async () => {
    const { t, sent, ada, bob } = await given()
    await Promise.all([ada.get({ id: "a" }), bob.get({ id: "a" })])
    expect(sent()).toBe(2)
    await t.close()
  })
  test("shared → one for all", async () => {
    const { t, sent, ada, bob } = await given({ shared: true })
    await Promise.all([ada.get({ id: "a" }), bob.get({ id: "a" })])
    expect(sent()).toBe(1)
    await t.close()
  })
  test("a key → inputs with the same one are one", async () => {
    const { t, sent, ada } = await given({ key: ({ id }) => id.toLowerCase() })
    await Promise.all([ada.get({ id: "a" }), ada.get({ id: "A" })])
    expect(sent()).toBe(1)
    await t.close()
  })
})

describe("refused at the start", () => {
  const codesOf = (operation: object): string[] =>
    trestle({ name: "refused", ops: { operation } })
      .check()
      .map(({ code }) => code)
  test("on a write", () => {
    expect(codesOf(op({ effect: "write", input, output }).via(coalesce(crm.call("POST /things"))))).toEqual(["TRS1009"])
  })
  test("inside a write's fallback", () => {
    const operation = op({ effect: "write", input, output }).via(fallback(coalesce(crm.call("POST /things")), crm.call("POST /things")))
    expect(codesOf(operation)).toContain("TRS1009")
  })
  test("round a stream", () => {
    const streamed = op({ effect: "read", input, output: stream(output) }).via(coalesce(value([{ id: "a", n: 1 }]) as never))
    expect(codesOf(streamed)).toContain("TRS1029")
  })
  test("`shared: false`", () => {
    expect(codesOf(op({ effect: "read", input, output }).via(coalesce(value({ id: "a", n: 1 }), { shared: false as never })))).toEqual([
      "TRS1014",
    ])
  })
})

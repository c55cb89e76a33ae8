import { describe, expect, test } from "vitest"
import { z } from "zod"
import { startApp } from "../../src/assembly/start.ts"
import { seededRandom } from "../../src/base/random.ts"
import { backend } from "../../src/contract/backend.ts"
import { op } from "../../src/contract/op.ts"
import type { CallRecord } from "../../src/contract/ports.ts"
import {
  anyone,
  type CacheOptions,
  cache,
  code,
  env,
  fallback,
  lastGood,
  type Principal,
  rest,
  type TrestleError,
  trestle,
  value,
} from "../../src/index.ts"
import { FakeClock, testApp } from "../../src/testing/index.ts"
import { rememberingLog } from "../../src/testing/stand-ins.ts"

const ADA: Principal = { id: "ada", kind: "user" }
const BOB: Principal = { id: "bob", kind: "user" }
const input = z.object({ id: z.string() })
const output = z.object({ id: z.string(), n: z.number() })
const crm = rest({ url: env("CRM_URL"), policy: { retry: 0, breaker: false } })

/** One operation behind a cache, over REST. */
async function cached(options: CacheOptions<{ id: string }> = { for: "30s" }) {
  const get = op({ http: "GET /things/{id}", input, output, anyObject: "a test", allow: anyone("a test"), errors: { GONE: 410 } }).via(
    cache(options, crm.call("GET /things/{id}", { errors: { 410: "GONE" } })),
  )
  const t = await testApp(trestle({ name: "cached", ops: { get } }))
  let n = 0
  t.wire(crm)
    .on("GET /things/{id}")
    .replies((request) => ({ status: 200, body: { id: request.params.id, n: ++n } }))
  const sent = (): number => t.sent(crm).length
  return { t, sent, ada: t.as(ADA), bob: t.as(BOB) }
}

describe("time to live", () => {
  test("again within it → the same answer, without asking, not degraded", async () => {
    const { t, sent, ada } = await cached()
    expect(await ada.get({ id: "a" })).toEqual({ id: "a", n: 1 })
    await t.clock.advance("29s")
    const again = await ada.get.detailed({ id: "a" })
    expect(again.value).toEqual({ id: "a", n: 1 })
    expect(again.meta).toMatchObject({ servedBy: "cache", attempts: 0, degraded: false, ageMs: 29_000 })
    expect(sent()).toBe(1)
    await t.close()
  })
  test("after it → asked anew", async () => {
    const { t, ada } = await cached()
    await ada.get({ id: "a" })
    await t.clock.advance("30s")
    const again = await ada.get.detailed({ id: "a" })
    expect(again.value.n).toBe(2)
    expect(again.meta).toMatchObject({ servedBy: "crm", attempts: 1, degraded: false })
    expect(again.meta.ageMs).toBeUndefined()
    await t.close()
  })
  test("another input, another caller, nobody, the application → each its own", async () => {
    const { t, sent, ada, bob } = await cached()
    await ada.get({ id: "a" })
    await ada.get({ id: "b" })
    await bob.get({ id: "a" })
    await t.http("GET /things/a")
    await t.internal().get({ id: "a" })
    expect(sent()).toBe(5)
    await ada.get({ id: "a" })
    await bob.get({ id: "a" })
    await t.http("GET /things/a")
    await t.internal().get({ id: "a" })
    expect(sent()).toBe(5)
    await t.close()
  })
  test("roles that changed → asked anew", async () => {
    const { t, sent } = await cached()
    await t.as({ ...ADA, roles: ["reader"] }).get({ id: "a" })
    await t.as({ ...ADA, roles: ["admin"] }).get({ id: "a" })
    expect(sent()).toBe(2)
    await t.close()
  })
  test("shared → one for all", async () => {
    const { t, sent, ada, bob } = await cached({ for: "30s", shared: true })
    await ada.get({ id: "a" })
    expect((await bob.get.detailed({ id: "a" })).meta.servedBy).toBe("cache")
    await t.http("GET /things/a")
    expect(sent()).toBe(1)
    await t.close()
  })
  test("a key of one's own → what it says is alike is alike", async () => {
    const { t, sent, ada } = await cached({ for: "30s", key: ({ id }) => id.toLowerCase() })
    await ada.get({ id: "a" })
    expect(await ada.get({ id: "A" })).toMatchObject({ id: "a" })
    expect(sent()).toBe(1)
    await t.close()
  })
  test("entries: 1 → the last one", async () => {
    const { t, sent, ada } = await cached({ for: "30s", entries: 1 })
    await ada.get({ id: "a" })
    await ada.get({ id: "b" })
    await ada.get({ id: "a" })
    expect(sent()).toBe(3)
    await t.close()
  })
  test("what a caller does to its answer → nobody else sees it", async () => {
    const { t, ada } = await cached()
    const mine = await ada.get({ id: "a" })
    expect(() => Object.assign(mine, { n: 99 })).toThrow(TypeError)
    expect(await ada.get({ id: "a" })).toEqual({ id: "a", n: 1 })
    await t.close()
  })
  test("ifMatch → asks past it", async () => {
    const { t, sent, ada } = await cached()
    await ada.get({ id: "a" })
    await ada.get({ id: "a" }, { ifMatch: '"1"' })
    expect(sent()).toBe(2)
    await t.close()
  })
})

describe("what is not kept", () => {
  test.each([404, 410, 500, 429])("an error (%s) → asked again", async (status) => {
    const { t, sent, ada } = await cached()
    t.wire(crm).on("GET /things/{id}").reply(status, {}, { times: 1 })
    await ada.get.safe({ id: "a" })
    expect(await ada.get({ id: "a" })).toMatchObject({ n: 1 })
    expect(sent()).toBe(2)
    await t.close()
  })
  test("a degraded answer → the first choice is asked again", async () => {
    const get = op({ effect: "read", input, output }).via(
      cache({ for: "30s" }, fallback(crm.call("GET /things/{id}"), value({ id: "none", n: 0 }))),
    )
    const t = await testApp(trestle({ name: "degraded", ops: { get } }))
    t.wire(crm).on("GET /things/{id}").reply(500, {}, { times: 1 }).wire(crm).on("GET /things/{id}").reply(200, { id: "a", n: 1 })
    const first = await t.internal().get.detailed({ id: "a" })
    expect(first.meta).toMatchObject({ servedBy: "value", degraded: { why: "crm: HTTP 500" } })
    expect(await t.internal().get({ id: "a" })).toEqual({ id: "a", n: 1 })
    await t.close()
  })
  test("an answer that cannot be copied exactly → given to each as it is", async () => {
    class Money {}
    const get = op({ effect: "read", input, output: z.any() }).via(
      cache(
        { for: "30s" },
        code(() => ({ money: new Money() })),
      ),
    )
    const t = await testApp(trestle({ name: "money", ops: { get } }))
    const [one, other] = await Promise.all([t.internal().get({ id: "a" }), t.internal().get({ id: "a" })])
    expect([one.money, other.money]).toEqual([expect.any(Money), expect.any(Money)])
    expect(one).not.toBe(other)
    await t.close()
  })
})

describe("stale while revalidating", () => {
  const options = { for: "30s", stale: "5m" } as const

  test("old → given at once as degraded, renewed once behind its back", async () => {
    const { t, sent, ada } = await cached(options)
    await ada.get({ id: "a" })
    await t.clock.advance("31s")
    const [one, other] = await Promise.all([ada.get.detailed({ id: "a" }), ada.get.detailed({ id: "a" })])
    for (const { value: given, meta } of [one, other]) {
      expect(given.n).toBe(1)
      expect(meta).toMatchObject({ servedBy: "cache", ageMs: 31_000, degraded: { why: "kept answer, being renewed", ageMs: 31_000 } })
    }
    await t.clock.advance(0)
    expect(sent()).toBe(2)
    expect((await ada.get.detailed({ id: "a" })).meta).toMatchObject({ servedBy: "cache", degraded: false })
    expect(await ada.get({ id: "a" })).toMatchObject({ n: 2 })
    await t.close()
  })
  test("the renewal fails → recorded, the old one stays and says why", async () => {
    const { t, ada } = await cached(options)
    await ada.get({ id: "a" })
    await t.clock.advance("31s")
    t.wire(crm).on("GET /things/{id}").reply(500, {}, { times: 1 })
    await ada.get({ id: "a" })
    await t.clock.advance(0)
    expect(t.calls().find(({ entrance }) => entrance === "refresh")).toMatchObject({ operation: "get", error: { code: "UNAVAILABLE" } })
    expect((await ada.get.detailed({ id: "a" })).meta.degraded).toMatchObject({ why: "crm: HTTP 500" })
    await t.close()
  })
  test("the renewal finds that it is gone → so it is", async () => {
    const { t, ada } = await cached(options)
    await ada.get({ id: "a" })
    await t.clock.advance("31s")
    t.wire(crm).on("GET /things/{id}").reply(404, {})
    await ada.get({ id: "a" })
    await t.clock.advance(0)
    expect(await ada.get.safe({ id: "a" })).toMatchObject({ code: "NOT_FOUND" })
    await t.close()
  })
  test.each(["code", "nested"])("the renewal finds that the caller may not see it any more, in %s → so it is", async (where) => {
    const may = { see: true }
    const inner = op({ effect: "read", input, output, allow: () => may.see }).via(code(({ id }) => ({ id, n: 1 })))
    const get = op({ http: "GET /things/{id}", input, output, anyObject: "a test", allow: anyone("a test") }).via(
      fallback(
        cache(
          options,
          code((given, ctx) => (where === "nested" ? ctx.run(inner, given) : may.see ? { ...given, n: 1 } : ctx.fail("FORBIDDEN"))),
        ),
        lastGood({ for: "1h" }),
      ),
    )
    const t = await testApp(trestle({ name: "forbidden", ops: { get, inner } }))
    await t.as(ADA).get({ id: "a" })
    await t.clock.advance("31s")
    may.see = false
    await t.as(ADA).get({ id: "a" })
    await t.clock.advance(0)
    expect(await t.as(ADA).get.safe({ id: "a" })).toMatchObject({ code: "FORBIDDEN" })
    await t.close()
  })
  test("older than both → waited for", async () => {
    const { t, ada } = await cached(options)
    await ada.get({ id: "a" })
    await t.clock.advance("5m")
    await t.clock.advance("30s")
    expect((await ada.get.detailed({ id: "a" })).meta).toMatchObject({ servedBy: "crm", degraded: false })
    await t.close()
  })
  test("the application closes → it does not wait for a renewal, for nobody does", async () => {
    let asked = 0
    const get = op({ effect: "read", input, output }).via(
      cache(
        { for: "30s", stale: "5m" },
        code(({ id }) => (asked++ === 0 ? { id, n: 1 } : new Promise<never>(() => {}))),
      ),
    )
    const records: CallRecord[] = []
    const clock = new FakeClock()
    const running = await startApp(trestle({ name: "closing", ops: { get } }), { clock, log: rememberingLog(records) })
    await running.internal().get({ id: "a" })
    await clock.advance("31s")
    expect(await running.internal().get({ id: "a" })).toMatchObject({ n: 1 })
    await running.close()
    expect(records.find(({ entrance }) => entrance === "refresh")).toMatchObject({ error: { code: "CANCELLED" } })
  })
  test("the renewal has the whole deadline of the operation, whatever its caller had left", async () => {
    const { t, ada } = await cached(options)
    await ada.get({ id: "a" })
    await t.clock.advance("31s")
    t.wire(crm).on("GET /things/{id}").hangs({ times: 1 })
    await ada.get({ id: "a" }, { deadline: "10ms" })
    await t.clock.advance("1s")
    expect(t.calls().some(({ entrance }) => entrance === "refresh")).toBe(false)
    await t.clock.advance("1500ms")
    expect(t.calls().find(({ entrance }) => entrance === "refresh")).toMatchObject({ error: { code: "TIMEOUT" } })
    await t.close()
  })
})

describe("one flight", () => {
  test("equal calls at once → asked once; attempts are counted once", async () => {
    const { t, sent, ada } = await cached()
    const all = await Promise.all(Array.from({ length: 20 }, () => ada.get.detailed({ id: "a" })))
    expect(new Set(all.map(({ value: { n } }) => n))).toEqual(new Set([1]))
    expect(all.reduce((sum, { meta }) => sum + meta.attempts, 0)).toBe(1)
    expect(sent()).toBe(1)
    await t.close()
  })
  test("repairs → in every call's story, counted once", async () => {
    const repairing = backend<{ id: string }, { id: string; n: number }>("repairing", {
      bind: (site) => async (given, call) => {
        await null
        call.noteRepair("a → b: number")
        return site.accept({ ...given, n: 1 }, call, "repairing")
      },
    })
    const get = op({ effect: "read", input, output }).via(cache({ for: "30s" }, repairing))
    const running = await startApp(trestle({ name: "repaired", ops: { get } }), { log: rememberingLog([]) })
    const all = await Promise.all([1, 2, 3].map(() => running.internal().get.detailed({ id: "a" })))
    expect(all.map(({ meta }) => meta.repaired?.count)).toEqual([1, 1, 1])
    expect(await running.metrics()).toContain('trestle_repairs_total{operation="get",field="a → b: number"} 1')
    expect(await running.metrics()).toContain('trestle_cache_total{operation="get",result="coalesced"} 2')
    await running.close()
  })
  test("it fails → every call has the failure as its own", async () => {
    const { t, sent, ada } = await cached()
    t.wire(crm).on("GET /things/{id}").reply(500, {}, { times: 1 })
    const errors: TrestleError[] = await Promise.all(Array.from({ length: 3 }, () => ada.get({ id: "a" }).catch((error) => error)))
    expect(sent()).toBe(1)
    expect(errors.map(({ code: said }) => said)).toEqual(["UNAVAILABLE", "UNAVAILABLE", "UNAVAILABLE"])
    expect(new Set(errors).size).toBe(3)
    expect(new Set(errors.map(({ trace }) => trace)).size).toBe(3)
    await t.close()
  })
  test("other callers → flights of their own", async () => {
    const { t, sent, ada, bob } = await cached()
    await Promise.all([ada.get({ id: "a" }), bob.get({ id: "a" })])
    expect(sent()).toBe(2)
    await t.close()
  })
  test("the first gives up → the others get their answer", async () => {
    const { t, sent, ada } = await cached()
    let reply = (): void => {}
    const waiting = new Promise<void>((resolve) => (reply = resolve))
    t.wire(crm)
      .on("GET /things/{id}")
      .replies(async () => waiting.then(() => ({ status: 200, body: { id: "a", n: 7 } })))
    const first = new AbortController()
    const one = ada.get.safe({ id: "a" }, { signal: first.signal })
    const two = ada.get.safe({ id: "a" })
    const three = ada.get.safe({ id: "a" }, { deadline: "10ms" })
    first.abort()
    await t.clock.advance("20ms")
    expect(await one).toMatchObject({ code: "CANCELLED" })
    expect(await three).toMatchObject({ code: "TIMEOUT" })
    reply()
    expect(await two).toMatchObject({ ok: true, value: { n: 7 } })
    expect(sent()).toBe(1)
    await t.close()
  })
  test("all give up → it is stopped, and the next call begins anew", async () => {
    const { t, sent, ada } = await cached()
    t.wire(crm).on("GET /things/{id}").hangs({ times: 1 })
    const leaving = new AbortController()
    const calls = [ada.get.safe({ id: "a" }, { signal: leaving.signal }), ada.get.safe({ id: "a" }, { signal: leaving.signal })]
    await t.clock.advance(0)
    expect(t.sent(crm)[0]!.isStopped).toBe(false)
    leaving.abort()
    await Promise.all(calls)
    expect(t.sent(crm)[0]!.isStopped).toBe(true)
    expect(await ada.get({ id: "a" })).toMatchObject({ n: 1 })
    expect(sent()).toBe(2)
    await t.close()
  })
  test("code in it: what it runs belongs to the flight, not to the first caller", async () => {
    const inside = op({ effect: "read", input, output }).via(crm.call("GET /things/{id}"))
    const get = op({ effect: "read", input, output }).via(
      cache(
        { for: "30s" },
        code((given, ctx) => ctx.run(inside, given)),
      ),
    )
    const t = await testApp(trestle({ name: "nested", ops: { inside, get } }))
    let reply = (): void => {}
    const waiting = new Promise<void>((resolve) => (reply = resolve))
    t.wire(crm)
      .on("GET /things/{id}")
      .replies(async () => waiting.then(() => ({ status: 200, body: { id: "a", n: 7 } })))
    const first = new AbortController()
    const one = t.internal().get.safe({ id: "a" }, { signal: first.signal })
    const two = t.internal().get.detailed({ id: "a" })
    await t.clock.advance(0)
    first.abort()
    reply()
    expect(await one).toMatchObject({ code: "CANCELLED" })
    expect((await two).value.n).toBe(7)
    expect((await two).meta.servedBy).toBe("crm")
    await t.close()
  })
  test("random calls, departures and failures → every call ends once, nobody gets another's answer", async () => {
    const Mine = z.object({ who: z.string(), id: z.string() })
    const get = op({ http: "GET /mine/{id}", input, output: Mine, anyObject: "a test", allow: anyone("a test") }).via(
      cache(
        { for: "50ms", stale: "50ms", entries: 3 },
        code(async ({ id }, { user, fail }) => {
          await null
          if (id === "c") fail("NOT_FOUND")
          return { who: user?.id ?? "nobody", id }
        }),
      ),
    )
    const t = await testApp(trestle({ name: "random", ops: { get } }))
    const random = seededRandom(7)
    const oneOf = <T>(all: readonly T[]): T => all[Math.floor(random.next() * all.length)]!
    const ends: Promise<void>[] = []
    for (let i = 0; i < 600; i++) {
      const [who, id, leaving] = [oneOf(["ada", "bob", "cy"]), oneOf(["a", "b", "c"]), new AbortController()]
      const made = t.as({ id: who, kind: "user" }).get.safe({ id }, { signal: leaving.signal })
      ends.push(
        made.then((result) => {
          if (result.ok) expect(result.value).toEqual({ who, id })
          else expect(["NOT_FOUND", "CANCELLED"]).toContain(result.code)
        }),
      )
      if (random.next() < 0.25) leaving.abort()
      if (random.next() < 0.3) await t.clock.advance(Math.floor(random.next() * 40))
    }
    await Promise.all(ends)
    await t.close()
  })
})

describe("revoked while it is under way", () => {
  /** Answers when it is told to. */
  async function waiting() {
    const replies: ((n: number) => void)[] = []
    let isDown = false
    const asked = code<{ id: string }, { id: string; n: number }>(({ id }) =>
      isDown ? Promise.reject(new Error("down")) : new Promise((resolve) => replies.push((n) => resolve({ id, n }))),
    )
    const declared = { http: "GET /things/{id}", input, output, anyObject: "a test", allow: anyone("a test") } as const
    const other = { ...declared, http: "GET /others/{id}" } as const
    const ops = {
      cached: op(declared).via(cache({ for: "30s" }, asked)),
      remembered: op(other).via(fallback(asked, lastGood({ for: "1h" }))),
    }
    const running = await startApp(trestle({ name: "revoked", ops }), { log: rememberingLog([]), keptFolder: null })
    return { running, replies, fail: () => (isDown = true) }
  }

  test("in a cache → answered, not kept, and nobody else joins", async () => {
    const { running, replies } = await waiting()
    const before = running.as(ADA).cached({ id: "a" })
    running.forget("ada")
    const after = running.as(ADA).cached({ id: "a" })
    expect(replies).toHaveLength(2)
    replies[1]!(2)
    expect(await after).toMatchObject({ n: 2 })
    replies[0]!(1)
    expect(await before).toMatchObject({ n: 1 })
    expect(await running.as(ADA).cached({ id: "a" })).toMatchObject({ n: 2 })
    await running.close()
  })
  test("before a last good answer → answered, and not remembered", async () => {
    const { running, replies, fail } = await waiting()
    const before = running.as(ADA).remembered({ id: "a" })
    running.forget("ada")
    replies[0]!(1)
    expect(await before).toMatchObject({ n: 1 })
    fail()
    expect(await running.as(ADA).remembered.safe({ id: "a" })).toMatchObject({ ok: false })
    await running.close()
  })
  test("of somebody of another kind, or another id → what is kept stays", async () => {
    const { running, replies } = await waiting()
    const key: Principal = { id: "ada", kind: "key" }
    const kept = running.as(ADA).cached({ id: "a" })
    replies[0]!(1)
    await kept
    running.forget("bob")
    expect(await running.as(ADA).cached({ id: "a" })).toMatchObject({ n: 1 })
    const other = running.as(key).cached({ id: "a" })
    expect(replies).toHaveLength(2)
    replies[1]!(2)
    expect(await other).toMatchObject({ n: 2 })
    running.forget("ada")
    void running.as(key).cached.safe({ id: "a" })
    void running.as(ADA).cached.safe({ id: "a" })
    expect(replies).toHaveLength(4)
    replies[2]!(3)
    replies[3]!(4)
    await running.close()
  })
})

describe("conditional requests to the service", () => {
  test("304 → the kept answer holds again, without a body", async () => {
    const { t, sent, ada } = await cached()
    t.wire(crm)
      .on("GET /things/{id}")
      .replies(({ headers }) =>
        headers["if-none-match"] === '"v1"'
          ? { status: 304, headers: { etag: '"v1"' } }
          : { status: 200, body: { id: "a", n: 1 }, headers: { etag: '"v1"', "last-modified": "Thu, 01 Jan 2026 00:00:00 GMT" } },
      )
    const first = await ada.get({ id: "a" })
    for (let i = 0; i < 3; i++) {
      await t.clock.advance("31s")
      const again = await ada.get.detailed({ id: "a" })
      expect(again.value).toBe(first)
      expect(again.meta).toMatchObject({ servedBy: "crm", attempts: 1, degraded: false })
    }
    expect(sent()).toBe(4)
    expect(t.sent(crm)[0]!.headers["if-none-match"]).toBeUndefined()
    expect(t.sent(crm)[3]!.headers).toMatchObject({ "if-none-match": '"v1"', "if-modified-since": "Thu, 01 Jan 2026 00:00:00 GMT" })
    await t.close()
  })
  test("another answer → it takes the place of the kept one, with its own mark", async () => {
    const { t, ada } = await cached()
    let n = 0
    t.wire(crm)
      .on("GET /things/{id}")
      .replies(() => ({ status: 200, body: { id: "a", n: ++n }, ...(n === 1 ? { headers: { etag: '"v1"' } } : {}) }))
    for (const expected of [1, 2, 3]) {
      expect(await ada.get({ id: "a" })).toMatchObject({ n: expected })
      await t.clock.advance("31s")
    }
    expect(t.sent(crm).map(({ headers }) => headers["if-none-match"])).toEqual([undefined, '"v1"', undefined])
    await t.close()
  })
  test("304 that was not asked for → an answer that cannot be read", async () => {
    const { t, ada } = await cached()
    t.wire(crm).on("GET /things/{id}").reply(304)
    expect(await ada.get.safe({ id: "a" })).toMatchObject({ ok: false, code: "INTERNAL" })
    await t.close()
  })
  test("the mark of one service → never sent to another", async () => {
    const backup = rest({ url: env("BACKUP_URL"), policy: { retry: 0 } })
    const get = op({ effect: "read", input, output }).via(
      cache({ for: "30s" }, fallback(crm.call("GET /things/{id}"), backup.call("GET /things/{id}"))),
    )
    const t = await testApp(trestle({ name: "backup", ops: { get } }))
    t.wire(crm)
      .on("GET /things/{id}")
      .reply(200, { id: "a", n: 1 }, { headers: { etag: '"v1"' }, times: 1 })
    t.wire(crm).on("GET /things/{id}").reply(500)
    t.wire(backup).on("GET /things/{id}").reply(200, { id: "a", n: 2 })
    await t.internal().get({ id: "a" })
    await t.clock.advance("31s")
    expect(await t.internal().get({ id: "a" })).toMatchObject({ n: 2 })
    expect(t.sent(crm)[1]!.headers["if-none-match"]).toBe('"v1"')
    expect(t.sent(backup)[0]!.headers["if-none-match"]).toBeUndefined()
    await t.close()
  })
})

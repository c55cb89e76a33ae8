// The rules of failure.md, "Attempts", as a service on a real socket sees them.
import { describe, expect, test } from "vitest"
import { z } from "zod"
import { type Backend, code, fallback, op, type Policy, rest } from "../../src/index.ts"
import { first, replies, resets, silence } from "./kit/behaviours.ts"
import { started } from "./kit/fault.ts"
import { Receiver } from "./kit/receiver.ts"
import { KEY, WELL } from "./kit/rest-faults.ts"

const Thing = z.object({ id: z.string(), name: z.string() })
const write = { effect: "write", input: Thing, output: Thing } as const
const read = { effect: "read", input: Thing, output: Thing } as const
const ADA = { id: "7", name: "Ada" }
const ATTEMPTS: Policy = { breaker: false, retry: { times: 2, backoff: "1ms" }, timeout: "2s" }
const name = "crm"

const keyed = (url: string, policy: Policy = ATTEMPTS): Backend<any, any> =>
  rest({ url, name, policy }).call("POST /things", { repeat: KEY })

describe("the leaf's key is derived from the call's key, the step and the service", () => {
  const keyOf = (receiver: Receiver, at: number): string | undefined => receiver.arrivals[at]?.headers["idempotency-key"]

  test("one per call, the same over attempts; the encoded request is kept and resent byte for byte", async () => {
    await using receiver = await Receiver.open(first(1, replies(503), first(1, resets, WELL)))
    await using app = await started({ add: op(write).via(keyed(receiver.url)) })
    await app.ask.add(ADA)
    const [one, ...others] = receiver.arrivals
    expect(one!.headers["idempotency-key"]).toMatch(/^[\w-]{32}$/)
    expect(others).toEqual([one, one])
  })

  test("the same key of the caller → the same key at the service; another one, or none → another", async () => {
    await using receiver = await Receiver.open(WELL)
    await using app = await started({ add: op(write).via(keyed(receiver.url)) })
    for (const idempotencyKey of ["k1", "k1", "k2"]) await app.ask.add(ADA, { idempotencyKey })
    await app.ask.add(ADA)
    const keys = [0, 1, 2, 3].map((at) => keyOf(receiver, at))
    expect(keys[0]).toBe(keys[1])
    expect(new Set(keys).size).toBe(3)
    expect(keys.join()).not.toContain("k1")
  })

  test("two steps of one call → two keys, and the same two when the call is made again", async () => {
    await using receiver = await Receiver.open(WELL)
    const add = op(write).via(keyed(receiver.url))
    const twice = op(write).via(
      code(async (i, ctx) => {
        await ctx.run(add, i)
        return ctx.run(add, i)
      }),
    )
    await using app = await started({ add, twice })
    await app.ask.twice(ADA, { idempotencyKey: "k1" })
    await app.ask.twice(ADA, { idempotencyKey: "k1" })
    const keys = [0, 1, 2, 3].map((at) => keyOf(receiver, at))
    expect(keys.slice(2)).toEqual(keys.slice(0, 2))
    expect(keys[0]).not.toBe(keys[1])
  })

  test("a replica gets a key of its own: it is another service", async () => {
    await using receiver = await Receiver.open(replies(429))
    await using replica = await Receiver.open(WELL)
    const crm = rest({ url: receiver.url, name, policy: { ...ATTEMPTS, retry: 0 } })
    const second = rest({ url: replica.url, name: "replica", replicaOf: crm })
    const add = op(write).via(fallback(crm.call("POST /things", { repeat: KEY }), second.call("POST /things", { repeat: KEY })))
    await using app = await started({ add })
    await app.ask.add(ADA, { idempotencyKey: "k1" })
    expect(keyOf(replica, 0)).toMatch(/^[\w-]{32}$/)
    expect(keyOf(replica, 0)).not.toBe(keyOf(receiver, 0))
  })
})

describe("default from the call's own verb", () => {
  for (const [verb, isRepeated] of [
    ["GET", true],
    ["PUT", true],
    ["DELETE", true],
    ["POST", false],
    ["PATCH", false],
  ] as const)
    test(`${verb}, after unknown → ${isRepeated ? "repeated" : "sent once"}, whatever the contract promises to our callers`, async () => {
      await using receiver = await Receiver.open(resets)
      const call = rest({ url: receiver.url, policy: ATTEMPTS }).call<any, any>(`${verb} /things`)
      await using app = await started({ it: op({ ...write, repeat: "natural" }).via(call) })
      await app.ask.it.safe(ADA)
      expect(receiver.arrivals.length).toBe(isRepeated ? 3 : 1)
    })
})

describe("Retry-After honoured up to the deadline", () => {
  test("within it → waited for, no earlier", async () => {
    await using receiver = await Receiver.open(first(1, replies(429, {}, { "retry-after": 1 }), WELL))
    await using app = await started({ it: op(write).via(keyed(receiver.url)) })
    const result = await app.ask.it.detailed(ADA)
    expect(result.meta.attempts).toBe(2)
    expect(result.meta.ms).toBeGreaterThanOrEqual(1_000)
  })
  test("beyond it → no further attempt, answered at once, and the caller hears when to come back", async () => {
    await using receiver = await Receiver.open(replies(429, {}, { "retry-after": 30 }))
    await using app = await started({ it: op(write).via(keyed(receiver.url)) })
    expect(await app.ask.it.safe(ADA)).toMatchObject({ outcome: "refused", retryAfterMs: 30_000 })
    expect(receiver.arrivals.length).toBe(1)
    expect(app.records.at(-1)!.meta.ms).toBeLessThan(1_000)
  })
})

describe("a retried first attempt that answers 409 is looked up, not failed", () => {
  const made = first(1, resets, replies(409))
  test("with a lookup → what it finds; without one → unknown, never a conflict", async () => {
    await using receiver = await Receiver.open((socket, arrival) => (arrival.method === "GET" ? WELL : made)(socket, arrival))
    const crm = rest({ url: receiver.url, name, policy: ATTEMPTS })
    const lookup = crm.call("GET /things/{id}")
    await using app = await started({ it: op(write).via(crm.call<any, any>("POST /things", { repeat: KEY, lookup })) })
    expect(await app.ask.it(ADA)).toEqual(ADA)
    expect(receiver.arrivals.map(({ method }) => method)).toEqual(["POST", "POST", "GET"])
  })
  test("without a lookup → unknown", async () => {
    await using receiver = await Receiver.open(first(1, resets, replies(409)))
    await using app = await started({ it: op(write).via(keyed(receiver.url)) })
    expect(await app.ask.it.safe(ADA)).toMatchObject({ code: "OUTCOME_UNKNOWN", outcome: "unknown" })
  })
  test("after an attempt that was refused → a real conflict", async () => {
    await using receiver = await Receiver.open(first(1, replies(429), replies(409)))
    await using app = await started({ it: op(write).via(keyed(receiver.url)) })
    expect(await app.ask.it.safe(ADA)).toMatchObject({ code: "CONFLICT", outcome: "answered" })
  })
})

describe("neither feeds the breaker nor is retried", () => {
  const BRITTLE: Policy = { ...ATTEMPTS, breaker: { failures: 1, of: 1, rest: "60s" } }

  for (const [effect, heard] of [
    ["read", { code: "CANCELLED", outcome: "refused" }],
    ["write", { code: "OUTCOME_UNKNOWN", outcome: "unknown" }],
  ] as const)
    test(`a caller's abort: a ${effect} → ${heard.code}, sent once, its connection closed`, async () => {
      await using receiver = await Receiver.open(silence)
      const call = rest({ url: receiver.url, policy: BRITTLE }).call<any, any>("PUT /things")
      await using app = await started({ it: op({ ...write, effect }).via(call) })
      const abort = new AbortController()
      const asking = app.ask.it.safe(ADA, { signal: abort.signal })
      await receiver.until(() => receiver.arrivals.length === 1, "the request did not arrive")
      abort.abort()
      expect(await asking).toMatchObject(heard)
      await receiver.until(() => receiver.open === 0, "the connection is still open")
      receiver.behaviour = WELL
      expect(await app.ask.it.safe(ADA)).toMatchObject({ ok: true, meta: { attempts: 1 } })
      expect(receiver.arrivals.length).toBe(2)
    })

  test("a mapping of the request that throws → INTERNAL, refused, nothing sent", async () => {
    await using receiver = await Receiver.open(WELL)
    const crm = rest({ url: receiver.url, policy: BRITTLE })
    const body = (): never => {
      throw new Error("not as expected")
    }
    const wrong = op(write).via(crm.call<any, any>("PUT /things", { body }))
    await using app = await started({ wrong, right: op(write).via(crm.call<any, any>("PUT /things")) })
    expect(await app.ask.wrong.safe(ADA)).toMatchObject({ code: "INTERNAL", outcome: "refused" })
    expect(app.records.at(-1)!.meta.attempts).toBe(0)
    expect(receiver.arrivals.length).toBe(0)
    expect(await app.ask.right.safe(ADA)).toMatchObject({ ok: true })
  })
})

describe("the breaker", () => {
  test("half-open lets exactly one probe through: it arrives, the others do not", async () => {
    await using receiver = await Receiver.open(resets)
    const policy: Policy = { retry: 0, timeout: "5s", breaker: { failures: 1, of: 1, rest: "50ms" } }
    await using app = await started({ it: op(read).via(rest({ url: receiver.url, policy }).call<any, any>("GET /things")) })
    const { retryAfterMs } = await app.ask.it.safe(ADA).then(() => app.ask.it.safe(ADA))
    expect(retryAfterMs).toBeGreaterThan(0)
    receiver.behaviour = silence
    const arrived = receiver.arrivals.length
    // The rest is real time: whoever asks before its end is told how much of it is left. Timers leave out parts of a millisecond.
    await new Promise((resolve) => setTimeout(resolve, Math.ceil(retryAfterMs) + 1))
    const [probe, ...others] = Array.from({ length: 10 }, () => app.ask.it.safe(ADA))
    for (const result of await Promise.all(others)) expect(result).toMatchObject({ code: "UNAVAILABLE", outcome: "refused" })
    await receiver.until(() => receiver.arrivals.length > arrived, "the probe did not arrive")
    expect(receiver.arrivals.length).toBe(arrived + 1)
    receiver.behaviour = WELL
    await receiver.close()
    await probe
  })
  test("is per service: another one at the same address goes on", async () => {
    await using receiver = await Receiver.open(first(1, resets, WELL))
    const policy: Policy = { retry: 0, breaker: { failures: 1, of: 1, rest: "60s" } }
    const [one, other] = ["one", "other"].map((name) => rest({ url: receiver.url, name, policy }))
    await using app = await started({ one: op(read).via(one!.call("GET /things")), other: op(read).via(other!.call("GET /things")) })
    await app.ask.one.safe(ADA)
    expect(await app.ask.one.safe(ADA)).toMatchObject({ ok: false })
    expect(await app.ask.other.safe(ADA)).toMatchObject({ ok: true })
  })
})

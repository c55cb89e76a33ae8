import { afterEach, describe, expect, test } from "vitest"
import { z } from "zod"
import { backend } from "../../src/contract/backend.ts"
import { TrestleError } from "../../src/errors/trestle-error.ts"
import { anyone, code, nothing, op } from "../../src/index.ts"
import type { Call } from "../../src/runtime/call.ts"
import { ada, bob, World, type WorldOptions } from "./kit.ts"

const Order = z.object({ item: z.string() })
const Placed = z.object({ id: z.number(), item: z.string() })
const contract = {
  http: "POST /orders",
  input: Order,
  output: Placed,
  errors: { SOLD_OUT: 409 },
  allow: anyone("a test"),
  repeat: "key",
  deadline: "3s",
} as const

const opened: World<object>[] = []
afterEach(async () => {
  for (const world of opened.splice(0)) await world.close()
})

type Act = (input: { item: string }, ctx: any) => unknown
const orders = (act: Act) => ({ order: op(contract).via(code((input, ctx) => act(input, ctx) as any)) })
const notSent = (): TrestleError => new TrestleError("UNAVAILABLE", undefined, { reason: "not-connected" })
const inc = (): { count: number; act: Act } => {
  const effects = { count: 0, act: ({ item }: { item: string }) => ({ id: ++effects.count, item }) }
  return effects
}

async function open<T extends object>(ops: T, options?: WorldOptions): Promise<World<T>> {
  const world = await World.open(ops, options)
  opened.push(world)
  return world
}

const key = { idempotencyKey: "k1" }
const tea = { item: "tea" }

describe("a call under a key", () => {
  test("made again → the same answer, one effect, two units of the store the first time", async () => {
    const effects = inc()
    const world = await open(orders(effects.act))
    const first = await world.as(ada).order(tea, key)
    expect(world.store.units).toEqual(["insert", "update"])
    expect([first, await world.as(ada).order(tea, key)]).toEqual([
      { id: 1, item: "tea" },
      { id: 1, item: "tea" },
    ])
    expect(effects.count).toBe(1)
  })

  test("made again → told as replayed in its record; meta is its own, but for who served it", async () => {
    const world = await open(orders(inc().act))
    await world.as(ada).order(tea, key)
    await world.clock.advance("1s")
    const { meta } = await world.as(ada).order.detailed(tea, key)
    expect(meta).toMatchObject({ servedBy: "code", attempts: 0, ms: 0, degraded: false })
    expect(world.records.map(({ isReplayed }) => isReplayed)).toEqual([false, true])
    expect(world.records[0]!.meta.trace).not.toBe(meta.trace)
  })

  test("without a key → made each time, and nothing is stored", async () => {
    const effects = inc()
    const world = await open(orders(effects.act))
    await world.as(ada).order(tea)
    await world.as(ada).order(tea)
    expect([effects.count, world.store.units]).toEqual([2, []])
  })

  test("of an operation without `repeat: key` → made each time, and nothing is stored", async () => {
    const effects = inc()
    const world = await open({ order: op({ ...contract, repeat: "none" }).via(code((input) => effects.act(input, null) as any)) })
    await world.as(ada).order(tea, key)
    await world.as(ada).order(tea, key)
    expect([effects.count, world.store.units]).toEqual([2, []])
  })

  test("another key → another effect", async () => {
    const effects = inc()
    const world = await open(orders(effects.act))
    await world.as(ada).order(tea, key)
    await world.as(ada).order(tea, { idempotencyKey: "k2" })
    expect(effects.count).toBe(2)
  })

  test("the same key in another operation → another effect", async () => {
    const effects = inc()
    const world = await open({ ...orders(effects.act), other: op({ ...contract, http: "POST /others" }).via(code(effects.act as any)) })
    await world.as(ada).order(tea, key)
    await world.as(ada).other(tea, key)
    expect(effects.count).toBe(2)
  })

  test("the same key for another input → KEY_REUSED, and nothing happens", async () => {
    const effects = inc()
    const world = await open(orders(effects.act))
    await world.as(ada).order(tea, key)
    expect(await world.as(ada).order.safe({ item: "coffee" }, key)).toMatchObject({ code: "KEY_REUSED", outcome: "refused" })
    expect(effects.count).toBe(1)
  })

  test("the same input with its fields in another order → the same answer", async () => {
    const two = z.object({ a: z.string(), b: z.string() })
    let count = 0
    const world = await open({ order: op({ ...contract, input: two }).via(code(() => ({ id: ++count, item: "x" }))) })
    await world.as(ada).order({ a: "1", b: "2" }, key)
    expect(await world.as(ada).order({ b: "2", a: "1" }, key)).toEqual({ id: 1, item: "x" })
  })

  test("the same input, but another version expected → KEY_REUSED", async () => {
    const world = await open(orders(inc().act))
    await world.as(ada).order.safe(tea, { ...key, ifMatch: '"1"' })
    expect(await world.as(ada).order.safe(tea, { ...key, ifMatch: '"2"' })).toMatchObject({ code: "KEY_REUSED" })
  })

  test.each(["", "k".repeat(256)])("a key that is none (%#) → INVALID, and nothing happens", async (idempotencyKey) => {
    const effects = inc()
    const world = await open(orders(effects.act))
    const failed = await world.as(ada).order.safe(tea, { idempotencyKey })
    expect(failed).toMatchObject({ code: "INVALID", issues: [{ path: "idempotencyKey" }] })
    expect([effects.count, world.store.units]).toEqual([0, []])
  })

  test("input that does not fit → INVALID, and the key stays free", async () => {
    const world = await open(orders(inc().act))
    expect(await world.as(ada).order.safe({ item: 7 }, key)).toMatchObject({ code: "INVALID" })
    expect(await world.as(ada).order(tea, key)).toEqual({ id: 1, item: "tea" })
  })

  test("an answer of nothing → nothing, once", async () => {
    let count = 0
    const world = await open({ order: op({ ...contract, output: nothing }).via(code(() => void count++)) })
    await world.as(ada).order(tea, key)
    expect(await world.as(ada).order(tea, key)).toBeUndefined()
    expect(count).toBe(1)
  })
})

describe("while the first is under way", () => {
  test("the same key → KEY_IN_USE with when to ask again, its outcome unknown; then the answer", async () => {
    let finish: (answer: unknown) => void = () => {}
    const world = await open(orders(() => new Promise((resolve) => (finish = resolve))))
    const first = world.as(ada).order(tea, key)
    await world.clock.advance(0)
    expect(await world.as(ada).order.safe(tea, key)).toMatchObject({ code: "KEY_IN_USE", retryAfterMs: 1_000, outcome: "unknown" })
    finish({ id: 1, item: "tea" })
    await first
    expect(await world.as(ada).order(tea, key)).toEqual({ id: 1, item: "tea" })
  })

  test("the same key for another input → KEY_REUSED at once", async () => {
    const world = await open(orders(() => new Promise(() => {})))
    const first = world.as(ada).order.safe(tea, key)
    await world.clock.advance(0)
    expect(await world.as(ada).order.safe({ item: "coffee" }, key)).toMatchObject({ code: "KEY_REUSED" })
    await world.clock.advance("1m")
    await first
  })

  test("twenty at once on two nodes → one effect", async () => {
    const effects = inc()
    const one = await open(orders(effects.act))
    const other = await open(orders(effects.act), { beside: one })
    const all = await Promise.all(Array.from({ length: 20 }, (_, n) => (n % 2 ? one : other).as(ada).order.safe(tea, key)))
    expect(effects.count).toBe(1)
    expect(new Set(all.map((each: any) => (each.ok ? each.value.id : each.code)))).toEqual(new Set([1, "KEY_IN_USE"]))
    expect(await other.as(ada).order(tea, key)).toEqual({ id: 1, item: "tea" })
  })
})

describe("how the first has ended", () => {
  test("a declared error → the same error again, with its detail; nothing is tried again", async () => {
    let count = 0
    const world = await open(
      orders((_, ctx) => {
        count++
        return ctx.fail("SOLD_OUT", "no tea today")
      }),
    )
    const first = await world.as(ada).order.safe(tea, key)
    const again = await world.as(ada).order.safe(tea, key)
    expect(again).toMatchObject({ code: "SOLD_OUT", detail: "no tea today", outcome: "answered" })
    expect({ ...again, trace: "" }).toEqual({ ...first, trace: "" })
    expect(count).toBe(1)
    expect(world.records[1]!.error!.status).toBe(409)
  })

  test("refused → the key is free, and the next call is made", async () => {
    let count = 0
    const world = await open(
      orders(() => {
        if (count++ === 0) throw notSent()
        return { id: count, item: "tea" }
      }),
    )
    expect(await world.as(ada).order.safe(tea, key)).toMatchObject({ code: "UNAVAILABLE", outcome: "refused" })
    expect(world.store.units).toEqual(["insert", "delete"])
    expect(await world.as(ada).order(tea, key)).toEqual({ id: 2, item: "tea" })
  })

  test("unknown → OUTCOME_UNKNOWN again and again, and never tried again", async () => {
    let count = 0
    const world = await open(
      orders(() => {
        count++
        throw new Error("the line went dead")
      }),
    )
    expect(await world.as(ada).order.safe(tea, key)).toMatchObject({ code: "OUTCOME_UNKNOWN" })
    await world.clock.advance("23h")
    expect(await world.as(ada).order.safe(tea, key)).toMatchObject({ code: "OUTCOME_UNKNOWN", outcome: "unknown" })
    expect(count).toBe(1)
  })

  test("its deadline rang → OUTCOME_UNKNOWN; a late answer → is the answer from then on", async () => {
    let finish: (answer: unknown) => void = () => {}
    const world = await open(orders(() => new Promise((resolve) => (finish = resolve))))
    const first = world.as(ada).order.safe(tea, key)
    await world.clock.advance("3s")
    expect(await first).toMatchObject({ code: "OUTCOME_UNKNOWN" })
    expect(await world.as(ada).order.safe(tea, key)).toMatchObject({ code: "OUTCOME_UNKNOWN" })
    finish({ id: 9, item: "tea" })
    await world.clock.advance(0)
    expect(await world.as(ada).order(tea, key)).toEqual({ id: 9, item: "tea" })
  })

  test("its caller gave up before anything was done → the key is free", async () => {
    const effects = inc()
    const world = await open(orders(effects.act))
    const giveUp = new AbortController()
    const first = world.as(ada).order.safe(tea, { ...key, signal: giveUp.signal })
    // The claim is on its way to the store.
    giveUp.abort()
    expect(await first).toMatchObject({ code: "CANCELLED", outcome: "refused" })
    await world.clock.advance(0)
    expect(await world.as(ada).order(tea, key)).toEqual({ id: 1, item: "tea" })
  })

  test("a step was still acting when another was refused → unknown, not free", async () => {
    const acting = op({ effect: "write", input: nothing, output: nothing }).via(code(() => new Promise<void>(() => {})))
    const refused = op({ effect: "write", input: nothing, output: nothing }).via(
      code(async () => {
        throw notSent()
      }),
    )
    const world = await open({
      acting,
      refused,
      order: op(contract).via(
        code(async (_, ctx) => {
          await Promise.all([ctx.run(acting, undefined), ctx.run(refused, undefined)])
          return { id: 1, item: "" }
        }),
      ),
    })
    expect(await world.as(ada).order.safe(tea, key)).toMatchObject({ code: "OUTCOME_UNKNOWN" })
    expect(await world.as(ada).order.safe(tea, key)).toMatchObject({ code: "OUTCOME_UNKNOWN" })
    expect(world.store.units).toEqual(["insert", "update", "insert"])
  })

  test("its process died → KEY_IN_USE while it could still answer, then OUTCOME_UNKNOWN; never run again", async () => {
    let count = 0
    const dead = await open(
      orders(() => {
        count++
        return new Promise(() => {})
      }),
    )
    void dead.as(ada).order.safe(tea, key)
    await dead.clock.advance(0)
    // From here on nothing of the first node reaches the store.
    const other = await open(orders(inc().act), { beside: dead })
    for (let n = 0; n < 2; n++) dead.store.fail("update", "refused")
    await dead.clock.advance("12s")
    expect(await other.as(ada).order.safe(tea, key)).toMatchObject({ code: "KEY_IN_USE" })
    await dead.clock.advance("2s")
    expect(await other.as(ada).order.safe(tea, key)).toMatchObject({ code: "OUTCOME_UNKNOWN" })
    expect(count).toBe(1)
  })
})

describe("work that goes on in the store", () => {
  test("its caller's process died → asked again under the same token and the same id of its work, and never unknown", async () => {
    const asked: string[] = []
    const going = backend<unknown, { id: number; item: string }>("flow", {
      isDurable: true,
      bind: (site) => (_, call) => {
        asked.push(`${call.idempotencyKey()} ${call.newWorkId()}`)
        return asked.length === 1 ? new Promise(() => {}) : site.accept({ id: 1, item: "tea" }, call, "flow")
      },
    })
    const world = await open({ order: op(contract).via(going) })
    void world.as(ada).order.safe(tea, key)
    await world.clock.advance(0)
    world.store.fail("delete", "refused")
    await world.clock.advance("14s")
    expect(await world.as(ada).order(tea, key)).toEqual({ id: 1, item: "tea" })
    expect(asked).toHaveLength(2)
    expect(asked[0]).toBe(asked[1])
    expect(asked[0]).toMatch(/^[0-9a-f]{64} [0-9a-f]{32}$/)
  })

  test("two works of one call → two ids; those of another call → others", async () => {
    const ids: string[] = []
    const two = backend<unknown, { id: number; item: string }>("two", {
      bind: (site) => (_, call) => {
        ids.push(call.newWorkId(), call.newWorkId())
        return site.accept({ id: 1, item: "" }, call, "two")
      },
    })
    const world = await open({ order: op(contract).via(two) })
    await world.as(ada).order(tea, key)
    await world.as(ada).order(tea, { idempotencyKey: "k2" })
    expect(new Set(ids).size).toBe(4)
  })
})

describe("the store", () => {
  test("gone when the key is claimed → UNAVAILABLE, and nothing happens", async () => {
    const effects = inc()
    const world = await open(orders(effects.act))
    world.store.fail("insert", "refused")
    expect(await world.as(ada).order.safe(tea, key)).toMatchObject({ code: "UNAVAILABLE", outcome: "refused" })
    expect(effects.count).toBe(0)
    expect(await world.as(ada).order(tea, key)).toEqual({ id: 1, item: "tea" })
  })

  test("does not say whether the claim was kept → UNAVAILABLE, and the key is given back", async () => {
    const effects = inc()
    const world = await open(orders(effects.act))
    world.store.fail("insert", "kept, and unknown")
    expect(await world.as(ada).order.safe(tea, key)).toMatchObject({ code: "UNAVAILABLE", outcome: "refused" })
    await world.clock.advance(0)
    expect(await world.as(ada).order(tea, key)).toEqual({ id: 1, item: "tea" })
  })

  test("gone when the answer is to be remembered → the answer is given all the same, the log says so, the key is unknown in the end", async () => {
    const effects = inc()
    const world = await open(orders(effects.act))
    world.store.fail("update", "refused")
    expect(await world.as(ada).order(tea, key)).toEqual({ id: 1, item: "tea" })
    expect(world.complaints).toEqual([expect.stringContaining("could not be kept")])
    expect(await world.as(ada).order.safe(tea, key)).toMatchObject({ code: "KEY_IN_USE" })
    await world.clock.advance("20s")
    expect(await world.as(ada).order.safe(tea, key)).toMatchObject({ code: "OUTCOME_UNKNOWN" })
    expect(effects.count).toBe(1)
  })

  test.each<[string, Act]>([
    ["an answer", ({ item }) => ({ id: 1, item })],
    ["a declared error", (_, ctx) => ctx.fail("SOLD_OUT")],
  ])("%s → is given only once it is remembered", async (_, act) => {
    const world = await open(orders(act))
    const go = world.store.hold("update")
    let isGiven = false
    const given = world
      .as(ada)
      .order.safe(tea, key)
      .then(() => (isGiven = true))
    await world.clock.advance("1s")
    expect([isGiven, world.store.units]).toEqual([false, ["insert", "update"]])
    go()
    await given
  })

  test("refused → the error is given only once the key is free again", async () => {
    const world = await open(
      orders(() => {
        throw notSent()
      }),
    )
    const go = world.store.hold("delete")
    let isGiven = false
    const given = world
      .as(ada)
      .order.safe(tea, key)
      .then(() => (isGiven = true))
    await world.clock.advance("1s")
    expect(isGiven).toBe(false)
    go()
    await given
  })

  test("its deadline rings while the answer is being remembered → OUTCOME_UNKNOWN, and the answer for whoever asks again", async () => {
    const world = await open(orders(inc().act))
    const go = world.store.hold("update")
    const first = world.as(ada).order.safe(tea, key)
    await world.clock.advance("3s")
    expect(await first).toMatchObject({ code: "OUTCOME_UNKNOWN" })
    go()
    await world.clock.advance(0)
    expect(await world.as(ada).order(tea, key)).toEqual({ id: 1, item: "tea" })
  })

  test("24 hours later → the key is new", async () => {
    const effects = inc()
    const world = await open(orders(effects.act))
    await world.as(ada).order(tea, key)
    await world.clock.advance("24h")
    expect(await world.as(ada).order({ item: "coffee" }, key)).toEqual({ id: 2, item: "coffee" })
  })

  test("swept → what is over is gone, the rest stays", async () => {
    const world = await open(orders(inc().act))
    await world.as(ada).order(tea, key)
    await world.clock.advance("23h")
    await world.as(ada).order(tea, { idempotencyKey: "k2" })
    await world.clock.advance("1h")
    expect(await world.claims.sweep()).toBe(false)
    expect(await world.rows()).toHaveLength(1)
  })

  test("an answer larger than the limit → is not kept: the next hears that it was done", async () => {
    const effects = inc()
    const world = await open(orders(({ item }) => ({ ...(effects.act({ item }, null) as object), item: "x".repeat(300_000) })))
    await world.as(ada).order(tea, key)
    const again = await world.as(ada).order.safe(tea, key)
    expect(again).toMatchObject({ code: "CONFLICT", outcome: "answered", detail: expect.stringContaining("carried out") })
    expect(effects.count).toBe(1)
  })

  test("sealed → nothing of the answer stands there; one whose seal is broken → the next hears that it was done", async () => {
    const turned = (text: string): string => [...text].reverse().join("")
    const seal = {
      seal: (text: string, row: string) => Buffer.from(turned(text + row)),
      open: (bytes: Uint8Array, row: string) => {
        const text = turned(Buffer.from(bytes).toString())
        return text.endsWith(row) ? text.slice(0, -row.length) : null
      },
    }
    const world = await open(orders(inc().act), { seal })
    await world.as(ada).order(tea, key)
    expect(JSON.stringify(await world.rows())).not.toContain("tea")
    expect(await world.as(ada).order(tea, key)).toEqual({ id: 1, item: "tea" })
    await world.store.unit([{ text: "update trestle_claims set answer = ?", values: ["AAAA"] }])
    expect(await world.as(ada).order.safe(tea, key)).toMatchObject({ code: "CONFLICT", outcome: "answered" })
  })
})

describe("the operation has changed meanwhile", () => {
  test("it has another path, and says what it was → the same answer", async () => {
    const effects = inc()
    const before = await open(orders(effects.act))
    await before.as(ada).order(tea, key)
    const { order } = orders(effects.act)
    const placed = op({ ...contract, was: ["order"] }).via(code((input) => effects.act(input, null) as any))
    const after = await open({ placed }, { beside: before })
    expect(order).toBeDefined()
    expect(await after.as(ada).placed(tea, key)).toEqual({ id: 1, item: "tea" })
    expect(await after.rows()).toHaveLength(1)
  })

  test("its answers have another form → the next hears that it was done, and the answer is not kept", async () => {
    const before = await open(orders(inc().act))
    await before.as(ada).order(tea, key)
    let count = 0
    const other = op({ ...contract, output: z.object({ number: z.string() }) }).via(code(() => ({ number: `${++count}` })))
    const after = await open({ order: other }, { beside: before })
    expect(await after.as(ada).order.safe(tea, key)).toMatchObject({ code: "CONFLICT", outcome: "answered" })
    expect(count).toBe(0)
  })
})

describe("whose key it is", () => {
  const whoAsks = (world: World<object>) => [
    world.as(ada),
    world.as(bob),
    world.as({ ...ada, kind: "key" }),
    world.as(null),
    world.internal(),
  ]

  test("each kind of caller and each caller → its own", async () => {
    const effects = inc()
    const world = await open(orders(effects.act))
    for (const [n, who] of whoAsks(world).entries()) expect(await (who as any).order(tea, key)).toEqual({ id: n + 1, item: "tea" })
    for (const [n, who] of whoAsks(world).entries()) expect(await (who as any).order(tea, key)).toEqual({ id: n + 1, item: "tea" })
    expect(effects.count).toBe(5)
  })

  test("names that would run together → are told apart", async () => {
    const effects = inc()
    const world = await open(orders(effects.act))
    await world.as({ id: "a", kind: "user" }).order(tea, { idempotencyKey: 'b","c' })
    await world.as({ id: 'a","b', kind: "user" }).order(tea, { idempotencyKey: "c" })
    expect(effects.count).toBe(2)
  })

  test("a secret field → given again to whom we know, left out for callers without credentials, and not stored for them", async () => {
    const output = z.object({ id: z.number(), token: z.string().meta({ format: "password" }).optional() })
    const world = await open({ order: op({ ...contract, output }).via(code(() => ({ id: 1, token: "s3cret" }))) })
    expect(await world.as(null).order(tea, key)).toEqual({ id: 1, token: "s3cret" })
    expect(await world.as(null).order(tea, key)).toEqual({ id: 1 })
    expect(JSON.stringify(await world.rows())).not.toContain("s3cret")
    await world.as(ada).order(tea, key)
    expect(await world.as(ada).order(tea, key)).toEqual({ id: 1, token: "s3cret" })
  })

  test("forgotten → the answer is gone, that it was done is not; others keep theirs", async () => {
    const effects = inc()
    const world = await open(orders(effects.act))
    const old = { ...ada, credential: "c1" }
    await world.as(old).order(tea, key)
    await world.as(bob).order(tea, key)
    await world.claims.forget({ id: "ada", kind: "user", credential: "c2" })
    expect(await world.as(ada).order(tea, key)).toEqual({ id: 1, item: "tea" })
    await world.claims.forget({ id: "ada", kind: "user", credential: "c1" })
    expect(await world.as(ada).order.safe(tea, key)).toMatchObject({ code: "CONFLICT", outcome: "answered" })
    expect(await world.as(bob).order(tea, key)).toEqual({ id: 2, item: "tea" })
    await world.claims.forget({ id: "bob", kind: "user" })
    expect(await world.as(bob).order.safe(tea, key)).toMatchObject({ code: "CONFLICT" })
    expect(effects.count).toBe(2)
  })
})

describe("within jobs", () => {
  /** `outer` runs in a job and has `order` as a step of its own. */
  const inJob = (act: Act, order: object = op(contract).via(code((input, ctx) => act(input, ctx) as any))) => {
    const outer = op({ effect: "write", input: nothing, output: Placed }).via(code((_, ctx) => ctx.run(order as any, tea) as any))
    return { outer, order }
  }

  test("a run of the operation itself → passes untouched", async () => {
    const effects = inc()
    const world = await open(orders(effects.act))
    await world.deliver("order", tea)
    await world.deliver("order", tea, { fence: 2, attempt: 2 })
    expect([effects.count, world.store.units]).toEqual([2, []])
  })

  test("a step under a key, and the job is run again → the same answer, one effect", async () => {
    const effects = inc()
    const world = await open(inJob(effects.act))
    const first = await world.deliver("outer", undefined)
    const second = await world.deliver("outer", undefined, { fence: 2, attempt: 2 })
    expect([first.output, second.output]).toEqual([
      { id: 1, item: "tea" },
      { id: 1, item: "tea" },
    ])
    expect(effects.count).toBe(1)
  })

  test("a caller who has guessed the key of a job's step → its own effect", async () => {
    const effects = inc()
    const world = await open(inJob(effects.act))
    await world.deliver("outer", undefined)
    const step = world.records.find(({ operation }) => operation === "order") as Call
    await world.as(ada).order(tea, { idempotencyKey: step.idempotencyKey() })
    expect(effects.count).toBe(2)
  })

  test("a step of a call that is in no job → nothing is stored for it", async () => {
    const effects = inc()
    const world = await open(inJob(effects.act))
    await world.internal().outer(undefined, key)
    expect(world.store.units).toEqual([])
  })

  test("the run died within a step of which nobody promised that it may be repeated → the next run hears that it is unknown, at once", async () => {
    let count = 0
    const world = await open(
      inJob(() => {
        count++
        return new Promise(() => {})
      }),
    )
    void world.deliver("outer", undefined)
    await world.clock.advance(0)
    const second = await world.deliver("outer", undefined, { fence: 2, attempt: 2 })
    expect([second.error?.code, count]).toEqual(["OUTCOME_UNKNOWN", 1])
  })

  test("the run died within a step that may be repeated → the next run makes it again, under the same token; the dead one says nothing more", async () => {
    const tokens: string[] = []
    let finish: (answer: unknown) => void = () => {}
    const asking = backend<{ item: string }, { id: number; item: string }>("asking", {
      repeat: { key: "Idempotency-Key" },
      bind: (site) => (_, call) => {
        call.noteSent()
        tokens.push(call.idempotencyKey())
        if (tokens.length > 1) return site.accept({ id: 2, item: "tea" }, call, "asking")
        return new Promise((resolve) => (finish = resolve)).then((answer) => site.accept(answer, call, "asking"))
      },
    })
    const world = await open(inJob(() => {}, op(contract).via(asking)))
    void world.deliver("outer", undefined)
    await world.clock.advance(0)
    const second = await world.deliver("outer", undefined, { fence: 2, attempt: 2 })
    finish({ id: 1, item: "tea" })
    await world.clock.advance(0)
    const third = await world.deliver("outer", undefined, { fence: 3, attempt: 3 })
    expect([second.output, third.output]).toEqual([
      { id: 2, item: "tea" },
      { id: 2, item: "tea" },
    ])
    expect(tokens).toHaveLength(2)
    expect(new Set(tokens).size).toBe(1)
  })

  test("an older run → gets nothing that a newer one holds", async () => {
    const world = await open(inJob(() => new Promise(() => {})))
    void world.deliver("outer", undefined, { fence: 5 })
    await world.clock.advance(0)
    const older = await world.deliver("outer", undefined, { fence: 4 })
    expect(older.error?.code).toBe("KEY_IN_USE")
  })

  test("a person has ordered the run → the step is made again", async () => {
    let count = 0
    const world = await open(
      inJob(() => {
        if (count++ === 0) throw new Error("the line went dead")
        return { id: count, item: "tea" }
      }),
    )
    await world.deliver("outer", undefined)
    const ordered = await world.deliver("outer", undefined, { fence: 2, attempt: 2, isOrdered: true })
    expect(ordered.output).toEqual({ id: 2, item: "tea" })
  })
})

describe("what follows from the key", () => {
  const token = (name: string) =>
    backend<unknown, { id: number; item: string }>(name, {
      bind: (site) => (_, call) => site.accept({ id: 1, item: `${call.isDurable} ${call.idempotencyKey()}` }, call, name),
    })

  test("claimed → the token of the intent is known beyond the process, and is another for each caller", async () => {
    const world = await open({ order: op(contract).via(token("token")) })
    const [a, b] = [await world.as(ada).order(tea, key), await world.as(bob).order(tea, key)]
    expect(a.item).toMatch(/^true [0-9a-f]{64}$/)
    expect(a.item).not.toBe(b.item)
  })

  test("free again, and used for another input → another token; for the same input → the same", async () => {
    const tokens: string[] = []
    const refusing = backend<unknown, { id: number; item: string }>("refusing", {
      bind: () => (_, call) => {
        tokens.push(call.idempotencyKey())
        throw notSent()
      },
    })
    const world = await open({ order: op(contract).via(refusing) })
    for (const item of ["tea", "coffee", "tea"]) await world.as(ada).order.safe({ item }, key)
    expect(tokens[0]).toBe(tokens[2])
    expect(tokens[0]).not.toBe(tokens[1])
  })

  test("an operation without `repeat: key` → the token is the caller's own, as ever", async () => {
    const world = await open({ order: op({ ...contract, repeat: "none" }).via(token("token")) })
    expect((await world.as(ada).order(tea, key)).item).toBe("false k1")
  })
})

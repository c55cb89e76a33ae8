import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { z } from "zod"
import { startApp } from "../../src/assembly/start.ts"
import { Jobs } from "../../src/durable/jobs.ts"
import { anyone, type Ctx, code, fallback, nothing, op, placeholder, role, topic, trestle } from "../../src/index.ts"
import { type TestApp, testApp } from "../../src/testing/index.ts"
import { rememberingLog, THROWAWAY } from "../../src/testing/stand-ins.ts"
import { environmentIn, fileStore, newJob } from "../durable/kit.ts"

const Registered = z.object({ userId: z.string(), points: z.number().int() })
const registered = topic("candidate.registered", Registered, { key: ({ userId }) => userId })

/** Two consumers of one topic; what each of them has heard. */
function twoConsumers() {
  const heard: string[] = []
  const ops = {
    welcome: op({ on: registered, effect: "write", repeat: "natural", input: Registered, output: nothing }).via(
      code(({ userId }) => void heard.push(`welcome ${userId}`)),
    ),
    count: op({ on: registered, effect: "write", repeat: "natural", input: Registered, output: nothing }).via(
      code(({ userId, points }) => void heard.push(`count ${userId} ${points}`)),
    ),
  }
  return { heard, app: trestle({ name: "consumers", ops }) }
}

/** One consumer, which does what it is told. */
function oneConsumer(does: (input: { userId: string; points: number }, ctx: Ctx) => unknown, given: typeof registered = registered) {
  const consume = op({
    on: given,
    effect: "write",
    repeat: "natural",
    input: Registered,
    output: nothing,
    errors: { NO_SUCH_USER: 404 },
    delivery: { times: 3, backoff: "1s" },
  }).via(code((input, ctx) => does(input, ctx) as undefined))
  return trestle({ name: "consumer", ops: { consume } })
}

const states = async (t: TestApp<unknown>): Promise<string[]> => (await t.jobs()).map(({ state, orderKey }) => `${orderKey} ${state}`)

describe("a start", () => {
  test("a placeholder on a topic → one warning each, and none of what is real or has no topic", async () => {
    const contract = { effect: "write", repeat: "natural", input: Registered, output: nothing } as const
    const guessed = placeholder<z.output<typeof Registered>, void>(undefined, "no model yet")
    const ops = {
      ...oneConsumer(() => undefined).ops,
      scored: op({ ...contract, on: registered }).via(guessed),
      mailed: op({ ...contract, effect: "read", on: registered }).via(
        fallback(
          code(() => undefined),
          guessed,
        ),
      ),
      listed: op(contract).via(guessed),
    }
    const warnings: string[] = []
    const log = rememberingLog([])
    const app = trestle({ name: "made up", ops })
    const running = await startApp(app, {
      ...THROWAWAY,
      log: { ...log, events: { ...log.events, warn: (text) => void warnings.push(text) } },
    })
    await running.close()
    expect(warnings).toEqual(
      ["scored", "mailed"].map((path) =>
        expect.stringContaining(`${path} is a placeholder on candidate.registered: messages that it takes`),
      ),
    )
  })
})

describe("a message", () => {
  test("published → each consumer of its topic gets it, once", async () => {
    const { heard, app } = twoConsumers()
    await using t = await testApp(app)
    await t.deliver(registered, { userId: "ada", points: 3 })
    await t.drain()
    expect(heard.sort()).toEqual(["count ada 3", "welcome ada"])
    expect(await t.outbox()).toEqual({ waiting: 0, dead: 0, parked: 0 })
    expect(t.published(registered)).toEqual([{ userId: "ada", points: 3 }])
  })

  test("of one key → its consumers get them one after the other, in their order", async () => {
    const order: string[] = []
    const app = oneConsumer(async ({ userId, points }) => {
      order.push(`${userId}${points} begins`)
      await new Promise((resolve) => setImmediate(resolve))
      order.push(`${userId}${points} ends`)
    })
    await using t = await testApp(app)
    await Promise.all([1, 2, 3].map((points) => t.publish(registered, { userId: "a", points })))
    await t.drain()
    expect(order).toEqual(["a1 begins", "a1 ends", "a2 begins", "a2 ends", "a3 begins", "a3 ends"])
  })

  test("whose consumer fails → is tried again after a while, up to its times, then is dead with its history", async () => {
    let runs = 0
    const app = oneConsumer(() => {
      runs++
      throw new TypeError("no")
    })
    await using t = await testApp(app)
    await t.deliver(registered, { userId: "ada", points: 3 })
    expect([runs, await states(t)]).toEqual([1, ["ada waiting"]])
    await t.clock.advance("1m")
    await t.drain()
    await t.clock.advance("1m")
    await t.drain()
    const [job] = await t.jobs()
    expect([runs, job!.state, job!.attempts]).toEqual([3, "dead", 3])
    expect(job!.history.map(({ what, code: said }) => `${what} ${said}`)).toEqual([
      "failed OUTCOME_UNKNOWN",
      "failed OUTCOME_UNKNOWN",
      "dead OUTCOME_UNKNOWN",
    ])
  })

  test("that is answered with an error → is dead at once", async () => {
    const app = oneConsumer((_, ctx) => ctx.fail("NO_SUCH_USER"))
    await using t = await testApp(app)
    await t.deliver(registered, { userId: "ada", points: 3 })
    expect(await states(t)).toEqual(["ada dead"])
  })
})

describe("a payload", () => {
  test("that is not what its topic says → the publisher hears it, and nobody gets it", async () => {
    const { heard, app } = twoConsumers()
    await using t = await testApp(app)
    const wrong = { userId: 7, points: 1 } as never
    await expect(t.publish(registered, wrong)).rejects.toMatchObject({ code: "INVALID", issues: [{ path: "userId" }] })
    await t.drain()
    expect([heard, await t.jobs()]).toEqual([[], []])
  })

  test("that fits the topic and not the consumer → is dead at once, with what is wrong", async () => {
    const consume = op({ on: registered, effect: "read", input: Registered.extend({ points: z.number().max(5) }), output: nothing }).via(
      code(() => undefined),
    )
    await using t = await testApp(trestle({ name: "strict", ops: { consume } }))
    await t.deliver(registered, { userId: "ada", points: 6 })
    expect((await t.jobs())[0]).toMatchObject({ state: "dead", history: [{ what: "dead", code: "INVALID" }] })
  })

  test("of another version than the consumer takes → is dead at once, and says so", async () => {
    const second = topic("candidate.registered", Registered, { version: 2 })
    const app = oneConsumer(() => undefined, second as typeof registered)
    await using t = await testApp(app)
    await t.deliver(registered, { userId: "ada", points: 3 })
    const [job] = await t.jobs()
    expect(job).toMatchObject({ state: "dead", history: [{ why: expect.stringContaining("version 1 of candidate.registered") }] })
  })
})

describe("a dead message", () => {
  const failing = async (onDead: "block" | "skip"): Promise<readonly string[]> => {
    const ordered = topic("candidate.registered", Registered, { key: ({ userId }) => userId, onDead })
    const app = oneConsumer(({ points }, ctx) => (points === 1 ? ctx.fail("NO_SUCH_USER") : undefined), ordered)
    await using t = await testApp(app)
    for (const [userId, points] of [
      ["ada", 1],
      ["ada", 2],
      ["bob", 3],
    ] as const)
      await t.publish(ordered, { userId, points })
    await t.drain()
    return states(t)
  }
  test("of a topic that blocks → holds up the later ones of its key, and no others", async () =>
    expect(await failing("block")).toEqual(["ada dead", "ada waiting"]))
  test("of a topic that skips → holds up nobody", async () => expect(await failing("skip")).toEqual(["ada dead"]))
})

describe("a consumer", () => {
  test("sees who it is: nobody's call, with the application's own authority, and a token that stays", async () => {
    const seen: unknown[] = []
    let runs = 0
    const inner = op({ effect: "read", input: nothing, output: nothing, allow: role("nobody has it") }).via(code(() => undefined))
    const consume = op({ on: registered, effect: "write", repeat: "natural", input: Registered, output: nothing }).via(
      code(async (_, ctx) => {
        await ctx.run(inner, undefined)
        seen.push(ctx.user)
        if (runs++ === 0) throw new TypeError("once")
      }),
    )
    await using t = await testApp(trestle({ name: "who", ops: { consume, inner } }))
    await t.deliver(registered, { userId: "ada", points: 3 })
    await t.clock.advance("10s")
    await t.drain()
    expect([seen, await t.jobs()]).toEqual([[null, null], []])
    expect(
      t
        .calls()
        .filter(({ operation }) => operation === "consume")
        .map(({ entrance }) => entrance),
    ).toEqual(["message", "message"])
    expect(new Set(t.calls().map(({ meta }) => meta.trace)).size).toBe(1)
  })

  test("with an http entrance → is reached both ways", async () => {
    let calls = 0
    const consume = op({
      http: "POST /registered",
      allow: anyone("a hook"),
      anyObject: "a hook",
      on: registered,
      repeat: "natural",
      input: Registered,
      output: nothing,
    }).via(code(() => void calls++))
    await using t = await testApp(trestle({ name: "both", ops: { consume } }))
    await t.deliver(registered, { userId: "ada", points: 3 })
    expect((await t.http("POST /registered", { json: { userId: "ada", points: 3 } })).status).toBe(204)
    expect(calls).toBe(2)
  })

  test("that has another path now → gets what was put for the former one", async () => {
    const folder = mkdtempSync(join(tmpdir(), "trestle-topics-"))
    const heard: string[] = []
    const consumer = (was: string[] = []) =>
      op({ on: registered, effect: "write", repeat: "natural", was, input: Registered, output: nothing }).via(
        code(({ userId }) => void heard.push(userId)),
      )
    const { store, close } = await fileStore(join(folder, "store.db"))
    const jobs = new Jobs({ store, operations: [], epoch: Date.now })
    await jobs.put(newJob("m/old", { operation: "old", input: { userId: "ada", points: 1 }, version: 1 }))
    await close()
    const running = await startApp(trestle({ name: "renamed", ops: { present: consumer(["old"]) } }), {
      environment: environmentIn(folder),
      log: rememberingLog([]),
    })
    await expect.poll(() => heard, { timeout: 20_000 }).toEqual(["ada"])
    await running.close()
    rmSync(folder, { recursive: true })
  })
})

describe("an application without consumers", () => {
  test("publishing → goes nowhere, and no store is made", async () => {
    const app = trestle({ name: "none", ops: { list: op({ effect: "read", input: nothing, output: nothing }).via(code(() => undefined)) } })
    await using t = await testApp(app)
    await t.deliver(registered, { userId: "ada", points: 3 })
    expect(await t.jobs()).toEqual([])
  })
})

describe("a started application", () => {
  test("published, then closed at once → every message is delivered, now or at the next start, and none twice", async () => {
    const folder = mkdtempSync(join(tmpdir(), "trestle-topics-"))
    const heard: string[] = []
    const start = () => {
      const consume = op({ on: registered, effect: "write", repeat: "natural", input: Registered, output: nothing }).via(
        code(async ({ userId }) => {
          await new Promise((resolve) => setImmediate(resolve))
          heard.push(userId)
        }),
      )
      return startApp(trestle({ name: "closing", ops: { consume } }), { environment: environmentIn(folder), log: rememberingLog([]) })
    }
    const first = await start()
    const sent = Array.from({ length: 300 }, (_, i) => `u${i}`)
    await Promise.all(sent.map((userId) => first.publish(registered, { userId, points: 1 })))
    await first.close()
    const second = await start()
    await expect.poll(() => heard.length, { timeout: 20_000 }).toBe(300)
    await second.close()
    expect(new Set(heard).size).toBe(300)
    rmSync(folder, { recursive: true })
  })
})

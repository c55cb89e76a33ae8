import { describe, expect, test } from "vitest"
import { z } from "zod"
import { type Ctx, code, nothing, op, topic, trestle } from "../../src/index.ts"
import { type TestApp, testApp } from "../../src/testing/index.ts"

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
    const { deliver, drain } = t
    expect([deliver, drain].every(Boolean)).toBe(true)
    for (const points of [1, 2, 3]) await t.internal().consume.safe({ userId: "x", points })
    order.length = 0
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

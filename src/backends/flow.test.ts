import { describe, expect, test } from "vitest"
import { z } from "zod"
import type { Ctx } from "../contract/call.ts"
import { code, flow, nothing, op, type Steps, topic, trestle } from "../index.ts"
import { type TestApp, testApp } from "../testing/index.ts"

const Id = z.object({ id: z.string() })
const Ids = z.object({ ids: z.array(z.string()) })
const errors = { FULL: 409, LATE: 410 }
const moved = topic("moved", Id)

/** What has happened outside, and how the next steps of each id go. */
class World {
  readonly done: string[] = []
  readonly fails = new Map<string, (ctx: Ctx<any>) => never>()

  act(what: string, id: string, ctx: Ctx<any>): { id: string } {
    this.fails.get(`${what}${id}`)?.(ctx)
    this.done.push(what + id)
    return { id }
  }
}

type F = (input: { ids: string[] }, s: Steps<any>, ops: ReturnType<typeof stepsOf>) => Promise<unknown>

function stepsOf(world: World) {
  const act = (what: string) => code<{ id: string }, { id: string }, any>((i, ctx) => world.act(what, i.id, ctx))
  return {
    add: op({ effect: "write", input: Id, output: Id, errors }).via(act("+")),
    put: op({ effect: "write", repeat: "natural", input: Id, output: Id, errors }).via(act("=")),
    keep: op({ effect: "write", repeat: "key", input: Id, output: Id, errors }).via(act("#")),
    remove: op({ effect: "write", repeat: "natural", input: Id, output: nothing }).via(
      code((i, ctx) => void world.act("-", i.id, ctx as Ctx<any>)),
    ),
    look: op({ effect: "read", input: Id, output: Id, errors }).via(act("?")),
    heard: op({ on: moved, effect: "write", repeat: "natural", input: Id, output: nothing }).via(
      code((i, ctx) => void world.act("!", i.id, ctx as Ctx<any>)),
    ),
  }
}

function appOf(f: F, options: Parameters<typeof flow>[1] = {}) {
  const world = new World()
  const steps = stepsOf(world)
  const all = op({ effect: "write", input: Ids, output: Ids, errors, deadline: "5s" }).via(
    flow(async (input, s) => ((await f(input, s as Steps<any>, steps)) ?? input) as any, options),
  )
  return { world, app: trestle({ name: "flows", ops: { ...steps, all } }) }
}

const addAll: F = async ({ ids }, s, { add, remove }) => {
  for (const id of ids) await s.run(add, { id }, { undo: (made) => s.run(remove, made) })
}

/** Calls, does what is due, and gives the end. */
async function made(t: TestApp<any>, input: object): Promise<any> {
  const [result] = await Promise.all([(t.internal() as any).all.safe(input), t.drain()])
  return result
}

async function states(t: TestApp<any>): Promise<string[]> {
  return (await t.jobs()).map(({ state, history }) => `${state} ${history.at(-1)?.code ?? ""}`.trim())
}

/** Runs what is put off, again and again. */
async function later(t: TestApp<any>, times = 1): Promise<void> {
  for (let n = 0; n < times; n++) {
    await t.clock.advance("10m")
    await t.drain()
  }
}

describe("flow", () => {
  test("all steps answer → the function's answer", async () => {
    const { world, app } = appOf(addAll)
    await using t = await testApp(app)
    expect(await made(t, { ids: ["a", "b"] })).toMatchObject({ ok: true, value: { ids: ["a", "b"] }, meta: { servedBy: "code" } })
    expect(world.done).toEqual(["+a", "+b"])
    expect(await states(t)).toEqual(["done"])
  })

  test("a step fails → those before it are undone in reverse, its error is the flow's, and nothing has happened", async () => {
    const { world, app } = appOf(addAll)
    world.fails.set("+c", (ctx) => ctx.fail("FULL"))
    await using t = await testApp(app)
    expect(await made(t, { ids: ["a", "b", "c"] })).toMatchObject({ ok: false, code: "FULL", outcome: "answered" })
    expect(world.done).toEqual(["+a", "+b", "-b", "-a"])
    expect(await states(t)).toEqual(["failed FULL"])
  })

  test("s.fail → undone, and its code", async () => {
    const { world, app } = appOf(async (input, s, ops) => {
      await addAll(input, s, ops)
      s.fail("LATE", "too late")
    })
    await using t = await testApp(app)
    expect(await made(t, { ids: ["a"] })).toMatchObject({ code: "LATE", detail: "too late" })
    expect(world.done).toEqual(["+a", "-a"])
  })

  test("its function throws → undone, INTERNAL, and what it said is for the operator alone", async () => {
    const { world, app } = appOf(async (input, s, ops) => {
      await addAll(input, s, ops)
      throw new Error("a secret")
    })
    await using t = await testApp(app)
    const result = await made(t, { ids: ["a"] })
    expect(result).toMatchObject({ code: "INTERNAL", outcome: "refused" })
    expect(JSON.stringify(result)).not.toContain("secret")
    expect(world.done).toEqual(["+a", "-a"])
  })

  test("its answer is not what the contract says → undone, INTERNAL", async () => {
    const { world, app } = appOf(async (input, s, ops) => {
      await addAll(input, s, ops)
      return { ids: "none" }
    })
    await using t = await testApp(app)
    expect(await made(t, { ids: ["a"] })).toMatchObject({ code: "INTERNAL", outcome: "refused" })
    expect(world.done).toEqual(["+a", "-a"])
  })

  test("a failure that its function catches → no failure of the flow", async () => {
    const { world, app } = appOf(async (_, s, { add, put }) => {
      await s.run(add, { id: "a" }).catch(() => s.run(put, { id: "a" }))
    })
    world.fails.set("+a", (ctx) => ctx.fail("FULL"))
    await using t = await testApp(app)
    expect(await made(t, { ids: [] })).toMatchObject({ ok: true })
    expect(world.done).toEqual(["=a"])
  })

  test("a step may have had its effect and may not be repeated → parked, and nothing is undone", async () => {
    const { world, app } = appOf(addAll)
    world.fails.set("+b", () => {
      throw new Error("boom")
    })
    await using t = await testApp(app)
    const result = await made(t, { ids: ["a", "b"] })
    expect(result).toMatchObject({ ok: false, code: "PENDING", work: expect.any(String) })
    expect(world.done).toEqual(["+a"])
    expect(await states(t)).toEqual(["parked OUTCOME_UNKNOWN"])
    expect(await t.work(result.work)).toMatchObject({ state: "parked", operation: "all", progress: { done: 1, step: "" } })
  })

  test("a step may have had its effect and may be repeated → repeated after a while, then goes on", async () => {
    const { world, app } = appOf(async (_, s, { add, put }) => {
      await s.run(add, { id: "a" })
      await s.run(put, { id: "b" })
    })
    world.fails.set("=b", () => {
      world.fails.clear()
      throw new Error("boom")
    })
    await using t = await testApp(app)
    const call = t.internal().all.safe({ ids: [] })
    await t.drain()
    expect(await states(t)).toEqual(["waiting OUTCOME_UNKNOWN"])
    await later(t)
    expect(await call).toMatchObject({ code: "PENDING" })
    expect(world.done).toEqual(["+a", "=b"])
    expect(await states(t)).toEqual(["done OUTCOME_UNKNOWN"])
  })

  test("a step under a key may have had its effect, and nobody can say → parked at once", async () => {
    const { world, app } = appOf(async (_, s, { keep }) => s.run(keep, { id: "a" }).then(() => undefined))
    world.fails.set("#a", () => {
      throw new Error("boom")
    })
    await using t = await testApp(app)
    await made(t, { ids: [] })
    expect(await states(t)).toEqual(["parked OUTCOME_UNKNOWN"])
  })

  test("an undo fails → tried again for a while, then a dead letter that names the step and why; ordered by a person it is undone", async () => {
    const { world, app } = appOf(addAll)
    world.fails.set("+b", (ctx) => ctx.fail("FULL"))
    world.fails.set("-a", (ctx) => ctx.fail("UNAVAILABLE"))
    await using t = await testApp(app)
    const call = t.internal().all.safe({ ids: ["a", "b"] })
    await t.drain()
    expect(await states(t)).toEqual(["waiting INTERNAL"])
    expect((await t.jobs())[0]).toMatchObject({ progress: { done: 1, step: "", undoing: "FULL" }, history: [{ step: "undo 1" }] })
    await later(t, 29)
    const [job] = await t.jobs()
    expect([job!.state, job!.attempts]).toEqual(["dead", 30])
    expect(job!.history.at(-1)!.why).toContain("flow all: step 1 could not be undone: UNAVAILABLE")
    expect(job!.history.at(-1)!.step).toBe("undo 1")
    expect(await call).toMatchObject({ code: "PENDING" })
    world.fails.delete("-a")
    await t.retry(job!.id)
    await t.drain()
    expect(world.done).toEqual(["+a", "-a"])
    expect(await states(t)).toEqual(["failed FULL"])
  })

  test("a step fails, then an undo, with the same error → each says which it was, and its caller that it is undone, and why", async () => {
    const { world, app } = appOf(async (_, s, { add, put, remove }) => {
      await s.run(add, { id: "a" }, { name: "charge", undo: () => s.run(remove, { id: "a" }, { name: "refund" }) })
      await s.run(put, { id: "b" }, { name: "ship" })
    })
    const boom = (): never => {
      throw new Error("boom")
    }
    world.fails.set("=b", boom)
    world.fails.set("-a", boom)
    await using t = await testApp(app)
    const call = t.internal().all.safe({ ids: [] })
    await t.drain()
    world.fails.set("=b", (ctx) => ctx.fail("FULL"))
    await later(t, 2)
    const result = (await call) as { work: string }
    const [job] = await t.jobs()
    expect(job!.history.slice(0, 2).map(({ what, code, step }) => [what, code, step])).toEqual([
      ["failed", "OUTCOME_UNKNOWN", "ship"],
      ["failed", "OUTCOME_UNKNOWN", "undo charge"],
    ])
    expect(await t.work(result.work)).toMatchObject({ state: "waiting", progress: { done: 1, step: "charge", undoing: "FULL" } })
    world.fails.delete("-a")
    await later(t, 5)
    expect(await t.work(result.work)).toMatchObject({ state: "failed", problem: { code: "FULL" } })
    expect(await states(t)).toEqual(["failed FULL"])
  })
})

describe("steps under way together", () => {
  test("named → all of them", async () => {
    const { world, app } = appOf(async ({ ids }, s, { add }) => {
      await Promise.all(ids.map((id) => s.run(add, { id }, { name: id })))
    })
    await using t = await testApp(app)
    expect(await made(t, { ids: ["a", "b"] })).toMatchObject({ ok: true })
    expect(world.done.sort()).toEqual(["+a", "+b"])
  })

  test("without names → refused, nothing has happened but what is undone", async () => {
    const { world, app } = appOf(async ({ ids }, s, { add, remove }) => {
      await Promise.all(ids.map((id) => s.run(add, { id }, { undo: (answer) => s.run(remove, answer) })))
    })
    await using t = await testApp(app)
    expect(await made(t, { ids: ["a", "b"] })).toMatchObject({ code: "INTERNAL", outcome: "refused" })
    expect(world.done).toEqual(["+a", "-a"])
  })

  test("of one name → refused", async () => {
    const { app } = appOf(async (_, s, { add }) => {
      await s.run(add, { id: "a" }, { name: "one" })
      await s.run(add, { id: "b" }, { name: "one" })
    })
    await using t = await testApp(app)
    expect(await made(t, { ids: [] })).toMatchObject({ code: "INTERNAL" })
  })

  test("one fails while another is under way → that one is waited for, then undone", async () => {
    const { world, app } = appOf(async (_, s, { add, look, remove }) => {
      const slow = async (): Promise<unknown> => {
        await s.run(look, { id: "x" }, { name: "look" })
        return s.run(add, { id: "a" }, { name: "a", undo: (answer) => s.run(remove, answer) })
      }
      await Promise.all([slow(), s.run(add, { id: "b" }, { name: "b" })])
    })
    world.fails.set("+b", (ctx) => ctx.fail("FULL"))
    await using t = await testApp(app)
    expect(await made(t, { ids: [] })).toMatchObject({ code: "FULL" })
    expect(world.done).toEqual(["?x", "+a", "-a"])
  })

  test("one is undecided while another fails → parked: the first is decided before anything is undone", async () => {
    const { world, app } = appOf(async (_, s, { add, remove }) => {
      const undo = (answer: { id: string }): Promise<unknown> => s.run(remove, answer)
      await s.run(add, { id: "z" }, { undo })
      await Promise.all([s.run(add, { id: "a" }, { name: "a" }), s.run(add, { id: "b" }, { name: "b" })])
    })
    world.fails.set("+a", () => {
      throw new Error("boom")
    })
    world.fails.set("+b", (ctx) => ctx.fail("FULL"))
    await using t = await testApp(app)
    await made(t, { ids: [] })
    expect([world.done, await states(t)]).toEqual([["+z"], ["parked OUTCOME_UNKNOWN"]])
  })
})

describe("what comes through s", () => {
  test("a message → published once, and given to its consumers", async () => {
    const { world, app } = appOf(async (_, s) => s.emit(moved, { id: "a" }))
    await using t = await testApp(app)
    expect(await made(t, { ids: [] })).toMatchObject({ ok: true })
    await t.drain()
    expect([t.published(moved), world.done]).toEqual([[{ id: "a" }], ["!a"]])
  })

  test("a payload that is not what the topic says → the flow's mistake", async () => {
    const { app } = appOf(async (_, s) => s.emit(moved, { id: 1 } as never))
    await using t = await testApp(app)
    expect(await made(t, { ids: [] })).toMatchObject({ code: "INTERNAL" })
  })

  test("time and chance → those of the application", async () => {
    const { app } = appOf(async (_, s) => ({ ids: [String(await s.now()), String((await s.random()) < 1)] }))
    await using t = await testApp(app)
    expect(await made(t, { ids: [] })).toMatchObject({ value: { ids: [String(t.clock.epoch()), "true"] } })
  })

  test("an operation that is not in `ops` → the flow's mistake", async () => {
    const other = op({ effect: "write", input: Id, output: Id }).via(code((i) => i))
    const { app } = appOf(async (_, s) => s.run(other, { id: "a" }).then(() => undefined))
    await using t = await testApp(app)
    expect(await made(t, { ids: [] })).toMatchObject({ code: "INTERNAL" })
  })
})

describe("durable: false", () => {
  const options = { durable: false, why: "a test" } as const
  test("its steps, undone when one fails, and nothing is stored", async () => {
    const { world, app } = appOf(addAll, options)
    world.fails.set("+b", (ctx) => ctx.fail("FULL"))
    await using t = await testApp(app)
    expect(await t.internal().all.safe({ ids: ["a", "b"] })).toMatchObject({ code: "FULL" })
    expect(world.done).toEqual(["+a", "-a"])
    expect(await t.jobs()).toEqual([])
  })
  test("a step may have had its effect → the outcome is unknown, nothing is undone", async () => {
    const { world, app } = appOf(addAll, options)
    world.fails.set("+b", () => {
      throw new Error("boom")
    })
    await using t = await testApp(app)
    expect(await t.internal().all.safe({ ids: ["a", "b"] })).toMatchObject({ code: "OUTCOME_UNKNOWN" })
    expect(world.done).toEqual(["+a"])
  })
  test("a message → refused: it could not be published once", async () => {
    const { app } = appOf(async (_, s) => s.emit(moved, { id: "a" }), options)
    await using t = await testApp(app)
    expect(await t.internal().all.safe({ ids: [] })).toMatchObject({ code: "INTERNAL" })
  })
  test("without its reason → a finding", () => {
    const { app } = appOf(addAll, { durable: false, why: "" })
    expect(app.check().map(({ message }) => message)).toEqual(["all: flow: durable: false needs its reason in `why`"])
  })
})

test("a read made of others → in its caller's call, without a store", async () => {
  const look = op({ effect: "read", input: Id, output: Id }).via(code((i) => i))
  const both = op({ effect: "read", input: Ids, output: Ids }).via(
    flow(async ({ ids }, s) => ({
      ids: await Promise.all(ids.map(async (id) => (await s.run(look, { id }, { name: id })).id)),
    })),
  )
  await using t = await testApp(trestle({ name: "reads", ops: { look, both } }))
  expect(await t.internal().both({ ids: ["a", "b"] })).toEqual({ ids: ["a", "b"] })
  expect(await t.jobs()).toEqual([])
})

class Money {
  readonly cents = 100
}
test.each<[string, "read" | "write", unknown, string]>([
  ["a function", "write", { save: () => 1 }, "its answer.made.save is a function"],
  ["an object of a class", "write", new Money(), "its answer.made is of the class Money"],
  ["a function, of a read", "read", () => 1, "its answer.made is a function"],
])("a step that answers %s → parked at once, with its name and the place", async (_, effect, answer, message) => {
  const make = op({ effect, input: Id, output: z.object({ made: z.any() }) }).via(code(() => ({ made: answer })))
  const next = op({ effect: "write", input: Id, output: Id }).via(code((i) => i))
  const all = op({ effect: "write", input: Id, output: Id, deadline: "5s" }).via(
    flow(async (i, s) => {
      await s.run(make, i, { name: "make it" })
      return s.run(next, i)
    }),
  )
  await using t = await testApp(trestle({ name: "kept", ops: { make, next, all } }))
  await Promise.all([t.internal().all.safe({ id: "a" }), t.drain()])
  const jobs = await t.jobs()
  expect(jobs.map(({ state }) => state)).toEqual(["parked"])
  expect(t.calls().find(({ entrance }) => entrance === "flow")?.error).toMatchObject({
    code: "INTERNAL",
    note: `flow all: step :make it (make): ${message}, which cannot be kept; answer plain data, dates, maps, sets or bytes`,
  })
})

test("within that is no duration → a finding", () => {
  const { app } = appOf(addAll, { within: "soon" as never })
  expect(app.check().map(({ message }) => message)).toEqual(['all: flow: within is not a duration such as "24h"'])
})

test("callers who have been told PENDING → nobody waits for them any more", async () => {
  const gate = Promise.withResolvers<void>()
  const slow = op({ effect: "write", input: Id, output: Id, deadline: "1m" }).via(code((i) => gate.promise.then(() => i)))
  const all = op({ effect: "write", input: Id, output: Id, deadline: "2s" }).via(flow((i, s) => s.run(slow, i)))
  await using t = await testApp(trestle({ name: "flows", ops: { slow, all } }))
  const told = Promise.all([t.internal().all.safe({ id: "a" }), t.internal().all.safe({ id: "b" })])
  await t.clock.advance("2s")
  expect((await told).map((result) => !result.ok && result.code)).toEqual(["PENDING", "PENDING"])
  gate.resolve()
  await t.drain()
  expect((await t.jobs()).map(({ state }) => state)).toEqual(["done", "done"])
})

// A person says what became of a step that nobody could decide: its process died in the middle of it.
import { describe, expect, test } from "vitest"
import { z } from "zod"
import type { DeskJob, JobDesk } from "../../src/durable/job-desk.ts"
import type { Settlement } from "../../src/durable/settling.ts"
import { code, defer, fallback, flow, nothing, op, trestle } from "../../src/index.ts"
import { db, Life, type Node, Place } from "./kit.ts"

const Id = z.object({ id: z.string() })
const Receipt = z.object({ number: z.number() })

/** Two other systems, neither of which can be asked what it has done. */
class World {
  readonly done: string[] = []
  life = new Life()
  isFull = false

  do(what: string): Promise<void> {
    return this.life.round(what, () => void this.done.push(what))
  }
}

/** @param repeat what the contract of the charge promises to its callers; its service promises nothing */
function appOf(world: World, repeat: "none" | "key" = "none") {
  const reserve = op({ effect: "write", repeat: "natural", input: Id, output: nothing }).via(code(() => world.do("reserve")))
  const release = op({ effect: "write", repeat: "natural", input: Id, output: nothing }).via(code(() => world.do("release")))
  const book = op({ effect: "write", repeat: "natural", input: Id, output: nothing, errors: { FULL: 409 } }).via(
    code((_, ctx) => (world.isFull ? ctx.fail("FULL") : world.do("book"))),
  )
  const charge = op({ effect: "write", repeat, input: Id, output: Receipt }).via(
    code(async () => {
      await world.do("charge")
      return { number: 1 }
    }),
  )
  const refund = op({ effect: "write", repeat: "natural", input: Receipt, output: nothing }).via(
    code(({ number }) => world.do(`refund ${number}`)),
  )
  const buy = op({ effect: "write", input: Id, output: Receipt, errors: { FULL: 409 }, deadline: "10s" }).via(
    flow(async (order, s) => {
      await s.run(reserve, order, { name: "reserve", undo: () => s.run(release, order) })
      const paid = await s.run(charge, order, { name: "charge", undo: (receipt) => s.run(refund, receipt) })
      await s.run(book, order, { name: "book" })
      return paid
    }),
  )
  return trestle({ name: "settled", ops: { reserve, release, book, charge, refund, buy }, store: db })
}

/** A flow whose process died in the charge, as the next process has found it. */
async function parkedAt(point: "before charge" | "after charge", world: World, repeat: "none" | "key" = "none") {
  const place = await Place.open()
  const app = appOf(world, repeat)
  const first = await place.start(app)
  const { life } = first
  const pass = life.pass.bind(life)
  world.life = life
  Object.assign(life, { pass: async (at: string) => (at === point ? life.die() : pass(at)) })
  const call = first.running.internal().buy.safe({ id: "a" })
  await Promise.race([life.dead.promise, call])
  world.life = new Life()
  const node = await place.start(app)
  await place.recover(node)
  const find = async (): Promise<DeskJob> => {
    for await (const job of node.durable.desk.all()) if (job.kind === "flow") return job
    throw new Error("there is no flow")
  }
  expect((await find()).state).toBe("parked")
  const settle = async (said: { hasHappened: true; answer?: unknown } | { hasHappened: false }): Promise<unknown> => {
    const { then } = await node.durable.desk.settle(await find(), { step: "charge", by: "ada", why: "asked", ...said } as Settlement)
    await place.recover(node)
    return then
  }
  const end = async (): Promise<unknown> => await node.running.work((await find()).id)
  return { place, node, find, settle, end }
}

describe("a step that a person has decided", () => {
  test("it has happened → the flow goes on with the answer that was found", async () => {
    const world = new World()
    const { node, find, settle, end } = await parkedAt("after charge", world)
    expect(await node.durable.desk.undecided(await find())).toEqual([{ step: "charge", operation: "charge", isSilent: false }])
    expect(await settle({ hasHappened: true, answer: { number: 7 } })).toBe("again")
    expect([world.done, await end()]).toEqual([
      ["reserve", "charge", "book"],
      expect.objectContaining({ state: "done", answer: { number: 7 } }),
    ])
  })
  test.each(["none", "key"] as const)("it has not (contract: repeat %s) → the flow takes it once", async (repeat) => {
    const world = new World()
    const { settle, end } = await parkedAt("before charge", world, repeat)
    expect(await settle({ hasHappened: false })).toBe("again")
    expect([world.done, await end()]).toEqual([
      ["reserve", "charge", "book"],
      expect.objectContaining({ state: "done", answer: { number: 1 } }),
    ])
  })
  test("it has happened, and a later step fails → it is undone with the answer that was found", async () => {
    const world = new World()
    world.isFull = true
    const { settle, end } = await parkedAt("after charge", world)
    await settle({ hasHappened: true, answer: { number: 7 } })
    expect(world.done).toEqual(["reserve", "charge", "refund 7", "release"])
    expect(await end()).toMatchObject({ state: "failed", problem: { code: "FULL" } })
  })
  test("it has not, and the time of the flow is over → undone without it", async () => {
    const world = new World()
    const { place, settle, end } = await parkedAt("before charge", world)
    await place.clock.advance("25h")
    await settle({ hasHappened: false })
    expect(world.done).toEqual(["reserve", "release"])
    expect(await end()).toMatchObject({ state: "failed", problem: { code: "TIMEOUT" } })
  })
})

test("a deferred write that a person has decided → its flow goes on with the answer", async () => {
  const place = await Place.open()
  const world = new World()
  const add = op({ effect: "write", input: Id, output: Receipt }).via(
    fallback(
      code(async () => {
        await world.do("add")
        throw new Error("the line went dead")
      }),
      defer(() => ({ number: 0 })),
    ),
  )
  const sign = op({ effect: "write", input: Id, output: Receipt, deadline: "10s" }).via(flow((i, s) => s.run(add, i)))
  const node: Node<unknown> = await place.start(trestle({ name: "deferred", ops: { add, sign }, store: db }))
  const called = (node.running as any).internal().sign.safe({ id: "a" })
  await place.recover(node, 1)
  await called
  const { desk } = node.durable as { desk: JobDesk }
  const all = async (): Promise<DeskJob[]> => {
    const jobs: DeskJob[] = []
    for await (const job of desk.all()) jobs.push(job)
    return jobs
  }
  const deferred = (await all()).find(({ kind }) => kind === "deferred")!
  expect([deferred.state, await desk.undecided(deferred)]).toEqual(["parked", [{ step: null, operation: "add", isSilent: false }]])
  await desk.settle(deferred, { hasHappened: true, answer: { number: 4 }, by: "ada", why: "asked" })
  await place.recover(node)
  const sent = (await all()).find(({ kind }) => kind === "flow")!
  expect([world.done, await node.running.work(sent.id)]).toEqual([
    ["add"],
    expect.objectContaining({ state: "done", answer: { number: 4 } }),
  ])
})

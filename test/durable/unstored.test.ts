// A write that is to be kept for later, and a store that loses the answer to its commit.
import { expect, test } from "vitest"
import { z } from "zod"
import { failure } from "../../src/contract/failure.ts"
import { defer, fallback, op, rest, role, trestle } from "../../src/index.ts"
import { db, type Node, Place } from "../flows/kit.ts"

const Id = z.object({ id: z.string() })
const ada = { id: "ada", kind: "user", roles: ["clerk"] } as const
const gone = rest({ url: "http://127.0.0.1:9", name: "gone", policy: { retry: 0, breaker: false } })
const send = op({ http: "POST /mails", input: Id, output: Id, allow: role("clerk"), anyObject: "a test", repeat: "key" }).via(
  fallback(
    gone.call("POST /mails", { map: () => ({ id: "sent" }) }),
    defer(() => ({ id: "pending" })),
  ),
)
const app = trestle({ name: "unstored", ops: { send }, store: db })
const ask = (node: Node<any>): Promise<unknown> => (node.running.as(ada) as any).send.safe({ id: "1" }, { idempotencyKey: "k" })

/** The next job that is put comes to be there only when that is said. */
async function late(): Promise<{ place: Place; node: Node<any>; arrive: () => void; isPut: Promise<void> }> {
  const place = await Place.open()
  const node = await place.start(app)
  const arrival = Promise.withResolvers<void>()
  const put = Promise.withResolvers<void>()
  let isFirst = true
  const round = async (what: string, act: () => unknown): Promise<unknown> => {
    if (!isFirst || what !== "unit insert") return await act()
    isFirst = false
    put.resolve()
    await arrival.promise
    return await act()
  }
  Object.assign(node.life, { round })
  return { place, node, arrive: arrival.resolve, isPut: put.promise }
}

/** The next job that is put: its unit fails, and whether it is there is as it is said. */
async function losing(isThere: boolean): Promise<Node<any>> {
  const node = await (await Place.open()).start(app)
  let loses = true
  const round = async (what: string, act: () => unknown): Promise<unknown> => {
    const isLost = loses && what === "unit insert"
    const result = isLost && !isThere ? null : await act()
    if (!isLost) return result
    loses = false
    throw failure("connection-lost", "write", { note: "its answer was lost" })
  }
  Object.assign(node.life, { round })
  return node
}

test("the job is there → its caller hears so, and again under the same key", async () => {
  const node = await losing(true)
  const first = await ask(node)
  expect(first).toMatchObject({ ok: true, value: { id: "pending" } })
  expect(await ask(node)).toMatchObject({ ok: true, value: { id: "pending" } })
  expect(await node.jobs()).toHaveLength(1)
})

test("the job is not to be found → unknown, for it may come to be there; under the same key it is not put again", async () => {
  const node = await losing(false)
  expect(await ask(node)).toMatchObject({ code: "OUTCOME_UNKNOWN", outcome: "unknown" })
  expect(await ask(node)).toMatchObject({ code: "OUTCOME_UNKNOWN" })
  expect(await node.jobs()).toHaveLength(0)
})

// Found by the simulation (seed 1877).
test("the deadline is over while the job is being put → unknown: it may come to be there, and is not sent under the same key again", async () => {
  const { place, node, arrive, isPut } = await late()
  const first = ask(node)
  await isPut
  await place.clock.advance("1h")
  expect(await first).toMatchObject({ code: "OUTCOME_UNKNOWN", outcome: "unknown" })
  expect(await ask(node)).toMatchObject({ ok: false, outcome: "unknown" })
  arrive()
  await place.clock.advance("1s")
  expect(await node.jobs()).toHaveLength(1)
})

// A step that another service has served than the first: it is taken back there, and nowhere else.
import { expect, test } from "vitest"
import { z } from "zod"
import { defer, env, fallback, flow, nothing, op, type Rest, rest, trestle } from "../../src/index.ts"
import { type TestApp, testApp } from "../../src/testing/index.ts"

const Seat = z.object({ id: z.string() })
const once = { retry: 0, breaker: false } as const
const key = { key: "Idempotency-Key" } as const

function appOf(isKept: boolean) {
  const hall = rest({ url: env("HALL_URL"), policy: once })
  const copy = rest({ url: env("COPY_URL"), replicaOf: hall, policy: once })
  const bank = rest({ url: env("BANK_URL"), policy: once })
  const answer = { map: () => undefined, repeat: key } as const
  const reserve = op({ effect: "write", input: Seat, output: nothing }).via(
    fallback(hall.call("POST /seats", answer), copy.call("POST /seats", answer)),
  )
  const [there, here] = [hall.call<any, any>("DELETE /seats/{id}", answer), copy.call<any, any>("DELETE /seats/{id}", answer)]
  const release = op({ effect: "write", input: Seat, output: nothing }).via(
    isKept
      ? fallback(
          there,
          here,
          defer(() => undefined),
        )
      : fallback(there, here),
  )
  const charge = op({ effect: "write", input: Seat, output: nothing, errors: { DECLINED: 402 } }).via(
    bank.call("POST /charges", { ...answer, errors: { 402: "DECLINED" } }),
  )
  const buy = op({ effect: "write", input: Seat, output: nothing, errors: { DECLINED: 402 }, deadline: "10s" }).via(
    flow(async (seat, s) => {
      await s.run(reserve, seat, { undo: () => s.run(release, seat) })
      await s.run(charge, seat)
    }),
  )
  return { app: trestle({ name: "halls", ops: { buy, reserve, release, charge } }), hall, copy, bank, buy }
}

/** @param meanwhile happens between the step and its undo */
async function opened(meanwhile: (t: TestApp<any>, of: ReturnType<typeof appOf>) => void, isKept = false) {
  const of = appOf(isKept)
  const { app, hall, copy, bank } = of
  const t = await testApp(app)
  for (const service of [hall, copy]) t.wire(service).on("POST /seats").reply(201, {}).wire(service).on("DELETE /seats/{id}").reply(204)
  t.wire(bank)
    .on("POST /charges")
    .replies(() => {
      meanwhile(t, of)
      return { status: 402, body: {} }
    })
  /** How often each has answered an undo. */
  const released = (): readonly number[] =>
    [hall, copy].map((service) => t.sent(service).filter(({ route }) => route === "DELETE /seats/{id}").length)
  const states = async (): Promise<readonly string[]> => (await t.jobs()).map(({ kind, state }) => `${kind} ${state}`)
  return { t, ...of, released, states }
}

test("the first is there again → the undo goes to the one that has served", async () => {
  const { t, hall, released } = await opened((running, of) => void running.wire(of.hall).up())
  await using _ = t
  t.wire(hall).down()
  expect(await t.internal().buy.safe({ id: "a" })).toMatchObject({ code: "DECLINED" })
  expect(released()).toEqual([0, 1])
})

test.each([
  ["the first", "", false],
  ["the first", ", though it could be kept for later", true],
  ["another", ", in later runs of the flow too", false],
])("%s has served, and is gone → the undo waits for it%s, and goes to no other", async (who, _, isKept) => {
  const servingOf = ({ hall, copy }: ReturnType<typeof appOf>): [served: Rest, other: Rest] =>
    who === "the first" ? [hall, copy] : [copy, hall]
  const world = await opened((running, of) => {
    const [served, other] = servingOf(of)
    running.wire(served).down().wire(other).up()
  }, isKept)
  const { t, hall, released, states } = world
  await using _t = t
  if (who === "another") t.wire(hall).down()
  const call = t.internal().buy.safe({ id: "a" })
  await t.clock.advance("10s")
  await call
  const later = async (): Promise<void> => {
    await t.clock.advance("1m")
    await t.drain()
  }
  for (let n = 0; n < 3; n++) await later()
  expect([released(), await states()]).toEqual([[0, 0], ["flow waiting"]])
  t.wire(servingOf(world)[0]).up()
  for (let n = 0; n < 8; n++) await later()
  expect([released(), await states()]).toEqual([[Number(who === "the first"), Number(who === "another")], ["flow failed"]])
})

test("a step outside of an undo → in the declared order, as ever", async () => {
  const { t, hall, copy } = await opened(() => {})
  await using _ = t
  t.wire(hall).down()
  expect(await t.internal().release.safe({ id: "a" })).toMatchObject({ ok: true })
  expect(t.sent(copy).map(({ route }) => route)).toEqual(["DELETE /seats/{id}"])
})

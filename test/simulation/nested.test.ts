// What the simulation has found in nested calls, which its worlds leave out.
import { describe, expect, test } from "vitest"
import { z } from "zod"
import { code, env, op, rest, trestle } from "../../src/index.ts"
import { testApp } from "../../src/testing/index.ts"

const Thing = z.object({ id: z.string() })
const crm = rest({ url: env("CRM_URL"), policy: { retry: 0, breaker: false } })
const add = op({ effect: "write", input: Thing, output: Thing }).via(crm.call("POST /things", { repeat: { key: "X-Key" } }))
const get = op({ effect: "read", input: Thing, output: Thing }).via(crm.call("GET /things/{id}"))
const ops = {
  add,
  get,
  addThenGet: op({ effect: "write", input: Thing, output: Thing }).via(
    code(async (i, ctx) => {
      await ctx.run(add, i)
      return ctx.run(get, i)
    }),
  ),
  addTwo: op({ effect: "write", input: Thing, output: z.array(Thing) }).via(
    code(async (i, ctx) => [await ctx.run(add, { id: `${i.id}-1` }), await ctx.run(add, { id: `${i.id}-2` })]),
  ),
  addWhile: op({ effect: "write", input: Thing, output: Thing }).via(
    code(async (i, ctx) => {
      const [done] = await Promise.all([ctx.run(add, i), ctx.run(get, i)])
      return done
    }),
  ),
}
const app = trestle({ name: "nested", ops })

describe("a write that runs others", () => {
  test("a nested write had its effect, then something is refused → the whole is not refused", async () => {
    await using t = await testApp(app)
    t.wire(crm).on("POST /things").reply(201, { id: "7" })
    t.wire(crm).on("GET /things/{id}").reply(429)
    const result = await t.internal().addThenGet.safe({ id: "7" })
    expect(result).toMatchObject({ ok: false, outcome: "unknown" })
  })
  test("two nested writes of one operation → two idempotency keys", async () => {
    await using t = await testApp(app)
    t.wire(crm)
      .on("POST /things")
      .replies(({ body }) => ({ status: 201, body }))
    await t.internal().addTwo({ id: "7" })
    expect(new Set(t.sent(crm).map(({ headers }) => headers["x-key"])).size).toBe(2)
  })
  test("its code fails while a nested write is under way → that one is stopped with it", async () => {
    await using t = await testApp(app)
    t.wire(crm).on("POST /things").hangs()
    t.wire(crm).on("GET /things/{id}").reply(404)
    await t.internal().addWhile.safe({ id: "7" })
    await t.clock.advance(1)
    expect(t.sent(crm).filter(({ method, isStopped }) => method === "POST" && !isStopped)).toEqual([])
  })
})

import { describe, expect, test } from "vitest"
import { z } from "zod"
import { code, flow, nothing, op, trestle } from "../index.ts"
import { testApp } from "../testing/index.ts"

const Id = z.object({ id: z.string() })
const done: string[] = []
const add = op({ effect: "write", input: Id, output: Id, errors: { FULL: 409 } }).via(
  code((i, ctx) => {
    if (i.id === "full") return ctx.fail("FULL")
    if (i.id === "throws") throw new Error("boom")
    done.push(`+${i.id}`)
    return i
  }),
)
const remove = op({ effect: "write", input: Id, output: nothing, repeat: "natural" }).via(
  code((i) => {
    done.push(`-${i.id}`)
  }),
)
const Ids = z.object({ ids: z.array(z.string()) })
const addAll = op({ effect: "write", input: Ids, output: Ids, errors: { FULL: 409 } }).via(
  flow(
    async (i, s) => {
      for (const id of i.ids) await s.run(add, { id }, { undo: (made) => s.run(remove, made) })
      return i
    },
    { durable: false, why: "a test" },
  ),
)
const app = trestle({ name: "flows", ops: { add, remove, addAll } })

describe("flow", () => {
  test("all steps answer → the function's answer", async () => {
    await using t = await testApp(app)
    done.length = 0
    expect(await t.internal().addAll({ ids: ["a", "b"] })).toEqual({ ids: ["a", "b"] })
    expect(done).toEqual(["+a", "+b"])
  })
  test("a step fails → those before it are undone in reverse, its error is the flow's, and nothing has happened", async () => {
    await using t = await testApp(app)
    done.length = 0
    const result = await t.internal().addAll.safe({ ids: ["a", "b", "full"] })
    expect(result).toMatchObject({ ok: false, code: "FULL", outcome: "answered" })
    expect(done).toEqual(["+a", "+b", "-b", "-a"])
  })
  test("a step may have had its effect and may not be repeated → nothing is undone, the outcome is unknown", async () => {
    await using t = await testApp(app)
    done.length = 0
    const result = await t.internal().addAll.safe({ ids: ["a", "throws"] })
    expect(result).toMatchObject({ ok: false, code: "OUTCOME_UNKNOWN" })
    expect(done).toEqual(["+a"])
  })
})

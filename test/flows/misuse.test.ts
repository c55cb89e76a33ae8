// What the function of a flow must not do, and does: it is told, and nothing is lost with it.
import { describe, expect, test } from "vitest"
import { z } from "zod"
import { code, flow, op, type Steps, trestle } from "../../src/index.ts"
import { testApp } from "../../src/testing/index.ts"

const Id = z.object({ id: z.string() })
const did: string[] = []
const add = op({ effect: "write", repeat: "natural", input: Id, output: Id }).via(
  code((input) => {
    did.push(`+${input.id}`)
    return input
  }),
)
const remove = op({ effect: "write", repeat: "natural", input: Id, output: Id }).via(
  code((input) => {
    did.push(`-${input.id}`)
    return input
  }),
)
const refuse = op({ effect: "write", repeat: "natural", input: Id, output: Id, errors: { FULL: 409 } }).via(
  code(async (_, ctx) => ctx.fail("FULL")),
)

async function running(f: (input: { id: string }, s: Steps<any>) => Promise<unknown>, options?: Parameters<typeof flow>[1]) {
  did.length = 0
  const all = op({ effect: "write", input: Id, output: Id, errors: { FULL: 409 } }).via(flow(f as never, options))
  return await testApp(trestle({ name: "misuse", ops: { add, remove, refuse, all } }))
}

describe.each([undefined, { durable: false, why: "a test" }])("with %o", (options) => {
  test("a step that nobody awaits fails → the flow fails with it, and is undone", async () => {
    await using t = await running(async (input, s) => {
      await s.run(add, input, { undo: () => s.run(remove, input) })
      void s.run(refuse, input)
      return input
    }, options as never)
    expect(await t.internal().all.safe({ id: "a" })).toMatchObject({ ok: false, code: "FULL" })
    expect(did).toEqual(["+a", "-a"])
  })

  test("a step fails whose failure the function takes → the flow goes on", async () => {
    await using t = await running(async (input, s) => {
      await s.run(refuse, input).catch(() => null)
      await Promise.allSettled([s.run(refuse, input, { name: "again" }), s.run(add, input, { name: "add" })])
      return input
    }, options as never)
    expect(await t.internal().all.safe({ id: "a" })).toMatchObject({ ok: true })
    expect(did).toEqual(["+a"])
  })

  test("a step after the end → refused, and not run", async () => {
    const kept: { s?: Steps<any> } = {}
    await using t = await running(async (input, s) => {
      kept.s = s
      return input
    }, options as never)
    await t.internal().all({ id: "a" })
    await expect(kept.s!.run(add, { id: "late" })).rejects.toMatchObject({ note: "flow all asks for a step after it has ended" })
    expect(did).toEqual([])
  })

  test.each(["", "a\u0000b", "x".repeat(201)])("a step of the name %j → refused, and what was done is undone", async (name) => {
    await using t = await running(async (input, s) => {
      await s.run(add, input, { undo: () => s.run(remove, input) })
      await s.run(add, input, { name })
      return input
    }, options as never)
    expect(await t.internal().all.safe({ id: "a" })).toMatchObject({ ok: false, code: "INTERNAL", outcome: "refused" })
    expect(did).toEqual(["+a", "-a"])
  })
})

import { type } from "arktype"
import { describe, expect, test } from "vitest"
import { z } from "zod"
import { nothing, type Std } from "./schema.ts"
import { compileShape, type Shape } from "./shape.ts"

const shapeOf = (schema: Std<any, any>, direction: "input" | "output" = "input"): Shape => compileShape(schema, direction) as Shape
const issuesOf = async (schema: Std<any, any>, value: unknown): Promise<any> => ((await shapeOf(schema).check(value)) as any).issues ?? null

describe.each<[string, Std<any, any>]>([
  ["zod", z.object({ name: z.string(), n: z.number().optional() })],
  ["arktype", type({ name: "string", "n?": "number" })],
])("%s", (_, schema) => {
  test("takes what fits", () => expect(shapeOf(schema).check({ name: "a" })).toEqual({ value: { name: "a" } }))
  test("refuses an unknown field of an input", async () => {
    expect(await issuesOf(schema, { name: "a", nmae: "b" })).toEqual([{ path: "nmae", message: 'unknown field; did you mean "name"?' }])
  })
  test("drops an unknown field of an output", () => {
    expect(shapeOf(schema, "output").check({ name: "a", password: "p" })).toEqual({ value: { name: "a" } })
  })
  test("gives every issue at once", async () => {
    expect((await issuesOf(schema, { name: 1, n: "x", z: 1 })).map((issue: any) => issue.path).sort()).toEqual(["n", "name", "z"])
  })
})

test("a strict schema's own remark is not said twice", async () => {
  expect(await issuesOf(z.strictObject({ a: z.string() }), { a: "", x: 1 })).toHaveLength(1)
  expect(await issuesOf(type({ "+": "reject", a: "string" }), { a: "", x: 1 })).toHaveLength(1)
})

test.each<[string, Std<any, any>, unknown]>([
  ["zod", z.object({ v: z.email() }), { v: "hunter2" }],
  ["zod enum", z.object({ v: z.enum(["a"]) }), { v: "hunter2" }],
  ["zod strict field", z.object({ v: z.string() }), { v: "a", x: "hunter2" }],
  ["arktype email", type({ v: "string.email" }), { v: "hunter2" }],
  ["arktype literal", type({ v: "'a'|1" }), { v: "hunter2" }],
  ["arktype intersection", type({ v: "string.email & string <= 3" }), { v: "hunter2) must be... (x" }],
  ["arktype narrowed", type({ v: type("string").narrow((_, ctx) => ctx.mustBe("good")) }), { v: "hunter2 (was it)" }],
])("issues never hold the value: %s", async (_, schema, value) => {
  const issues = await issuesOf(schema, value)
  expect(issues.length).toBeGreaterThan(0)
  expect(JSON.stringify(issues)).not.toContain("hunter2")
})

test("an asynchronous schema → a promise", async () => {
  const made = shapeOf(z.object({ a: z.string().refine(async (a) => a === "x") })).check({ a: "y", b: 1 })
  expect(made).toBeInstanceOf(Promise)
  expect(((await made) as any).issues.map((issue: any) => issue.path)).toEqual(["b", "a"])
})

test("nothing: takes nothing, gives nothing", async () => {
  for (const direction of ["input", "output"] as const) expect(shapeOf(nothing, direction).check(null)).toEqual({ value: undefined })
  expect(await issuesOf(nothing, { a: 1 })).toEqual([{ path: "", message: "must be empty" }])
})

test.each<[string, Std<any, any>]>([
  ["z.date()", z.date()],
  ["z.void()", z.void()],
  ["no JSON Schema at all", { "~standard": { version: 1, vendor: "mine", validate: (value: unknown) => ({ value }) } }],
])("%s → why", (_, schema) => expect((compileShape(schema, "output") as { why: string }).why).toMatch(/JSON Schema/))

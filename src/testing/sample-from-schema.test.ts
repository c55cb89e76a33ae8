import { describe, expect, test } from "vitest"
import { z } from "zod"
import type { JsonSchema } from "../contract/schema.ts"
import { sampleFromSchema } from "./sample-from-schema.ts"
import { sampleOfPattern } from "./sample-pattern.ts"

interface Tree {
  name: string
  children: Tree[]
}
const tree: z.ZodType<Tree> = z.object({ name: z.string(), children: z.array(z.lazy(() => tree)) })

describe("a sample fits the schema it was made from", () => {
  test.each<[string, z.ZodType]>([
    ["an object", z.object({ a: z.string(), b: z.number().optional(), c: z.object({ d: z.boolean() }) })],
    ["formats", z.object({ a: z.email(), b: z.uuid(), c: z.iso.datetime(), d: z.iso.date(), e: z.url(), f: z.iso.time(), g: z.ipv4() })],
    ["lengths", z.object({ a: z.string().min(30), b: z.string().max(2), c: z.string().length(3) })],
    [
      "limits",
      z.object({
        a: z.number().min(5),
        b: z.number().max(-3),
        c: z.int().gt(10).lt(12),
        d: z.number().gt(0).lt(1),
        e: z.number().multipleOf(7).min(8),
      }),
    ],
    [
      "choices",
      z.object({ a: z.enum(["x", "y"]), b: z.literal(7), c: z.union([z.number().min(100), z.string()]), d: z.string().nullable() }),
    ],
    ["lists", z.object({ a: z.array(z.number()).min(3), b: z.tuple([z.string(), z.number()]), c: z.array(z.string()).max(0) })],
    ["records", z.record(z.string(), z.number())],
    ["intersections", z.intersection(z.object({ a: z.string() }), z.object({ b: z.number() }))],
    [
      "alternatives told apart by a field",
      z.discriminatedUnion("kind", [z.object({ kind: z.literal("a"), x: z.number() }), z.object({ kind: z.literal("b") })]),
    ],
    [
      "patterns",
      z.object({
        a: z.string().regex(/^[A-Z]{2}-\d{3,5}$/),
        b: z.string().regex(/^(?:foo|bar)_\w+$/),
        c: z.string().regex(/^\+?[1-9]\d{7,14}$/),
        d: z.string().startsWith("id_"),
      }),
    ],
    ["itself", tree],
  ])("%s", (_, schema) => {
    const json = z.toJSONSchema(schema, { io: "input" }) as JsonSchema
    for (const isSmall of [false, true]) {
      const sample = sampleFromSchema(json, { isSmall })
      expect(schema.safeParse(sample).error?.issues ?? []).toEqual([])
      expect(sampleFromSchema(json, { isSmall })).toEqual(sample)
    }
  })
})
test("not null where there is a choice", () => expect(sampleFromSchema({ anyOf: [{ type: "null" }, { type: "number" }] })).toBe(1))
test("no number within the limits → says where", () =>
  expect(() =>
    sampleFromSchema({ type: "object", properties: { a: { type: "integer", minimum: 1.2, maximum: 1.8 } }, required: ["a"] }),
  ).toThrow("a: no number lies within its limits"))
test("small leaves out what is not required", () =>
  expect(
    sampleFromSchema({ type: "object", properties: { a: { type: "string" }, b: { type: "string" } }, required: ["a"] }, { isSmall: true }),
  ).toEqual({ a: "sample" }))
test.each([
  ["^a{3}b?c+$", "aaac"],
  ["^(?=x)x$", null],
  ["^(a)\\1$", null],
  ["[^a-z]", "1"],
  ["^$|^ok$", "ok"],
])("pattern %s → %s", (pattern, text) => expect(sampleOfPattern(pattern)).toBe(text))

import { expect, test } from "vitest"
import { z } from "zod"
import { compileCoercion } from "./coerce.ts"
import { type JsonSchema, jsonSchemaOf } from "./schema.ts"

const coerced = (field: z.ZodType, text: unknown): unknown => {
  const { json } = jsonSchemaOf(z.object({ f: field }), "input") as { json: JsonSchema }
  return compileCoercion(json)({ f: text }).f
}
const Level = z.enum(["a", "b"])

test.each<[string, z.ZodType, unknown, unknown]>([
  ["number", z.number(), "1.5e3", 1500],
  ["number, empty", z.number(), "", ""],
  ["number, hexadecimal", z.number(), "0x10", "0x10"],
  ["number, padded", z.number(), " 1", " 1"],
  ["number, leading zero", z.number(), "007", "007"],
  ["number, infinite", z.number(), "1e999", "1e999"],
  ["number, too large to be exact", z.number(), "9007199254740993", "9007199254740993"],
  ["boolean", z.boolean(), "true", true],
  ["boolean, 1", z.boolean(), "1", "1"],
  ["string that looks like a number", z.string(), "1", "1"],
  ["number or string", z.union([z.number(), z.string()]), "1", "1"],
  ["optional number", z.number().optional(), "1", 1],
  ["nullable number", z.number().nullable(), "1", 1],
  ["literal number", z.literal([1, 2]), "2", 2],
  ["enum", Level, "a", "a"],
  ["array, one", z.array(z.number()), "1", [1]],
  ["array, several", z.array(z.number()), ["1", "x"], [1, "x"]],
  ["nullable array", z.array(z.number()).nullable(), ["1"], [1]],
  ["string or array", z.union([z.string(), z.array(z.string())]), "a", "a"],
  ["by reference", z.int().meta({ id: "Count" }), "5", 5],
])("%s: %#", (_, field, text, value) => expect(coerced(field, text)).toEqual(value))

test("an intersection declares the fields of both sides", () => {
  const json: JsonSchema = { allOf: [{ properties: { a: { type: "number" } } }, { properties: { b: { type: "boolean" } } }] }
  expect(compileCoercion(json)({ a: "1", b: "true", c: "1" })).toEqual({ a: 1, b: true, c: "1" })
})
test("a field that is not sent is not made", () => {
  expect(compileCoercion({ properties: { toString: { type: "number" } } as never })({})).toEqual({})
})

import { describe, expect, test } from "vitest"
import { z } from "zod"
import type { JsonSchema } from "./schema.ts"
import { jsonSchemaOf } from "./schema.ts"
import { compileUndeclared, ISSUES_MAX } from "./undeclared.ts"

const A: JsonSchema = { type: "object", properties: { a: { type: "string" } } }
const B: JsonSchema = { type: "object", properties: { b: { type: "string" } } }
const pathsIn = (schema: JsonSchema, value: unknown): string[] => (compileUndeclared(schema).find(value) ?? []).map((issue) => issue.path)
const of = (schema: z.ZodType): JsonSchema => (jsonSchemaOf(schema, "input") as { json: JsonSchema }).json

describe("find", () => {
  const tree: JsonSchema = { type: "object", properties: { a: { type: "string" }, kids: { type: "array", items: { $ref: "#" } } } }
  const holder: JsonSchema = {
    $defs: { Node: { ...tree, properties: { ...tree.properties, kids: { type: "array", items: { $ref: "#/$defs/Node" } } } } },
    $ref: "#/$defs/Node",
  }
  const nested = (inner: JsonSchema): JsonSchema => ({ type: "object", properties: { data: inner } })
  test.each<[string, JsonSchema, unknown, string[]]>([
    ["a closed object", A, { a: 1, x: 1 }, ["x"]],
    ["an object of no kind", { type: "object" }, { x: 1 }, []],
    ["an object without fields", { type: "object", properties: {} }, { x: 1 }, ["x"]],
    ["said to be open", { ...A, additionalProperties: true }, { x: { y: 1 } }, []],
    ["a record of objects", { type: "object", additionalProperties: A }, { k: { a: 1, x: 1 } }, ["k.x"]],
    ["an array of objects", { type: "array", items: A }, [{ a: 1 }, { x: 1 }], ["1.x"]],
    [
      "a tuple",
      { type: "array", prefixItems: [A], items: B },
      [
        { a: 1, b: 1 },
        { b: 1, a: 1 },
      ],
      ["0.b", "1.a"],
    ],
    ["a union", { anyOf: [A, B] }, { a: 1, b: 1, x: 1 }, ["x"]],
    ["a union with the same field twice", { anyOf: [nested(A), nested(B)] }, { data: { b: 1, x: 1 } }, ["data.x"]],
    [
      "a union of arrays",
      {
        anyOf: [
          { type: "array", items: A },
          { type: "array", items: B },
        ],
      },
      [{ b: 1 }, { x: 1 }],
      ["1.x"],
    ],
    ["a union with anything", { anyOf: [A, {}] }, { x: 1 }, []],
    ["a union with any object", { oneOf: [A, { type: "object" }] }, { x: 1 }, []],
    ["a union with a scalar", { anyOf: [A, { type: "string" }] }, { x: 1 }, ["x"]],
    ["an intersection", { allOf: [A, B] }, { a: 1, b: 1, x: 1 }, ["x"]],
    ["an intersection with a remark", { allOf: [A, { description: "d" }] }, { x: 1 }, ["x"]],
    ["patterns", { type: "object", patternProperties: { "^x-": A } }, { "x-1": { a: 1, z: 1 }, y: 1 }, ["x-1.z", "y"]],
    ["a pattern that is not Unicode", { type: "object", patternProperties: { "^\\-": {} } }, { "-a": 1 }, []],
    ["recursion through #", tree, { kids: [{ kids: [{ x: 1 }] }] }, ["kids.0.kids.0.x"]],
    ["recursion through $defs", holder, { kids: [{ x: 1, kids: [{ x: 1 }] }] }, ["kids.0.x", "kids.0.kids.0.x"]],
    ["an encoded reference", { $defs: { "a b/c": A }, $ref: "#/$defs/a%20b~1c" }, { x: 1 }, ["x"]],
    ["a reference to itself", { $ref: "#" }, { x: 1 }, []],
    ["a name of Object.prototype", A, JSON.parse('{"__proto__": 1, "constructor": 1}'), ["__proto__", "constructor"]],
    ["no object", A, "x", []],
  ])("%s", (_, schema, value, paths) => expect(pathsIn(schema, value)).toEqual(paths))

  test("names the field that was meant", () => {
    expect(compileUndeclared(of(z.object({ email: z.string(), name: z.string() }))).find({ emial: "hunter2" })).toEqual([
      { path: "emial", message: 'unknown field; did you mean "email"?' },
    ])
    expect(compileUndeclared(A).find({ somethingElse: 1 })![0]!.message).toBe("unknown field")
  })
  test("stops counting", () => {
    const many = Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`f${i}`, i]))
    expect(pathsIn(A, many)).toHaveLength(ISSUES_MAX)
  })
})

describe("strip", () => {
  test("drops only what is not declared", () => {
    const { strip } = compileUndeclared(
      of(z.object({ a: z.string(), list: z.array(z.object({ b: z.number() })), open: z.record(z.string(), z.number()) })),
    )
    expect(strip({ a: "1", x: 1, list: [{ b: 1, x: 1 }], open: { k: 1 } })).toEqual({ a: "1", list: [{ b: 1 }], open: { k: 1 } })
  })
  test("__proto__ of an open object stays a plain field", () => {
    const { strip } = compileUndeclared({ type: "object", properties: {}, additionalProperties: true })
    const kept = strip(JSON.parse('{"__proto__": {"admin": true}}')) as { admin?: boolean }
    expect(kept.admin).toBeUndefined()
    expect(Object.hasOwn(kept, "__proto__")).toBe(true)
  })
})

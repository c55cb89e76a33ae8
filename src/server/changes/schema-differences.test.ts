import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { type Difference, schemaDifferences } from "./schema-differences.ts"

/** A value that fits `sub` may fail `sup`. */
const found = (sub: unknown, sup: unknown): readonly Difference[] =>
  schemaDifferences(sub, sup, { subRoot: sub as any, supRoot: sup as any })
const kinds = (sub: unknown, sup: unknown): string[] => found(sub, sup).map(({ kind, path }) => `${kind} ${path}`.trim())

const string = { type: "string" }
const number = { type: "number" }

describe("what fits", () => {
  test.each<[string, unknown, unknown]>([
    ["anything, where anything is taken", string, {}],
    ["nothing, everywhere", false, string],
    ["integer in number", { type: "integer" }, number],
    ["a value in its type", { const: "a" }, string],
    ["values in a list of constants", { enum: ["a", "b"] }, { anyOf: [{ const: "b" }, { const: "a" }, { const: "c" }] }],
    ["boolean in its two values", { type: "boolean" }, { enum: [true, false] }],
    ["one of two types", string, { type: ["null", "string"] }],
    ["alternatives in another order", { anyOf: [string, number] }, { oneOf: [number, string] }],
    ["allOf in what it says together", { allOf: [obj({ a: string }), obj({ b: number })] }, obj({ a: string, b: number })],
    ["fields in a record", obj({ a: number, b: number }), { type: "object", additionalProperties: number }],
    ["a tuple in a list", { type: "array", prefixItems: [string, string], items: false }, { type: "array", items: string }],
    ["an exclusive limit in an inclusive one", { type: "number", exclusiveMinimum: 0 }, { type: "number", minimum: 0 }],
    ["a multiple in a smaller one", { type: "number", multipleOf: 10 }, { type: "number", multipleOf: 5 }],
    ["a lower limit that says nothing", string, { type: "string", minLength: 0 }],
  ])("%s", (_, sub, sup) => expect(found(sub, sup)).toEqual([]))
})

describe("what may fail", () => {
  test.each<[string, unknown, unknown, string[]]>([
    ["number in integer", number, { type: "integer" }, ["type"]],
    ["anything in a type", {}, string, ["type"]],
    ["anything in nothing", string, false, ["type"]],
    ["two types in one", { type: ["null", "string"] }, string, ["type"]],
    ["a type in its values", string, { enum: ["a"] }, ["values"]],
    ["a value more", { enum: ["a", "b"] }, { enum: ["a"] }, ["values"]],
    ["a discriminated union with a member more", { anyOf: [tagged("a"), tagged("b")] }, { anyOf: [tagged("a")] }, ["values kind"]],
    ["a field of a member", { anyOf: [tagged("a", string), tagged("b")] }, { anyOf: [tagged("a", number), tagged("b")] }, ["type more"]],
    ["a field that nobody knows", obj({ a: string, b: string }), obj({ a: string }), ["extra b"]],
    ["a field that is missing", obj({}), obj({ a: string }), ["missing-required a"]],
    ["a record in fields", { type: "object", additionalProperties: number }, obj({}), ["extra {}"]],
    [
      "deep inside",
      obj({ a: { type: "array", items: obj({ b: string }) } }),
      obj({ a: { type: "array", items: obj({ b: number }) } }),
      ["type a[].b"],
    ],
    ["a list in a tuple", { type: "array", items: number }, { type: "array", prefixItems: [string], items: number }, ["type [0]"]],
    ["a keyword that is not understood", string, { type: "string", not: { const: "x" } }, ["other"]],
  ])("%s", (_, sub, sup, expected) => expect(kinds(sub, sup)).toEqual(expected))
})

function obj(properties: Record<string, unknown>, optional: string[] = []): any {
  return { type: "object", properties, required: Object.keys(properties).filter((name) => !optional.includes(name)) }
}
function tagged(kind: string, more?: unknown): any {
  return obj(more ? { kind: { const: kind }, more } : { kind: { const: kind } })
}

// -- random schemas ------------------------------------------------------------------------------------------

const { schema: anySchema } = fc.letrec<{ schema: any }>((tie) => ({
  schema: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom({ type: "string" }, { type: "number" }, { type: "integer" }, { type: "boolean" }, { type: "null" }),
    fc.record({ type: fc.constant("string"), minLength: fc.nat(5), maxLength: fc.integer({ min: 5, max: 20 }) }),
    fc.record({ type: fc.constant("integer"), minimum: fc.integer({ min: -9, max: 0 }), maximum: fc.integer({ min: 1, max: 9 }) }),
    fc.uniqueArray(fc.constantFrom("a", "b", "c", "d"), { minLength: 2 }).map((values) => ({ type: "string", enum: values })),
    fc.record({ type: fc.constant("array"), items: tie("schema") }),
    fc
      .tuple(fc.dictionary(fc.constantFrom("p", "q", "r", "s"), tie("schema"), { minKeys: 1, noNullPrototype: true }), fc.nat(15))
      .map(([properties, mask]) =>
        obj(
          properties,
          Object.keys(properties).filter((_, i) => (mask >> i) & 1),
        ),
      ),
    tie("schema").map((one) => ({ anyOf: [one, { type: "null" }] })),
  ),
}))

/** Every schema inside, itself included, that is reached by fields, items and alternatives. */
function inside(schema: any): any[] {
  const inner = [...Object.values(schema.properties ?? {}), ...(schema.items ? [schema.items] : []), ...(schema.anyOf ?? [])]
  return [schema, ...inner.flatMap(inside)]
}

type Edit = { readonly name: string; readonly fits: (node: any) => boolean; readonly edit: (node: any) => void }
/** After each of these the schema takes everything it took, and more. */
const WIDER: readonly Edit[] = [
  { name: "an optional field more", fits: (n) => n.properties, edit: (n) => put(n.properties, "extra", { type: "string" }) },
  { name: "a field made optional", fits: (n) => n.required?.length > 0, edit: (n) => n.required.pop() },
  { name: "a value more", fits: (n) => n.enum, edit: (n) => n.enum.push("z") },
  { name: "a longer text", fits: (n) => n.maxLength, edit: (n) => put(n, "maxLength", n.maxLength + 1) },
  { name: "a shorter text", fits: (n) => n.minLength > 0, edit: (n) => put(n, "minLength", n.minLength - 1) },
  { name: "no limit", fits: (n) => n.maximum !== undefined, edit: (n) => delete n.maximum },
  { name: "number for integer", fits: (n) => n.type === "integer", edit: (n) => put(n, "type", "number") },
  { name: "a type more", fits: (n) => n.type === "boolean", edit: (n) => put(n, "type", ["boolean", "string"]) },
  {
    name: "anything",
    fits: (n) => n.type === "string" && !n.enum,
    edit: (n) => void ["type", "minLength", "maxLength"].map((key) => delete n[key]),
  },
]

function put(target: any, key: string, value: unknown): void {
  target[key] = value
}

const editNumber = fc.nat(WIDER.length - 1)

/** The schema with one of those edits at a place that it fits; `null` where there is none. */
function widened(schema: any, edit: number, chance: number): any {
  const wider = structuredClone(schema)
  const { fits, edit: apply } = WIDER[edit]!
  const places = inside(wider).filter(fits)
  if (places.length === 0) return null
  apply(places[chance % places.length])
  return wider
}
/** An optional field that only one side knows makes no value fail. */
const failing = (sub: unknown, sup: unknown) => found(sub, sup).filter(({ kind }) => kind !== "missing-optional")

describe("random schemas", () => {
  test("a schema fits itself", () => {
    fc.assert(
      fc.property(anySchema, (schema) => {
        expect(found(schema, structuredClone(schema))).toEqual([])
      }),
    )
  })

  test("made wider, as often as may be → it takes what it took", () => {
    fc.assert(
      fc.property(anySchema, fc.array(fc.tuple(editNumber, fc.nat()), { minLength: 1, maxLength: 6 }), (schema, edits) => {
        const wider = edits.reduce((one, [edit, chance]) => widened(one, edit, chance) ?? one, schema)
        expect(failing(schema, wider)).toEqual([])
      }),
      { numRuns: 1_000 },
    )
  })

  test.each(WIDER.map(({ name }, edit) => [name, edit] as const))("taken back: %s → it is found", (_, edit) => {
    fc.assert(
      fc.property(anySchema, fc.nat(), (schema, chance) => {
        const wider = widened(schema, edit, chance)
        // An alternative beside it may take the same, so that nothing has changed for anybody.
        fc.pre(wider !== null && !inside(wider).some((node) => node.anyOf))
        expect(failing(wider, schema).length).toBeGreaterThan(0)
      }),
    )
  })
})

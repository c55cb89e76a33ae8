import fc from "fast-check"
import { expect, test } from "vitest"
import { z } from "zod"
import { compileCoercion } from "./coerce.ts"
import { type JsonSchema, jsonSchemaOf } from "./schema.ts"
import { compileUndeclared } from "./undeclared.ts"

/** A schema twice, closed and open-handed, with values that fit it. */
interface Made {
  readonly loose: z.ZodType
  readonly strict: z.ZodType
  readonly value: fc.Arbitrary<any>
}
const scalar: fc.Arbitrary<Made> = fc.constantFrom<Made>(
  { loose: z.string(), strict: z.string(), value: fc.string() },
  { loose: z.number(), strict: z.number(), value: fc.integer() },
  { loose: z.boolean(), strict: z.boolean(), value: fc.boolean() },
)
const name = fc.constantFrom("a", "b", "c", "d")
const { shape } = fc.letrec<{ shape: Made; object: Made }>((tie) => ({
  shape: fc.oneof({ depthSize: "small" }, scalar, tie("object"), tie("shape").map(arrayOf)),
  object: fc.dictionary(name, tie("shape"), { maxKeys: 4 }).map(objectOf),
}))
function arrayOf(made: Made): Made {
  return { loose: z.array(made.loose), strict: z.array(made.strict), value: fc.array(made.value, { maxLength: 3 }) }
}
function objectOf(fields: Record<string, Made>): Made {
  const each = <T>(pick: (made: Made) => T): Record<string, T> =>
    Object.fromEntries(Object.entries(fields).map(([key, made]) => [key, pick(made)]))
  return {
    loose: z.object(each((made) => made.loose)),
    strict: z.strictObject(each((made) => made.strict)),
    value: fc.record(each((made) => made.value)),
  }
}
const jsonOf = (schema: z.ZodType): JsonSchema => (jsonSchemaOf(schema, "input") as { json: JsonSchema }).json
const withValue = shape.chain((made) => fc.tuple(fc.constant(made), made.value, fc.infiniteStream(fc.nat(5))))

/** Puts fields nobody declared into some of the objects. */
function littered(value: any, chance: Iterator<number>): any {
  if (Array.isArray(value)) return value.map((item) => littered(item, chance))
  if (typeof value !== "object") return value
  const kept = Object.entries(value).map(([key, inner]) => [key, littered(inner, chance)])
  return Object.fromEntries(chance.next().value === 0 ? [...kept, ["zz", 1]] : kept)
}

test("find says null exactly where the strict schema passes", () => {
  fc.assert(
    fc.property(withValue, ([made, value, chance]) => {
      const given = littered(value, chance)
      expect(compileUndeclared(jsonOf(made.loose)).find(given) === null).toBe(made.strict.safeParse(given).success)
    }),
  )
})
test("strip keeps declared data as it is, and takes the rest", () => {
  fc.assert(
    fc.property(withValue, ([made, value, chance]) => {
      const { strip } = compileUndeclared(jsonOf(made.loose))
      expect(strip(value)).toEqual(value)
      expect(strip(littered(value, chance))).toEqual(value)
    }),
  )
})
test("coerce gives back what was written as text", () => {
  const flat = fc.dictionary(name, fc.oneof(scalar, scalar.map(arrayOf)), { maxKeys: 4 }).map(objectOf)
  fc.assert(
    fc.property(
      flat.chain((made) => fc.tuple(fc.constant(made), made.value)),
      ([made, value]) => {
        const written = Object.fromEntries(
          Object.entries(value).map(([key, inner]) => [key, Array.isArray(inner) ? inner.map(String) : String(inner)]),
        )
        expect(compileCoercion(jsonOf(made.loose))(written)).toEqual(value)
      },
    ),
  )
})

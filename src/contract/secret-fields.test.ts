import { describe, expect, test } from "vitest"
import { z } from "zod"
import { type JsonSchema, jsonSchemaOf } from "./schema.ts"
import { secretFields, withoutFields } from "./secret-fields.ts"

const secret = z.string().meta({ format: "password" })
const jsonOf = (schema: z.ZodType) => (jsonSchemaOf(schema, "output") as { json: JsonSchema }).json
const names = (schema: z.ZodType): string[] => secretFields(jsonOf(schema)).map(({ name }) => name)

describe("secretFields", () => {
  test.each<[string, z.ZodType]>([
    ["format password", z.object({ token: secret, name: z.string() })],
    ["writeOnly", z.object({ token: z.string().meta({ writeOnly: true }) })],
    ["one that may be null", z.object({ token: secret.nullable() })],
    ["one that may be missing", z.object({ token: secret.optional() })],
    ["a list of them", z.object({ token: z.array(secret) })],
    ["a map of them", z.object({ token: z.record(z.string(), secret) })],
    ["inside of an object", z.object({ session: z.object({ token: secret }) })],
    ["inside of a list", z.array(z.object({ token: secret }))],
    ["in one of several forms", z.union([z.object({ token: secret }), z.object({ name: z.string() })])],
    ["as a whole object", z.object({ token: z.object({ a: z.string() }).meta({ writeOnly: true }) })],
  ])("%s → found", (_, schema) => {
    expect(names(schema)).toEqual(["token"])
  })

  test("in a schema that refers to itself → found once, and comes to an end", () => {
    type Node = { token: string; inner: Node[] }
    const Node: z.ZodType<Node> = z.lazy(() => z.object({ token: secret, inner: z.array(Node) }))
    expect(new Set(names(Node))).toEqual(new Set(["token"]))
  })

  test("a field called writeOnly → no mark of anything", () => {
    expect(names(z.object({ writeOnly: z.boolean(), format: z.string() }))).toEqual([])
  })

  test("required or not → said", () => {
    const [required, optional] = secretFields(jsonOf(z.object({ a: secret, b: secret.optional() })))
    expect([required!.isRequired, optional!.isRequired]).toEqual([true, false])
  })
})

test("withoutFields: at every depth, and the original stays as it is", () => {
  const value = { token: "t", rows: [{ token: "u", name: "Ada" }], at: null }
  expect(withoutFields(value, new Set(["token"]))).toEqual({ rows: [{ name: "Ada" }], at: null })
  expect(value.token).toBe("t")
})

import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { z } from "zod"
import { value } from "../backends/value.ts"
import { file } from "../contract/file.ts"
import { op } from "../contract/op.ts"
import { anyone } from "../contract/principal.ts"
import { nothing } from "../contract/schema.ts"
import { stream } from "../contract/stream.ts"
import { checkDeclarations } from "./check.ts"
import { contractHashOf, type Promised } from "./contract-hash.ts"

const Input = z.object({ id: z.string(), kind: z.enum(["a", "b"]) })
const Output = z.object({ id: z.string(), size: z.number() })
const BASE = { http: "GET /things/{id}", input: Input, output: Output, allow: anyone("public"), anyObject: "public" } as const

function hashOf(contract: Record<string, unknown>, path = "one"): string {
  const declared = op(contract as never).via(value({ id: "1", size: 1 }) as never)
  const found = checkDeclarations({ [path]: declared }, {}).operations[0]
  return found!.contractHash
}

const base = hashOf(BASE)

describe("what callers depend on: another hash", () => {
  test.each<[string, Record<string, unknown>, Record<string, unknown>?]>([
    ["route", { http: "GET /item/{id}" }],
    ["verb", { http: "PUT /things/{id}" }],
    ["no entrance any more", { http: undefined, effect: "read" }],
    ["effect", { effect: "write" }],
    ["repeat", { repeat: "none" }],
    ["status", { status: 202 }],
    ["a new error", { errors: { GONE: 410 } }],
    ["a field more going in", { input: Input.extend({ more: z.string() }) }],
    ["an optional field", { input: Input.partial({ kind: true }) }],
    ["a value more of an enum", { input: Input.extend({ kind: z.enum(["a", "b", "c"]) }) }],
    ["a limit", { input: Input.extend({ id: z.string().max(9) }) }],
    ["a field less coming out", { output: Output.omit({ size: true }) }],
    ["a type coming out", { output: Output.extend({ size: z.string() }) }],
    ["nothing coming out", { output: nothing }],
    ["item by item instead of a list", { output: stream(Output) }, { output: z.array(Output) }],
    ["a larger file", { http: "POST /f", input: file({ limit: "2mb" }) }, { http: "POST /f", input: file({ limit: "1mb" }) }],
  ])("%s", (_, change, before = {}) => {
    expect(hashOf({ ...BASE, ...change })).not.toBe(hashOf({ ...BASE, ...before }))
  })
})

describe("what callers do not depend on: the same hash", () => {
  test.each<[string, Record<string, unknown>]>([
    ["summary", { summary: "Finds one" }],
    ["examples", { examples: [{ input: { id: "1", kind: "a" }, output: { id: "1", size: 2 } }] }],
    ["deadline", { deadline: "2s" }],
    ["who may call", { allow: () => true }],
    ["a description", { input: z.object({ id: z.string().describe("its id"), kind: z.enum(["a", "b"]) }) }],
    ["the order of fields", { input: z.object({ kind: z.enum(["a", "b"]), id: z.string() }) }],
    ["the order of an enum", { input: z.object({ id: z.string(), kind: z.enum(["b", "a"]) }) }],
    ["an end that is announced", { deprecated: { sunset: "2999-01-31" } }],
  ])("%s", (_, change) => {
    expect(hashOf({ ...BASE, ...change })).toBe(base)
  })

  test("its path", () => expect(hashOf(BASE, "other")).toBe(base))

  test("names of shared schemas", () => {
    const named = (name: string) => {
      const Shared = z.object({ a: z.string() }).meta({ id: name })
      return { ...BASE, output: z.object({ id: z.string(), first: Shared, second: Shared }) }
    }
    expect(hashOf(named("Left"))).toBe(hashOf(named("Right")))
  })
})

test("a field called like a keyword of texts: counts", () => {
  const titled = (title: z.ZodType) => hashOf({ ...BASE, output: z.object({ id: z.string(), title }) })
  expect(titled(z.string())).not.toBe(titled(z.number()))
})

test("a recursive schema: has a hash, which sees into the recursion", () => {
  const tree = (leaf: z.ZodType) => {
    const Node: z.ZodType = z.object({
      leaf,
      get children(): z.ZodType {
        return z.array(Node)
      },
    })
    return hashOf({ ...BASE, output: Node })
  }
  expect(tree(z.string())).toBe(tree(z.string()))
  expect(tree(z.string())).not.toBe(tree(z.number()))
})

test("the same JSON with its keys in any order → the same hash", () => {
  const shape = (json: unknown): Promised["input"] => ({
    json: json as never,
    check: (given) => ({ value: given }),
    coerce: (fields) => fields,
  })
  const of = (json: unknown): string =>
    contractHashOf({
      route: null,
      effect: "read",
      repeat: "none",
      status: 200,
      isSilent: false,
      errors: {},
      input: shape(json),
      output: shape({}),
    })
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 })), fc.infiniteStream(fc.nat()), (properties, chances) => {
      const json = {
        type: "object",
        properties: Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, { const: one }])),
      }
      expect(of(shuffled(json, chances))).toBe(of(json))
    }),
  )
})

function shuffled(value: unknown, chances: Iterator<number>): unknown {
  if (Array.isArray(value)) return value.map((one) => shuffled(one, chances))
  if (typeof value !== "object" || value === null) return value
  const keyed = Object.entries(value).map(([key, one]) => ({
    by: chances.next().value as number,
    pair: [key, shuffled(one, chances)] as const,
  }))
  return Object.fromEntries(keyed.sort((a, b) => a.by - b.by).map(({ pair }) => pair))
}

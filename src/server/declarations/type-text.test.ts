import { describe, expect, test } from "vitest"
import { TypeNames } from "./type-names.ts"
import { docText, typeText } from "./type-text.ts"

const of = (schema: unknown, side: "input" | "output" = "output"): string =>
  typeText(schema, { side, nameOf: (reference) => reference.split("/").at(-1)! })
const flat = (text: string): string => text.replace(/\s+/g, " ")

describe("a schema as a type", () => {
  test.each<[unknown, string]>([
    [true, "unknown"],
    [{}, "unknown"],
    [false, "never"],
    [{ not: {} }, "unknown"],
    [{ type: "string", format: "date-time", pattern: "^a" }, "string"],
    [{ type: "integer" }, "number"],
    [{ type: "null" }, "null"],
    [{ type: ["string", "null"] }, "string | null"],
    [{ type: "whatever" }, "unknown"],
    [{ const: "a" }, '"a"'],
    [{ const: { a: [1, null], "b-c": true } }, '{ a: [1, null]; "b-c": true }'],
    [{ const: {} }, "Record<string, never>"],
    [{ type: "string", enum: ["a", 'b"|"'] }, '"a" | "b\\"|\\""'],
    [{ enum: [1, "1", null] }, '1 | "1" | null'],
    [{ enum: [] }, "never"],
    [{ type: "array", items: { type: "string" } }, "string[]"],
    [{ type: "array" }, "unknown[]"],
    [{ type: "array", items: { enum: ["a", "b"] } }, '("a" | "b")[]'],
    [{ type: "array", items: { enum: ["a | b"] } }, '"a | b"[]'],
    [{ type: "array", prefixItems: [{ type: "string" }, { type: "number" }] }, "[string, number]"],
    [{ type: "array", prefixItems: [{ type: "string" }], items: { type: ["number", "null"] } }, "[string, ...(number | null)[]]"],
    [{ type: "object" }, "Record<string, unknown>"],
    [{ type: "object", properties: {} }, "Record<string, never>"],
    [{ type: "object", additionalProperties: false }, "Record<string, never>"],
    [{ type: "object", additionalProperties: { type: "number" } }, "{ [key: string]: number }"],
    [{ type: "object", patternProperties: { "^x": { type: "number" } } }, "{ [key: string]: number }"],
    [{ type: "object", properties: { a: { type: "string" } } }, "{ a?: string }"],
    [
      { type: "object", properties: { a: { type: "string" }, "b-c": { type: "number" }, d$: {} }, required: ["a", "b-c", "d$"] },
      '{ a: string "b-c": number d$: unknown }',
    ],
    [
      { type: "object", properties: { a: { type: "string" } }, required: ["a"], additionalProperties: { type: "number" } },
      "{ a: string [key: string]: number | string }",
    ],
    [
      { type: "object", properties: { a: { type: "string" } }, additionalProperties: { type: "number" } },
      "{ a?: string [key: string]: number | string | undefined }",
    ],
    [{ anyOf: [{ type: "string" }, { type: "number" }, { type: "string" }] }, "string | number"],
    [{ oneOf: [{ type: "string" }, {}] }, "unknown"],
    [{ allOf: [{ $ref: "#/x/A" }, { anyOf: [{ $ref: "#/x/B" }, { $ref: "#/x/C" }] }] }, "A & (B | C)"],
    [{ type: "object", properties: { a: {} }, anyOf: [{ $ref: "#/x/A" }, { $ref: "#/x/B" }] }, "{ a?: unknown } & (A | B)"],
    [{ $ref: "#/x/A", description: "an A" }, "A"],
  ])("%j → %s", (schema, expected) => expect(flat(of(schema))).toBe(expected))

  test("of an input, an absent field may be undefined", () => {
    expect(flat(of({ type: "object", properties: { a: { type: "string" } } }, "input"))).toBe("{ a?: string | undefined }")
  })
  test("a field's text, default and end → its comment", () => {
    const schema = { type: "object", properties: { a: { type: "number", description: "How many", default: 3, deprecated: true } } }
    expect(of(schema)).toBe("{\n  /**\n   * How many\n   * @default 3\n   * @deprecated\n   */\n  a?: number\n}")
  })
})

test("a text that would end its comment → does not", () =>
  expect(docText(["a */ b\nc"], "  ")).toBe("  /**\n   * a *\\/ b\n   * c\n   */\n"))

describe("names", () => {
  test.each([
    ["users.create.input", "UsersCreateInput"],
    ["#/components/schemas/user_note", "UserNote"],
    ["7", "Type7"],
    ["object", "Object"],
    ["api", "Api2"],
  ])("%s → %s", (wished, name) => expect(new TypeNames().of(wished)).toBe(name))
  test("one for each thing; the same for the same", () => {
    const names = new TypeNames()
    expect([names.of("a.b"), names.of("a_b"), names.of("#/components/schemas/AB"), names.of("a.b")]).toEqual(["AB", "AB2", "AB3", "AB"])
  })
})

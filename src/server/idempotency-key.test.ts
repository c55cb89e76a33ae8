import { describe, expect, test } from "vitest"
import { keyIn } from "./idempotency-key.ts"

describe("Idempotency-Key", () => {
  test.each<[string, string, string]>([
    ["a string in quotes", '"8e03978e-40d5-43dd-bc93-6894a57f9324"', "8e03978e-40d5-43dd-bc93-6894a57f9324"],
    ["a bare key", "8e03978e-40d5-43dd-bc93-6894a57f9324", "8e03978e-40d5-43dd-bc93-6894a57f9324"],
    ["base64", "aGVsbG8+d29ybGQ/Cg==", "aGVsbG8+d29ybGQ/Cg=="],
    ["a quote and a backslash in quotes", '"a\\"b\\\\c"', 'a"b\\c'],
    ["a blank in quotes", '"a b"', "a b"],
    ["a comma in quotes", '"a, b"', "a, b"],
    ["255 characters", "k".repeat(255), "k".repeat(255)],
    ["255 characters in quotes", `"${"k".repeat(255)}"`, "k".repeat(255)],
  ])("%s → the key", (_, field, key) => {
    expect(keyIn(field)).toBe(key)
  })

  test("none → none", () => expect(keyIn(undefined)).toBeUndefined())

  test.each<[string, string]>([
    ["nothing", ""],
    ["nothing in quotes", '""'],
    ["256 characters", "k".repeat(256)],
    ["256 characters in quotes", `"${"k".repeat(256)}"`],
    ["two bare keys", "a, b"],
    ["two keys in quotes", '"a", "b"'],
    ["a blank", "a b"],
    ["a quote at the end", 'a"'],
    ["no end of the quotes", '"a'],
    ["a quote within the quotes", '"a"b"'],
    ["an escape that there is not", '"a\\n"'],
    ["a parameter", '"a";v=1'],
    ["a letter beyond ASCII", "schlüssel"],
    ["a control character", "a\u0001b"],
    ["a line break in quotes", '"a\r\nb"'],
  ])("%s → no key", (_, field) => {
    expect(keyIn(field)).toBeNull()
  })
})

import { describe, expect, test } from "vitest"
import { z } from "zod"
import { boolean, type Converter, flag, from, mapping, nest, number, oneOf, optional, yesNo } from "./index.ts"

const report = { drift: "repair", noteRepair: () => {} } as const
const read = (converter: Converter<any>, v: unknown): unknown => {
  try {
    return mapping(z.object({ v: z.any() }), { v: from("v", converter) }).read({ v }, report).v
  } catch {
    return "refused"
  }
}

describe("codes", () => {
  test("two that differ in capitals only: each is taken as it is, and neither is guessed from the other", () => {
    const codes = oneOf({ a: "small", A: "large", b: "other" })
    expect(["a", "A", "b"].map((code) => read(codes, code))).toEqual(["small", "large", "other"])
    expect([" a", "B"].map((code) => read(codes, code))).toEqual(["refused", "other"])
  })
  test("two that differ in capitals and mean the same: are one", () => {
    expect(read(oneOf({ ok: "fine", OK: "fine" }), "Ok")).toBe("fine")
  })
  test("an empty text: is no unknown code", () => {
    expect([read(oneOf({ "1": "a" }, { drift: "a" }), ""), read(oneOf({ "1": "a" }, { drift: "a" }), "9")]).toEqual(["refused", "a"])
    expect(read(oneOf({ "": "none", "1": "a" }), "")).toBe("none")
  })
  test("names that every object has: are no codes", () => {
    const codes = oneOf({ "1": "a" })
    expect(["constructor", "toString", "__proto__"].map((code) => read(codes, code))).toEqual(["refused", "refused", "refused"])
  })
  test("more than ten: the others are counted in the sentence", () => {
    const many = oneOf(Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`c${i}`, i])))
    expect(() => mapping(z.object({ v: z.any() }), { v: from("v", many) }).read({ v: "x" })).toThrow("c9, and 2 more")
  })
})

describe("yes and no", () => {
  const words = ["y", "YES", " true ", "t", "1", 1, true, "n", "No", "false", "F", "0", 0, false]
  test("common words: mean what everybody means", () => {
    for (const converter of [yesNo, boolean, flag("J", "N"), flag(1, 0)])
      expect(words.map((word) => read(converter, word))).toEqual([...Array(7).fill(true), ...Array(7).fill(false)])
  })
  test("forms that turn one of them round: then only the declared ones are taken", () => {
    const turned = flag("0", "1")
    expect([read(turned, "0"), read(turned, "1"), read(turned, 0)]).toEqual([true, false, true])
    expect(["yes", "n", true].map((word) => read(turned, word))).toEqual(["refused", "refused", "refused"])
  })
  test.each([2, "", "yy", null, {}, [], ["Y"]])("%j: is neither", (word) => expect(read(yesNo, word)).toBe("refused"))
})

test("a group that may lack, with a wrong field, under warn: is left out as a whole, and told of once", () => {
  const told: string[] = []
  const place = mapping(z.object({ id: z.number(), at: z.object({ x: z.number(), y: z.number() }).optional() }), {
    id: from("id", number),
    at: optional(nest({ x: from("x", number), y: from("y", number) })),
  })
  const source = { id: 1, x: "?", y: "?" }
  expect(place.read(source, { drift: "warn", noteRepair: (what) => void told.push(what) })).toEqual({ id: 1 })
  expect(told).toEqual(["(the whole) → at: left out, for no object could be read"])
  expect(() => place.read(source, report)).toThrow("x → at.x: is no number; y → at.y: is no number")
  expect(place.read({ id: 1, x: null })).toEqual({ id: 1 })
})

import { describe, expect, test } from "vitest"
import { cloned, kept, NotKept, seeThatItIsKept } from "./kept-value.ts"

class Money {
  readonly cents = 100
}
const circle: Record<string, unknown> = { name: "circle" }
circle.self = circle

describe("seeThatItIsKept", () => {
  test.each<[string, unknown]>([
    ["plain data", { a: [1, null, "x"], b: undefined, c: 1n }],
    ["a date", { at: new Date(0) }],
    ["a map and a set", { map: new Map([["a", new Set([1])]]) }],
    ["bytes", { body: Buffer.from("x"), more: new Uint8Array(2) }],
    ["an error", new TypeError("x")],
    ["a circle", circle],
    ["NaN", { n: Number.NaN }],
  ])("%s → comes back as it was", (_, value) => {
    seeThatItIsKept(value, "it")
    expect(kept(JSON.parse(JSON.stringify(cloned(value) ?? null)))).toEqual(value)
  })

  test.each<[string, unknown, string]>([
    ["a function", () => 1, "it is a function"],
    ["a function inside", { user: { save: () => 1 } }, "it.user.save is a function"],
    ["a symbol in a list", [1, Symbol("x")], "it[1] is a symbol"],
    ["an object of a class", { price: new Money() }, "it.price is of the class Money"],
    ["a promise", { later: Promise.resolve() }, "it.later is of the class Promise"],
    ["an object of a class in a map", new Map([["a", new Money()]]), "it, in the Map,[1] is of the class Money"],
  ])("%s → is named", (_, value, message) => {
    expect(() => seeThatItIsKept(value, "it")).toThrow(new NotKept(message))
  })
})

import { describe, expect, test } from "vitest"
import { fingerprintOf } from "./claim-names.ts"

class Money {
  readonly #cents: number
  constructor(cents: number) {
    this.#cents = cents
  }
  get cents(): number {
    return this.#cents
  }
}
class Decimal {
  readonly #text: string
  constructor(text: string) {
    this.#text = text
  }
  toJSON(): string {
    return this.#text
  }
}
const printOf = (received: unknown): string => fingerprintOf({ received, ifMatch: undefined })
const circle: Record<string, unknown> = {}
circle.self = circle

describe("the fingerprint of an input", () => {
  test.each<[string, unknown, unknown]>([
    ["maps", { m: new Map([["a", 1]]) }, { m: new Map([["a", 2]]) }],
    ["sets", { s: new Set([1]) }, { s: new Set([2]) }],
    ["a map and a set", new Map(), new Set()],
    ["maps inside maps", new Map([["a", new Map([["b", 1]])]]), new Map([["a", new Map([["b", 2]])]])],
    ["bytes", { b: new Uint8Array([1]) }, { b: new Uint8Array([2]) }],
    ["objects that say how they are written", { d: new Decimal("1.0") }, { d: new Decimal("2.0") }],
  ])("%s that differ → another one; made again → the same", (_, one, other) => {
    expect(printOf(one)).not.toBe(printOf(other))
    expect(printOf(one)).toBe(printOf(one))
  })
  test("fields in another order → the same", () => expect(printOf({ a: 1, b: 2 })).toBe(printOf({ b: 2, a: 1 })))
  test.each<[string, unknown]>([
    ["a circle", circle],
    ["a function", { f: () => 1 }],
    ["an object of a class", { price: new Money(1) }],
    ["a map that holds one", new Map([["price", new Money(1)]])],
  ])("%s → INVALID, for nothing can be said of it", (_, received) => {
    expect(() => printOf(received)).toThrow(
      expect.objectContaining({ code: "INVALID", issues: [expect.objectContaining({ message: expect.stringContaining("plain data") })] }),
    )
  })
})

import { describe, expect, test } from "vitest"
import { z } from "zod"
import { value } from "../backends/value.ts"
import { op } from "../contract/op.ts"
import { checkDeclarations } from "./check.ts"
import { retiringOf } from "./retiring.ts"

const DAY = Date.parse("2027-01-31T00:00:00Z")
const one = (more: object) => op({ effect: "read", input: z.object({}), output: z.object({}), ...more }).via(value({}))
const found = (ops: object, epoch = 0) => checkDeclarations(ops, {}, epoch).findings.map(({ code, message }) => `${code} ${message}`)

describe("was", () => {
  test.each<[string, object, string]>([
    ["a path of today", { users: { add: one({}), create: one({ was: ["users.add"] }) } }, "names users.add, which is an operation today"],
    ["its own path", { users: { create: one({ was: ["users.create"] }) } }, "names its own path"],
    ["a path that another one was", { a: one({ was: ["old"] }), b: one({ was: ["old"] }) }, "names old, which a was too"],
    ["the same path twice", { a: one({ was: ["old", "old"] }) }, "names old, which a was too"],
    ["a route", { a: one({ was: ["/users"] }) }, '"/users" is not a path'],
    ["a number", { a: one({ was: [7] }) }, "7 is not a path"],
    ["no list", { a: one({ was: "users.add" }) }, "is not a list of paths"],
  ])("%s → TRS1035", (_, ops, said) => {
    expect(found(ops)).toEqual([expect.stringMatching(/^TRS1035/)])
    expect(found(ops)[0]).toContain(said)
  })

  test("several free paths → none", () => expect(found({ a: one({ was: ["b", "c.d"] }) })).toEqual([]))
})

describe("deprecated", () => {
  test.each(["2027-02-29", "2027-1-31", "31.1.2027", "soon", "", "2027-13-01", "2027-01-31T00:00:00Z"])("sunset %j → TRS1037", (sunset) => {
    expect(found({ a: one({ deprecated: { sunset } }) })).toEqual([expect.stringMatching(/^TRS1037 a: deprecated.sunset/)])
  })
  test("since that is no date → TRS1037", () => {
    expect(found({ a: one({ deprecated: { sunset: "2027-01-31", since: "now" } }) })).toEqual([
      expect.stringMatching(/^TRS1037 a: deprecated.since/),
    ])
  })
  test("use names itself → TRS1036", () => {
    expect(found({ a: one({ deprecated: { sunset: "2027-01-31", use: "a" } }) })).toEqual([expect.stringMatching(/^TRS1036/)])
  })
  test.each([
    ["a millisecond before its day", DAY - 1, []],
    ["when its day begins", DAY, [expect.stringMatching(/^TRS1038/)]],
  ])("%s → %j", (_, epoch, codes) => expect(found({ a: one({ deprecated: { sunset: "2027-01-31" } }) }, epoch)).toEqual(codes))

  test.each([null, 7, "soon", [], {}])("%j in its place → never throws", (deprecated) => {
    expect(() => found({ a: one({ deprecated }) })).not.toThrow()
  })
})

test("the sentence: when, and what instead", () => {
  expect(retiringOf({ sunset: "2027-01-31" })).toEqual({ sunset: DAY, since: null, use: null, sentence: "Deprecated: ends on 2027-01-31." })
  expect(retiringOf({ sunset: "2027-01-31", use: "users.create", since: "2027-01-30" })).toEqual({
    sunset: DAY,
    since: DAY - 86_400_000,
    use: "users.create",
    sentence: "Deprecated: ends on 2027-01-31. Use users.create.",
  })
})

import { stripVTControlCharacters } from "node:util"
import { describe, expect, it } from "vitest"
import { PrettyLines } from "./pretty.ts"

const TRACE = "3f2a90c1".repeat(4)
const CALL = {
  level: "info",
  time: "2026-02-03T12:03:04.123Z",
  name: "bot",
  operation: "users.get",
  entrance: "http",
  servedBy: "people",
  trace: TRACE,
  caller: "ada@x.io",
  ms: 34.12,
  attempts: 1,
  outcome: "ok",
  status: 200,
}
const FAILURE = {
  ...CALL,
  level: "warn",
  outcome: "refused",
  code: "UNAVAILABLE",
  status: 503,
  err: { type: "TrestleError", message: "UNAVAILABLE: later" },
}

const line = (fields: object, hasColour = false): string => new PrettyLines(hasColour).line(JSON.stringify(fields))

describe("a call for people", () => {
  it("success → one line in columns", () =>
    expect(line(CALL)).toMatch(
      /^\d\d:\d\d:04\.123 {2}200 {4}users\.get {13} {2}34 ms|^\d\d:\d\d:04\.123 {2}200 {4}users\.get +34 ms {2}people {7}ada@x\.io +3f2a90c1…\n$/,
    ))
  it("two calls → their columns stand under each other", () => {
    const [first, second] = [line(CALL), line({ ...CALL, operation: "candidates.list", ms: 4_012, caller: null, servedBy: "x" })]
    expect(second.indexOf("3f2a90c1…")).toBe(first.indexOf("3f2a90c1…"))
    expect(second.indexOf(" ms")).toBe(first.indexOf(" ms"))
  })
  it("in process → ok in the place of the status", () => expect(line({ ...CALL, status: undefined })).toMatch(/ {2}ok {5}users\.get/))
  it.each([
    [0.004, "0.00 ms"],
    [0.06, "0.06 ms"],
    [1.26, "1.3 ms"],
    [340.4, "340 ms"],
    [9_999, "9999 ms"],
    [12_000, "12 s"],
    [180_000, "3 m"],
  ])("%d → %s", (ms, text) => expect(line({ ...CALL, ms })).toContain(` ${text}  `))
  it("degraded → the word, why and how old, without colour too", () =>
    expect(line({ ...CALL, degraded: "last good", ageMs: 180_000 })).toContain("degraded (last good, 3 m old)"))
  it("replayed → the word", () => expect(line({ ...CALL, replayed: true })).toContain("replayed"))
  it("repaired → how many, and the first three kinds", () =>
    expect(line({ ...CALL, repaired: { count: 9, fields: ["a → b: x", "c", "d", "e"] } })).toContain("repaired 9 (a → b: x, c, d, …)"))
  it("several attempts, of one call or of its steps → how often services were asked", () =>
    expect(line({ ...CALL, attempts: 3 })).toContain("services asked 3 times"))
  it("failure → code, reason, note and the whole trace in the same line", () =>
    expect(line({ ...FAILURE, reason: "circuit-open", note: "people rests" })).toMatch(
      new RegExp(`UNAVAILABLE circuit-open: people rests {2}trace ${TRACE}\n$`),
    ))
  it("failure without a note → its message, the code once", () => expect(line(FAILURE)).toContain("UNAVAILABLE: later  trace"))
  it("an input that does not fit → what is wrong with which field", () =>
    expect(line({ ...FAILURE, code: "INVALID", issues: ["verbose: unknown field", "id: too short"] })).toContain(
      "INVALID: verbose: unknown field; id: too short  trace",
    ))
  it("write of unknown outcome → says so", () =>
    expect(line({ ...FAILURE, code: "OUTCOME_UNKNOWN", outcome: "unknown" })).toContain("(may have happened)"))

  it("read of unknown outcome → does not: a read changes nothing", () =>
    expect(line({ ...FAILURE, code: "TIMEOUT", outcome: "unknown" })).not.toContain("happened"))
  it("INTERNAL → the innermost cause's message in the line, its stack indented beneath", () => {
    const err = {
      type: "TrestleError",
      message: "INTERNAL: wrong",
      stack: "outer",
      cause: { type: "TypeError", message: "no x", stack: "TypeError: no x\n    at file.ts:1:1" },
    }
    const [head, ...stack] = line({ ...FAILURE, level: "error", code: "INTERNAL", err }).split("\n")
    expect(head).toContain("INTERNAL: no x")
    expect(stack).toEqual(["    TypeError: no x", "        at file.ts:1:1", ""])
  })
  it("another failure → no stack", () => expect(line({ ...FAILURE, err: { ...FAILURE.err, stack: "at x" } }).split("\n")).toHaveLength(2))
  it.each(["a\nforged", "a\u001b[2Jb", "a\u202eb", "a\u2028b", "\u009b31m"])(
    "hostile caller %j → one line, nothing that a terminal obeys",
    (caller) => {
      const text = line({ ...CALL, caller })
      expect(text.slice(0, -1)).not.toMatch(/[\p{Cc}\p{Cf}\u2028]/u)
      expect(text).toContain("\\u")
    },
  )
})

describe("an event for people", () => {
  const EVENT = { level: "warn", time: CALL.time, name: "bot", service: "people", failures: 5, msg: "circuit opened" }
  it("message first, then the fields", () => expect(line(EVENT)).toMatch(/ {2}warn {3}circuit opened {2}service=people failures=5\n$/))
  it("an error → its type and message, the stack beneath", () => {
    const text = line({
      level: "error",
      time: CALL.time,
      msg: "stop failed",
      err: { type: "Error", message: "busy", stack: "Error: busy\n    at a.ts:1" },
    })
    expect(text).toMatch(/stop failed {2}Error: busy\n {4}Error: busy\n {8}at a\.ts:1\n$/)
  })
  it("hostile field → one line", () => expect(line({ ...EVENT, service: "a\nb" }).split("\n")).toHaveLength(2))
})

describe("colour", () => {
  it("off → no escape sequence", () => expect(line(FAILURE)).not.toContain("\u001b"))
  it.each([
    [CALL, 32],
    [FAILURE, 33],
    [{ ...FAILURE, level: "error" }, 31],
  ])("on → %#: the status in its colour", (fields, code) => expect(line(fields, true)).toContain(`\u001b[${code}m${fields.status}`))
  it("on → the same text as without", () => {
    const plain = stripVTControlCharacters(line(FAILURE, true))
    expect(plain).toBe(line(FAILURE))
  })
})

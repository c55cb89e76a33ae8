import { describe, expect, test } from "vitest"
import { Screen } from "./dev-screen.ts"

const call = (more: Readonly<Record<string, unknown>> = {}): string =>
  `${JSON.stringify({ level: "info", time: "2026-11-22T10:00:00.000Z", name: "app", operation: "notes.list", entrance: "http", servedBy: "code", trace: "a".repeat(32), caller: null, ms: 2, attempts: 0, outcome: "ok", status: 200, ...more })}\n`
const failure = call({
  level: "warn",
  outcome: "refused",
  status: 503,
  code: "UNAVAILABLE",
  reason: "not-connected",
  note: "crm: cannot be reached (ECONNREFUSED)",
  attempts: 3,
  err: { type: "TrestleError", message: "UNAVAILABLE: Try again later. [crm: cannot be reached]" },
})

const misfit = call({ outcome: "refused", status: 400, code: "INVALID", issues: ["verbose: unknown field"] })

function screen(columns: number | null) {
  let text = ""
  const write = (more: string): void => {
    text += more
  }
  const made = new Screen({ write, paint: (_colour, plain) => plain, columns: () => columns })
  return { made, text: () => text, lines: () => text.split("\n").slice(0, -1) }
}

describe("on a pipe", () => {
  test("alike successes: the first, then their number when something else happens", () => {
    const { made, lines } = screen(null)
    made.lines(call({ ms: 1 }) + call({ ms: 9 }) + call({ ms: 4 }) + call({ operation: "notes.show" }))
    expect(lines()).toHaveLength(3)
    expect(lines()[0]).toMatch(/✓ 200 {2}notes\.list +1\.0 ms {2}code {2}anyone$/)
    expect(lines()[1]).toMatch(/4\.0 ms {2}×3 {2}code {2}anyone {2}1\.0 ms to 9\.0 ms$/)
    expect(lines()[2]).toContain("notes.show")
  })

  test("many of them: told at each power of ten, and the rest at the end", () => {
    const { made, lines } = screen(null)
    made.lines(call().repeat(123))
    made.flush()
    expect(lines().map((line) => /×\d+/.exec(line)?.[0])).toEqual([undefined, "×10", "×100", "×123"])
  })

  test.each([
    ["another status", { status: 201 }],
    ["another caller", { caller: "ada" }],
    ["another service", { servedBy: "backup" }],
    ["a repair", { repaired: { count: 1, fields: ["a → b: date"] } }],
    ["an answer of another choice", { level: "warn", degraded: "crm: down" }],
  ])("%s: not alike", (_, more) => {
    const { made, lines } = screen(null)
    made.lines(call() + call(more) + call())
    expect(lines()).toHaveLength(3)
  })
})

describe("on a terminal", () => {
  test("alike successes: one line, written anew", () => {
    const { made, text } = screen(80)
    for (let i = 0; i < 3; i++) made.lines(call())
    expect(text().split("\u001b[1A\u001b[2K")).toHaveLength(3)
    expect(text()).toMatch(/2\.0 ms {2}×3 {2}code.*\n$/)
  })

  test("after something else: the line above is not touched", () => {
    const { made, text } = screen(80)
    made.lines(call())
    made.say("the application printed this\n")
    made.lines(call())
    expect(text()).not.toContain("\u001b[1A")
  })

  test("a narrow one: no line wraps, since a wrapped one could not be taken back", () => {
    const { made, lines } = screen(40)
    made.lines(call({ servedBy: "a-service-with-a-very-long-name-indeed" }))
    for (const line of lines()) expect(line.length).toBeLessThan(40)
  })
})

test("a failure: in full, with the line of its operation and what to type", () => {
  const { made, text } = screen(null)
  made.know({ "notes.list": "/app/notes.ts:7" })
  made.lines(failure)
  expect(text()).toMatch(/✗ 503 {2}notes\.list .* UNAVAILABLE\n/)
  for (const line of [
    "Try again later.",
    "crm: cannot be reached (ECONNREFUSED)",
    "nothing has happened, not-connected, services asked 3 times",
    "--> /app/notes.ts:7",
    "trestle explain notes.list",
  ])
    expect(text()).toContain(line)
})

test("an input that does not fit: which field, and what is wrong with it", () => {
  const { made, lines } = screen(null)
  made.lines(misfit)
  expect(lines()).toContain("          verbose: unknown field")
})

test("texts from outside: cannot command the terminal", () => {
  const { made, text } = screen(null)
  made.lines(call({ caller: "\u001b[2Jada" }) + failure.replace("cannot be reached (", "\\u001b[31m("))
  expect(text()).not.toContain("\u001b")
})

import { describe, expect, test } from "vitest"
import type { OperationStatus } from "../runtime/status.ts"
import { board, progress } from "./board.ts"
import { type Paint, paintFor } from "./paint.ts"

const PLAIN: Paint = (_colour, text) => text
const row = (operation: string, more: Partial<OperationStatus>): OperationStatus => ({
  operation,
  state: "wired",
  why: null,
  seenAt: null,
  seenBy: null,
  backend: "rest",
  services: ["people"],
  http: "GET /it",
  on: null,
  every: null,
  effect: "read",
  contract: "0",
  deprecated: null,
  ...more,
})
const ROWS = [
  row("people.show", { state: "live", seenAt: "2026-11-20T10:00:00.000Z", seenBy: "people" }),
  row("people.list", { state: "verified", seenAt: "2026-11-19T10:00:00.000Z", seenBy: "people" }),
  row("people.find", { why: "was verified on 2026-11-02, before the contract changed", http: null }),
  row("people.old", { deprecated: "Deprecated: ends on 2027-01-31. Use people.show." }),
  row("score", { state: "placeholder", backend: "placeholder", services: [], why: "waiting for the scoring model" }),
]

describe("the board", () => {
  test("what a topic or a time runs: says so, and what a placeholder does to messages", () => {
    const rows = [
      row("scored", { http: null, on: "answer.given v1", state: "placeholder", backend: "placeholder", services: [], why: "no model yet" }),
      row("mailed", { http: "POST /mails", on: "answer.given v2" }),
      row("tidy", { http: null, every: "every 10s" }),
    ]
    expect(board({ rows, paint: PLAIN, width: undefined }).split("\n")).toEqual([
      "placeholder 1",
      "○ scored       on answer.given v1               placeholder  no model yet. Messages that it takes are gone",
      "",
      "wired 2",
      "◔ mailed       POST /mails, on answer.given v2  rest people",
      "◔ tidy         every 10s                        rest people",
      "",
    ])
  })

  test("wide enough: grouped, the least real first, each with its remark", () => {
    expect(board({ rows: ROWS, paint: PLAIN, width: undefined }).split("\n")).toEqual([
      "placeholder 1",
      "○ score        GET /it   placeholder  waiting for the scoring model",
      "",
      "wired 2",
      "◔ people.find  internal  rest people  was verified on 2026-11-02, before the contract changed",
      "◔ people.old   GET /it   rest people  Deprecated: ends on 2027-01-31. Use people.show.",
      "",
      "verified 1",
      "◑ people.list  GET /it   rest people  2026-11-19 by people",
      "",
      "live 1",
      "● people.show  GET /it   rest people  2026-11-20 by people",
      "",
    ])
  })
  test.each([30, 50, 80, 120])("%i columns: no line is longer, none is empty but between groups", (width) => {
    const text = board({ rows: ROWS, paint: PLAIN, width })
    const lines = text.trimEnd().split("\n")
    const own = Math.max(
      ...ROWS.map(
        ({ operation, http, backend, services }) => `○ ${operation}  ${http ?? "internal"}  ${backend} ${services.join(" ")}`.length,
      ),
    )
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(Math.max(width, own + 4))
    expect(text).not.toMatch(/\n\n\n/)
    expect(lines.filter((line) => line === "").length).toBe(3)
  })
  test("colour only repeats what signs and words say", () => {
    const painted = board({ rows: ROWS, paint: paintFor({ isTTY: true }, {}), width: undefined })
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with one
    expect(painted.replace(/\u001b\[\d+m/g, "")).toBe(board({ rows: ROWS, paint: PLAIN, width: undefined }))
  })
  test("control characters of a reason: shown, not obeyed", () => {
    expect(board({ rows: [row("a", { why: "x\u001b[2J" })], paint: PLAIN, width: undefined })).not.toContain("\u001b")
  })
})

describe("progress", () => {
  test("a sign for each, and the counts", () => {
    expect(progress(ROWS, PLAIN)).toBe("○◔◔◑●\n1 placeholder · 2 wired · 1 verified · 1 live")
  })
  test("many operations: one line; a state that occurs has a sign", () => {
    const rows = [...Array.from({ length: 600 }, (_, n) => row(`o${n}`, {})), ROWS[0]!]
    const [bar] = progress(rows, PLAIN).split("\n")
    expect(bar).toMatch(/^◔{35,41}●$/)
  })
  test("none", () => expect(progress([], PLAIN)).toBe("\n0 placeholder · 0 wired · 0 verified · 0 live"))
})

import { describe, expect, test } from "vitest"
import { type DeadlineField, deadlineFieldMistakes, deadlineIn, deadlineText } from "./deadline-field.ts"

const header = "Request-Timeout"

describe("a deadline's field", () => {
  test.each<[string, number, DeadlineField["unit"], string]>([
    ["a whole number", 800, "ms", "800"],
    ["a fraction is rounded down", 799.9, "ms", "799"],
    ["less than one is one", 0.2, "ms", "1"],
    ["seconds are rounded down, so that the service gives up first", 1_999, "s", "1"],
    ["less than a second is one", 400, "s", "1"],
  ])("writing: %s", (_, leftMs, unit, text) => expect(deadlineText({ header, unit }, leftMs)).toBe(text))

  test.each<[string | undefined, DeadlineField["unit"], number]>([
    ["800", "ms", 800],
    ["2", "s", 2_000],
    ["007", "s", 7_000],
  ])("reading %j in %s → %d ms", (value, unit, ms) => expect(deadlineIn({ header, unit }, value)).toBe(ms))

  test.each([undefined, "", "0", "-1", "1.5", "1e3", "2s", "soon", "1, 2", " 1", "9999999999", "0x10"])(
    "reading %j → nothing was said",
    (value) => expect(deadlineIn({ header, unit: "ms" }, value)).toBeUndefined(),
  )

  test.each([undefined, { header, unit: "s" }, { header: "X-Envoy-Expected-Rq-Timeout-Ms", unit: "ms" }] as const)(
    "%j → no mistake",
    (field) => expect(deadlineFieldMistakes(field)).toEqual([]),
  )

  test.each([
    ["", "is not the name of a header field"],
    ["Request Timeout", "is not the name of a header field"],
    ["timeout:", "is not the name of a header field"],
    ["timeout\r\nx", "is not the name of a header field"],
    ["zeitü", "is not the name of a header field"],
    [7, "is not the name of a header field"],
    ["Content-Length", "has another meaning"],
    ["authorization", "has another meaning"],
  ])("header %j → %s", (name, says) => {
    expect(deadlineFieldMistakes({ header: name as string, unit: "s" })).toEqual([expect.stringContaining(says)])
  })

  test.each(["m", "seconds", undefined, 1])("unit %j → a mistake", (unit) =>
    expect(deadlineFieldMistakes({ header, unit: unit as "s" })).toEqual(['unit is neither "ms" nor "s"']),
  )

  test.each([null, "Request-Timeout", 5])("%j in its place → both mistakes, no throw", (field) =>
    expect(deadlineFieldMistakes(field as never)).toHaveLength(2),
  )
})

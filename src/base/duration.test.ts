import { describe, expect, it } from "vitest"
import { parseDuration, showDuration, showMs, whyNoDuration } from "./duration.ts"

describe("parseDuration", () => {
  it.each([
    [0, 0],
    [500, 500],
    ["800ms", 800],
    ["2s", 2_000],
    ["1.5s", 1_500],
    ["10m", 600_000],
    ["24h", 86_400_000],
    ["7d", 604_800_000],
  ])("%j → %d ms", (given, ms) => expect(parseDuration(given)).toBe(ms))

  it.each([-1, Number.NaN, Infinity, "", "5", "5 s", "5S", "-5s", "1e3s", "5w", "s", `${"9".repeat(400)}s`, null, undefined, {}])(
    "%j → null",
    (given) => expect(parseDuration(given)).toBeNull(),
  )
})

describe("the longest duration", () => {
  it("3650 days → a duration", () => expect(parseDuration("3650d")).toBe(315_360_000_000))
  it.each(["3651d", "199999999d", 315_360_000_001])("%j → null, and it is said why", (given) =>
    expect([parseDuration(given), whyNoDuration(given, "2d")]).toEqual([null, "is longer than 3650 days"]),
  )
  it("no duration at all → an example", () => expect(whyNoDuration("soon", "2d")).toBe('is not a duration such as "2d"'))
})

describe("showMs", () => {
  it.each([
    [0, "0.0 ms"],
    [0.44, "0.4 ms"],
    [9.94, "9.9 ms"],
    [9.95, "10 ms"],
    [1_499.6, "1500 ms"],
  ])("%d → %s", (ms, text) => expect(showMs(ms)).toBe(text))
})

describe("showDuration", () => {
  it.each([
    [0, "0ms"],
    [340.4, "340ms"],
    [999.4, "999ms"],
    [999.7, "1s"],
    [2_500, "2.5s"],
    [59_960, "1m"],
    [180_000, "3m"],
    [3_598_000, "1h"],
    [5_400_000, "1.5h"],
  ])("%d → %s", (ms, text) => expect(showDuration(ms)).toBe(text))
})

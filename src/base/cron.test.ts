import { describe, expect, test } from "vitest"
import { type CronTimes, parseCron } from "./cron.ts"

const times = (expression: string, zone = "UTC"): CronTimes => parseCron(expression, zone) as CronTimes
const at = (text: string): number => Date.parse(`${text}Z`)
const iso = (epoch: number | null): string | null => (epoch === null ? null : new Date(epoch).toISOString().slice(0, 19))

describe("a cron expression", () => {
  test("next: the first after that moment, not at it", () => {
    expect(iso(times("0 3 * * *").next(at("2026-01-01T02:59:59")))).toBe("2026-01-01T03:00:00")
    expect(iso(times("0 3 * * *").next(at("2026-01-01T03:00:00")))).toBe("2026-01-02T03:00:00")
  })
  test("last: the last up to that moment, the moment included", () => {
    const { last } = times("*/5 * * * * *")
    expect([0, 999, 4_999, 5_000, 5_001].map((ms) => iso(last(at("2026-01-01T00:00:00") + ms))?.slice(-2))).toEqual([
      "00",
      "00",
      "00",
      "05",
      "05",
    ])
  })
  test("a zone: its own wall clock", () =>
    expect(iso(times("0 3 * * *", "Europe/Berlin").next(at("2026-07-01T00:00:00")))).toBe("2026-07-01T01:00:00"))
  test("an hour that is skipped: runs once, when the clock is set", () => {
    const { next } = times("30 2 * * *", "Europe/Berlin")
    const first = next(at("2026-03-28T12:00:00"))!
    expect([iso(first), iso(next(first))]).toEqual(["2026-03-29T01:00:00", "2026-03-30T00:30:00"])
  })
  test("an hour that comes twice: runs once", () => {
    const { next } = times("30 2 * * *", "Europe/Berlin")
    const first = next(at("2026-10-24T12:00:00"))!
    expect([iso(first), iso(next(first))]).toEqual(["2026-10-25T00:30:00", "2026-10-26T01:30:00"])
  })
  test("too few fields → says how many", () =>
    expect(parseCron("0 3 *", "UTC")).toMatchObject({ why: expect.stringContaining("3 fields") }))
  test("a field out of range → refused", () => expect(parseCron("61 3 * * *", "UTC")).toHaveProperty("why"))
  test("a zone that does not exist → refused", () => expect(parseCron("0 3 * * *", "Mars/Olympus")).toHaveProperty("why"))
  test("a day that does not exist → refused", () => expect(parseCron("0 3 30 2 *", "UTC")).toEqual({ why: "there is no such day" }))
})

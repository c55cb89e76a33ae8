import { expect, test } from "vitest"
import { eventRows } from "./jobs-list.ts"

test("a history: what is alike and follows one another stands in one row", () => {
  const rows = eventRows([
    { at: 0, what: "suspended", why: "waits for b" },
    { at: 1_000, what: "suspended", why: "waits for b" },
    { at: 2_000, what: "failed", why: "UNAVAILABLE" },
    { at: 3_000, what: "suspended", why: "waits for b" },
  ])
  expect(rows).toEqual([
    ["1970-01-01T00:00:00.000Z", "suspended: waits for b (2 times, last 1970-01-01T00:00:01.000Z)"],
    ["1970-01-01T00:00:02.000Z", "failed: UNAVAILABLE"],
    ["1970-01-01T00:00:03.000Z", "suspended: waits for b"],
  ])
})

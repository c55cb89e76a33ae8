import { expect, test } from "vitest"
import type { JobProgress } from "../contract/job.ts"
import { eventRows, progressText } from "./job-text.ts"
import { spanText } from "./time-text.ts"

test("a history: what is alike and follows one another stands in one row", () => {
  const rows = eventRows([
    { at: 0, what: "suspended", why: "waits for b" },
    { at: 1_000, what: "suspended", why: "waits for b" },
    { at: 2_000, what: "failed", why: "UNAVAILABLE" },
    { at: 3_000, what: "suspended", why: "waits for b" },
  ])
  expect(rows).toEqual([
    ["1970-01-01T00:00:00Z", "suspended: waits for b (2 times, last 1970-01-01T00:00:01Z)"],
    ["1970-01-01T00:00:02Z", "run failed: UNAVAILABLE"],
    ["1970-01-01T00:00:03Z", "suspended: waits for b"],
  ])
})

test("a history: the same failure of a step and of an undo stands in two rows", () => {
  const rows = eventRows([
    { at: 0, what: "failed", why: "UNAVAILABLE", step: "ship" },
    { at: 1_000, what: "failed", why: "UNAVAILABLE", step: "ship" },
    { at: 2_000, what: "failed", why: "UNAVAILABLE", step: "undo charge" },
    { at: 3_000, what: "dead", why: "UNAVAILABLE", step: "undo charge" },
  ])
  expect(rows.map(([, text]) => text)).toEqual([
    "step ship failed: UNAVAILABLE (2 times, last 1970-01-01T00:00:01Z)",
    "undo charge failed: UNAVAILABLE",
    "dead at undo charge: UNAVAILABLE",
  ])
})

test.each<[JobProgress, string]>([
  [{ done: 2, step: "ship" }, "2 done, then ship"],
  [{ done: 0, step: "reserve" }, "reserve"],
  [{ done: 2, step: "" }, "2 done"],
  [{ done: 2, step: "charge", undoing: "NO_STOCK" }, "undoing charge because of NO_STOCK"],
  [{ done: 2, step: "", undoing: "NO_STOCK" }, "undoing its steps because of NO_STOCK"],
])("progress %j → %s", (progress, text) => expect(progressText(progress)).toBe(text))

test.each<[number, string]>([
  [999, "0 s"],
  [59_999, "59 s"],
  [180_000, "3 min"],
  [3_600_000, "1 h"],
  [86_400_000, "1 day"],
  [200_000_000, "2 days"],
])("a span of %i ms → %s", (ms, text) => expect(spanText(ms)).toBe(text))

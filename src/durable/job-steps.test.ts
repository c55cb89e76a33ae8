import { expect, test } from "vitest"
import type { JournalEntry } from "../contract/journal.ts"
import { journalStepsOf } from "./job-steps.ts"

const told = (...entries: readonly JournalEntry[]): unknown[] =>
  journalStepsOf(entries).map(({ name, what, state, undoes }) => [name, what, state, undoes])
const done = (key: string, what = "pay 0123456789abcdef"): JournalEntry => ({ key, what, state: "done" })

test("steps: each by its name, else its number; what it runs without the print of its input", () =>
  expect(told(done(":charge"), done("2", "transaction db"), done("3", "emit order.placed 0123456789abcdef"), done("4", "now"))).toEqual([
    ["charge", "pay", "done", null],
    ["2", "transaction db", "done", null],
    ["3", "emit order.placed", "done", null],
    ["4", "now", "done", null],
  ]))
test("an undo all of whose steps are done → its step is undone", () =>
  expect(told(done(":a"), done("undo :a/1"), done("undo :a/:b/c"))).toEqual([
    ["a", "pay", "undone", null],
    ["1", "pay", "done", "a"],
    ["b/c", "pay", "done", "a"],
  ]))
test("an undo that has begun → its step is being undone, and no other", () =>
  expect(told(done(":a"), done(":a2"), { ...done("undo :a/1"), state: "begun" }).map((step) => (step as string[])[2])).toEqual([
    "undoing",
    "done",
    "began",
  ]))
test("that the flow has failed is no step", () => expect(told({ key: "failure", what: "failure", state: "failed" })).toEqual([]))

import { expect, test } from "vitest"
import { table } from "./table.ts"

const ROWS = [
  ["A", "B", "WHY"],
  ["\u001b[32mlong cell\u001b[39m", "b", "one two three four five six seven"],
]

test("unknown width: nothing is wrapped, paint takes no room", () => {
  expect(table(ROWS)).toBe("A          B  WHY\n\u001b[32mlong cell\u001b[39m  b  one two three four five six seven\n")
})

test("room for the last column: it is wrapped in its place", () => {
  expect(table(ROWS, 40)).toBe(`A          B  WHY\n\u001b[32mlong cell\u001b[39m  b  one two three four five\n${" ".repeat(14)}six seven\n`)
})

test("too narrow for that: its long cells go under their row", () => {
  expect(table(ROWS, 30)).toBe("A          B  WHY\n\u001b[32mlong cell\u001b[39m  b\n    one two three four five\n    six seven\n")
})

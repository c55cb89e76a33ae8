import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { excerptAt, pathOf } from "./source-excerpt.ts"

const folder = mkdtempSync(join(tmpdir(), "trestle excerpt "))
const file = join(folder, "ops.ts")
beforeAll(() => writeFileSync(file, Array.from({ length: 12 }, (_, i) => `line ${i + 1}`).join("\n")))
afterAll(() => rmSync(folder, { recursive: true }))

describe("excerptAt", () => {
  test("two lines before and after, numbered in one width, the line itself marked", () => {
    expect(excerptAt({ file, line: 9 })).toBe("   7 | line 7\n   8 | line 8\n>  9 | line 9\n  10 | line 10\n  11 | line 11")
  })
  test("at the beginning and the end of the file → what there is", () => {
    expect(excerptAt({ file, line: 1 }, 1)).toBe("> 1 | line 1\n  2 | line 2")
    expect(excerptAt({ file, line: 12 }, 1)).toBe("  11 | line 11\n> 12 | line 12")
  })
  test("a file URL → read too", () => expect(excerptAt({ file: pathToFileURL(file).href, line: 3 }, 0)).toBe("> 3 | line 3"))
  test.each([
    ["no place", null],
    ["no such file", { file: join(folder, "gone.ts"), line: 1 }],
    ["beyond the file", { file, line: 13 }],
    ["an address", { file: "https://app.test/ops.js", line: 1 }],
  ])("%s → empty", (_what, place) => expect(excerptAt(place)).toBe(""))
})

test("pathOf: a path stays, a URL becomes one", () => {
  expect([pathOf({ file, line: 1 }), pathOf({ file: pathToFileURL(file).href, line: 1 })]).toEqual([file, file])
})

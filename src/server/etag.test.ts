import { describe, expect, test } from "vitest"
import { isEntityTag, isHeld, versionOf } from "./etag.ts"

describe("If-None-Match", () => {
  test.each([
    ['"a"', true],
    ['W/"a"', true],
    ['"b", "a"', true],
    ['"b",W/"a"', true],
    ["*", true],
    [" * ", true],
    ['"b"', false],
    ['"A"', false],
    ["a", false],
    ["", false],
    ['"b, a"', false],
    ['"a', false],
    ['"xa"', false],
  ])('%s against "a" → %s', (field, held) => expect(isHeld(field, '"a"')).toBe(held))
  test("a tag that holds a comma → one tag", () => expect([isHeld('"a,b"', '"a,b"'), isHeld('"a", "b"', '"a,b"')]).toEqual([true, false]))
})

describe("a version", () => {
  test("the same bytes → the same; other bytes → another", () => {
    expect(versionOf('{"a":1}')).toBe(versionOf('{"a":1}'))
    expect(versionOf('{"a":1}')).not.toBe(versionOf('{"a":2}'))
    expect(versionOf("é")).toMatch(/^[\w-]{22}$/)
  })
  test.each([
    ['"3"', true],
    ['""', true],
    ['"a b"', false],
    ['"a"b"', false],
    ['"é"', false],
    ['"a\r\nx: y"', false],
  ])("%j in a header field → %s", (etag, can) => expect(isEntityTag(etag)).toBe(can))
})

import { describe, expect, it } from "vitest"
import { readJson } from "./json.ts"

const nested = (depth: number): string => "[".repeat(depth) + "]".repeat(depth)

describe("readJson", () => {
  it.each(["null", "0", '"a"', '{"a":[1,{"b":null}]}', ' {"constructor":"Smith"} ', '{"prototype":1}'])("%s → its value", (text) =>
    expect(readJson(text)).toEqual({ value: JSON.parse(text) }),
  )

  it("32 levels → accepted", () => expect(readJson(nested(32))).toHaveProperty("value"))
  it("33 levels → refused", () => expect(readJson(nested(33))).toMatchObject({ refused: "depth" }))
  it("a million levels → refused without running out of stack", () =>
    expect(readJson("[".repeat(1_000_000))).toMatchObject({ refused: "depth" }))
  it("brackets in a string → do not count", () => expect(readJson(`"${"[".repeat(100)}"`)).toHaveProperty("value"))
  it("brackets after an escaped quote → do not count", () => expect(readJson(`"\\"${"[".repeat(100)}"`)).toHaveProperty("value"))
  it("a string that ends in a backslash → what follows counts", () =>
    expect(readJson(`["\\\\",${nested(40)}]`)).toMatchObject({ refused: "depth" }))
  it("many siblings → do not count as depth", () => expect(readJson(`[${Array(100).fill("[]").join()}]`)).toHaveProperty("value"))

  it.each([
    ["__proto__ at the top", '{"__proto__":{"isAdmin":true}}', "/__proto__"],
    ["__proto__ deep", '{"a":[{"__proto__":1}]}', "/a/0/__proto__"],
    ["__proto__ by an escape", '{"\\u005f_proto__":1}', "/__proto__"],
    ["constructor.prototype", '{"constructor":{"prototype":{"x":1}}}', "/constructor/prototype"],
    ["constructor by an escape", '{"c\\u006fnstructor":{"prototype":1}}', "/constructor/prototype"],
  ])("%s → refused with its place", (_, text, place) =>
    expect(readJson(text)).toEqual({ refused: "forbidden-key", message: `the key ${place} is not allowed` }),
  )

  it("__proto__ as a value → accepted", () => expect(readJson('"__proto__"')).toEqual({ value: "__proto__" }))

  it("a mistake → the place, never the text around it", () => {
    const refusal = readJson('{"token":"s3cr3t-canary" oops}')
    expect(refusal).toMatchObject({ refused: "syntax", message: "not valid JSON at character 26" })
  })
  it("a short text with a mistake → no quotation either", () => expect(JSON.stringify(readJson("canary"))).not.toContain("canary"))
  it("a cut text → says that it ends too early", () =>
    expect(readJson('{"a":')).toMatchObject({ refused: "syntax", message: expect.stringContaining("not valid JSON") }))
  it("the empty text → refused", () => expect(readJson("")).toMatchObject({ refused: "syntax" }))
})

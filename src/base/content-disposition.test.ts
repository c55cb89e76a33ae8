import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { attachment, fileNameIn } from "./content-disposition.ts"

describe("fileNameIn", () => {
  test.each([
    ["no field", undefined, null],
    ["no name", "attachment", null],
    ["a token", "attachment; filename=a.txt", "a.txt"],
    ["a quoted name with an escape", 'attachment; filename="a \\"b\\".txt"', 'a "b".txt'],
    ["the extended form wins", "attachment; filename=\"e.txt\"; filename*=UTF-8''%e2%82%ac.txt", "€.txt"],
    ["an extended form that is broken → the plain one", "attachment; filename=\"e.txt\"; filename*=UTF-8''%e2%82", "e.txt"],
    ["another charset is not read", "attachment; filename*=ISO-8859-1''%a3.txt", null],
    ["a name within a name", 'attachment; xfilename="no"; filename="yes"', "yes"],
  ])("%s", (_, field, name) => expect(fileNameIn(field)).toBe(name))
})

describe("attachment", () => {
  test("no name → none", () => expect(attachment(null)).toBe("attachment"))
  test("any name → ASCII without an end of line, from which the name can be read again", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", minLength: 1 }), (name) => {
        const field = attachment(name)
        expect(field).toMatch(/^[ -~]*$/)
        expect(fileNameIn(field)).toBe(name.toWellFormed())
      }),
    )
  })
})

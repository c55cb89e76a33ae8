import { describe, expect, it } from "vitest"
import { nearest } from "./nearest.ts"

describe("nearest", () => {
  it("one letter is missing → the whole name", () => expect(nearest("CRM_TOKN", ["PATH", "CRM_TOKEN", "CRM_URL"])).toBe("CRM_TOKEN"))
  it("two letters are swapped → the right order", () => expect(nearest("nmae", ["name", "note"])).toBe("name"))
  it("only the case differs → found", () => expect(nearest("Email", ["email"])).toBe("email"))
  it("of two candidates → the nearer", () => expect(nearest("users.gett", ["users.set", "users.get"])).toBe("users.get"))
  it("nothing is like it → undefined", () => expect(nearest("HR_TOKEN", ["PATH", "HOME"])).toBeUndefined())
  it("a short name with no letter in common → undefined", () => expect(nearest("id", ["xy"])).toBeUndefined())
  it("a three-letter name that shares one letter → undefined", () => expect(nearest("get", ["put"])).toBeUndefined())
  it("the empty name → undefined", () => expect(nearest("", ["a"])).toBeUndefined())
  it("no candidates → undefined", () => expect(nearest("a", [])).toBeUndefined())
})

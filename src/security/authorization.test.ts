import { describe, expect, test, vi } from "vitest"
import { anyone, can, type Principal, type Rule, role, signedIn } from "../contract/principal.ts"
import { compileAccess } from "./authorization.ts"

const ANN: Principal = { id: "ann", kind: "user", roles: ["recruiter"], permissions: ["answers.read"] }
const PERMISSIONS = { recruiter: ["answers.score"], admin: ["users.delete"] }
/** "in" or the code; "later …" when it took a promise. */
const judge = (allow: Rule<any> | readonly Rule<any>[] | undefined, who: Principal | null = ANN, input: unknown = {}) => {
  let answer: void | Promise<void>
  try {
    answer = compileAccess(allow, PERMISSIONS)(input, who)
  } catch (error) {
    return (error as { code: string }).code
  }
  if (answer === undefined) return "in"
  return answer.then(
    () => "later in",
    (error) => `later ${error.code}`,
  )
}
const errorOf = (allow: readonly Rule<any>[]): { code: string; cause?: unknown } => {
  try {
    compileAccess(allow)({}, ANN)
  } catch (error) {
    return error as { code: string }
  }
  return expect.fail("let in")
}

describe("ready-made rules", () => {
  test.each<[string, Rule<any> | undefined, string]>([
    ["anyone", anyone("a lobby"), "in"],
    ["signedIn", signedIn(), "in"],
    ["role she has", role("recruiter"), "in"],
    ["one of several roles", role("admin", "recruiter"), "in"],
    ["role she has not", role("admin"), "FORBIDDEN"],
    ["no role named", role(), "FORBIDDEN"],
    ["permission of her own", can("answers.read"), "in"],
    ["permission through her role", can("answers.score"), "in"],
    ["permission of another role", can("users.delete"), "FORBIDDEN"],
    ["permission nobody has", can("nothing"), "FORBIDDEN"],
    ["nothing declared", undefined, "FORBIDDEN"],
  ])("principal: %s → %s", (_, allow, expected) => expect(judge(allow)).toBe(expected))
  test.each<[string, Rule<any> | undefined, string]>([
    ["anyone", anyone("a lobby"), "in"],
    ["signedIn", signedIn(), "UNAUTHENTICATED"],
    ["role", role("recruiter"), "UNAUTHENTICATED"],
    ["can", can("answers.read"), "UNAUTHENTICATED"],
    ["nothing declared", undefined, "UNAUTHENTICATED"],
  ])("no principal: %s → %s", (_, allow, expected) => expect(judge(allow, null)).toBe(expected))
  test("principal without roles and permissions: role, can → FORBIDDEN", () => {
    expect(judge([role("recruiter"), can("answers.score")], { id: "bob", kind: "user" })).toBe("FORBIDDEN")
  })
  test("roles as one string: contains the name → FORBIDDEN", () => {
    expect(judge(role("admin"), { id: "bob", kind: "user", roles: "administrator" as never })).toBe("FORBIDDEN")
  })
  test("role named like a property of every object: → grants nothing", () => {
    expect(judge(can("answers.score"), { id: "bob", kind: "user", roles: ["constructor", "__proto__"] })).toBe("FORBIDDEN")
  })
  test("principal system: role → no special treatment", () => {
    expect(judge(role("admin"), { id: "system", kind: "system" })).toBe("FORBIDDEN")
  })
  test.each<[string, unknown]>([
    ["true", true],
    ["null", null],
    ["an unknown kind", { kind: "everybody" }],
    ["a list within the list", [signedIn()]],
  ])("allow: holds %s → START_REFUSED", (_, rule) => {
    expect(() => compileAccess([rule as Rule<any>])).toThrow(expect.objectContaining({ code: "START_REFUSED" }))
  })
})

describe("functions", () => {
  test("function: gets input and principal", () => {
    const rule = vi.fn(() => true)
    expect(judge(rule, ANN, { id: 1 })).toBe("in")
    expect(rule).toHaveBeenCalledExactlyOnceWith({ id: 1 }, ANN)
  })
  test("function: no principal → not asked", () => {
    const rule = vi.fn(() => true)
    expect(judge(rule, null)).toBe("UNAUTHENTICATED")
    expect(rule).not.toHaveBeenCalled()
  })
  test.each([false, undefined, null, 1, "true", {}, [], Number.NaN])("function: answers %j → FORBIDDEN", (answer) => {
    expect(judge(() => answer as boolean)).toBe("FORBIDDEN")
  })
  test("function: promises true → let in later", async () => expect(await judge(async () => true)).toBe("later in"))
  test.each([false, undefined, 1, "true", {}])("function: promises %j → FORBIDDEN", async (answer) => {
    expect(await judge(async () => answer as boolean)).toBe("later FORBIDDEN")
  })
  test("function: throws → FORBIDDEN with the cause", () => {
    const cause = new RangeError("no")
    const rule = (): boolean => {
      throw cause
    }
    expect(errorOf([rule])).toMatchObject({ code: "FORBIDDEN", cause })
  })
  test("function: rejects → FORBIDDEN with the cause", async () => {
    const cause = new RangeError("no")
    await expect(compileAccess(() => Promise.reject(cause))({}, ANN)).rejects.toMatchObject({ code: "FORBIDDEN", cause })
  })
  test("two functions: both throw → the first error is the cause", () => {
    const throwing = (text: string) => () => {
      throw new RangeError(text)
    }
    expect(errorOf([throwing("one"), throwing("two")]).cause).toMatchObject({ message: "one" })
  })
})

describe("several rules", () => {
  const no = () => false
  const yes = () => true
  test("any one holds: → let in", () => expect(judge([role("admin"), no, yes])).toBe("in"))
  test("none holds: → FORBIDDEN", () => expect(judge([role("admin"), no])).toBe("FORBIDDEN"))
  test("empty list: → FORBIDDEN", () => expect(judge([])).toBe("FORBIDDEN"))
  test("anyone among them: no principal → let in, nothing asked", () => {
    const rule = vi.fn(no)
    expect(judge([rule, anyone("a lobby")], null)).toBe("in")
    expect(rule).not.toHaveBeenCalled()
  })
  test("one throws, the next holds: → let in", () => {
    const throwing = (): boolean => {
      throw new RangeError("no")
    }
    expect(judge([throwing, yes])).toBe("in")
  })
  test("one rejects, the next holds: → let in later", async () => {
    expect(await judge([() => Promise.reject(new RangeError("no")), () => Promise.resolve(true)])).toBe("later in")
  })
  test("ready-made rule behind a function: holds → the function is not asked", () => {
    const rule = vi.fn(no)
    expect(judge([rule, role("recruiter")])).toBe("in")
    expect(rule).not.toHaveBeenCalled()
  })
  test("async function before a plain one: plain one holds → let in without waiting", () => {
    let isAsked = false
    const slow = async (): Promise<boolean> => {
      isAsked = true
      return true
    }
    expect(judge([slow, yes])).toBe("in")
    expect(isAsked).toBe(false)
  })
  test("functions: asked in order until one holds", () => {
    const asked: string[] = []
    const rule = (name: string, answer: boolean) => () => {
      asked.push(name)
      return answer
    }
    expect(judge([rule("a", false), rule("b", true), rule("c", true)])).toBe("in")
    expect(asked).toEqual(["a", "b"])
  })
  test("after a promise of false: → the rest is asked", async () => {
    expect(await judge([() => Promise.resolve(false), yes])).toBe("later in")
    expect(await judge([async () => false, async () => false])).toBe("later FORBIDDEN")
  })
})

import { describe, expect, test } from "vitest"
import type { Answer, Backend, Site } from "../contract/backend.ts"
import { backend } from "../contract/backend.ts"
import type { CallContext } from "../contract/call.ts"
import { answered, failure } from "../contract/failure.ts"
import type { Reason } from "../errors/reasons.ts"
import { TrestleError } from "../errors/trestle-error.ts"
import { code } from "./code.ts"
import { fallback } from "./fallback.ts"
import { placeholder } from "./placeholder.ts"
import { value } from "./value.ts"

function placed(effect: "read" | "write" = "read") {
  const noted: string[] = []
  const site = {
    operation: "things.get",
    effect,
    errors: { GONE: 410 },
    accept: (answer: unknown, _call: CallContext, servedBy: string) => {
      noted.push(`accepted from ${servedBy}`)
      if (answer === "misfit") throw failure("output-misfit", effect)
      return answer
    },
    bind: (part: Backend<any, any, any>): Answer => part.plan.bind(site as unknown as Site),
  }
  const call = {
    effect,
    stopped: null as TrestleError | null,
    public: {
      fail: (said: string) => {
        throw answered(said, site.errors)
      },
    },
    noteSent: () => noted.push("sent"),
    noteDegraded: (why: string) => noted.push(`degraded: ${why}`),
  }
  const ask = async (one: Backend<any, any, any>, input: unknown = "in"): Promise<any> => {
    const answer = one.plan.bind(site as unknown as Site)
    try {
      return await answer(input, call as unknown as CallContext)
    } catch (error) {
      return error
    }
  }
  return { noted, call, ask, site }
}
/** A backend that fails so, or answers with its name. */
const part = (name: string, fails?: Reason | Error, log: string[] = []): Backend<any, any, any> =>
  backend(name, {
    bind: (site) => async () => {
      log.push(name)
      if (fails === "answered") throw answered("GONE", site.errors)
      if (fails instanceof Error) throw fails
      if (fails) throw failure(fails, site.effect, { note: `${name}: ${fails}` })
      return name
    },
  })

describe("fallback", () => {
  test("the first answers → nothing else is asked, not degraded", async () => {
    const { ask, noted } = placed()
    const log: string[] = []
    expect(await ask(fallback(part("a", undefined, log), part("b", undefined, log)))).toBe("a")
    expect([log, noted]).toEqual([["a"], []])
  })
  test("in order, and says why the one before failed", async () => {
    const { ask, noted } = placed()
    const log: string[] = []
    expect(await ask(fallback(part("a", "server-error", log), part("b", "not-connected", log), part("c", undefined, log)))).toBe("c")
    expect([log, noted]).toEqual([["a", "b", "c"], ["degraded: b: not-connected"]])
  })
  test("all fail → the last error", async () => {
    const { ask, noted } = placed()
    expect(await ask(fallback(part("a", "server-error"), part("b", "timeout-sent")))).toMatchObject({ reason: "timeout-sent" })
    expect(noted).toEqual([])
  })
  test("a real answer is never replaced", async () => {
    const { ask } = placed()
    expect(await ask(fallback(part("a", "answered"), part("b")))).toMatchObject({ code: "GONE", status: 410 })
  })
  test("a read, after an error that is not ours → falls back", async () => {
    const { ask, noted } = placed()
    expect(await ask(fallback(part("a", new Error("driver")), part("b")))).toBe("b")
    expect(noted).toEqual(["degraded: it threw"])
  })
  test.each<[Reason | Error, boolean]>([
    ["not-connected", true],
    ["circuit-open", true],
    ["bulkhead-full", true],
    ["rate-limited", true],
    ["timeout-unsent", true],
    ["server-error", false],
    ["connection-lost", false],
    ["output-misfit", false],
    ["answered", false],
    ["cancelled-unsent", false],
    [new Error("driver"), false],
  ])("a write, after %s → falls back: %s", async (why, falls) => {
    const { ask } = placed("write")
    expect((await ask(fallback(part("a", why), part("b")))) === "b").toBe(falls)
  })
  test("the call is over → nothing else is asked", async () => {
    const { ask, call } = placed()
    call.stopped = new TrestleError("TIMEOUT")
    const log: string[] = []
    await ask(fallback(part("a", "server-error", log), part("b", undefined, log)))
    expect(log).toEqual(["a"])
  })
})

describe("code", () => {
  test("a value and a promise → accepted", async () => {
    const { ask, noted } = placed()
    expect(await ask(code((i) => `${i}!`))).toBe("in!")
    expect(await ask(code(async (i) => `${i}?`))).toBe("in?")
    expect(noted).toEqual(["sent", "accepted from code", "sent", "accepted from code"])
  })
  test("a value → answered without a promise", () => {
    const { site, call } = placed()
    const answer = code((i) => i).plan.bind(site as unknown as Site)
    expect(answer("in", call as unknown as CallContext)).toBe("in")
  })
  const thrower = (error: unknown) => () => {
    throw error
  }
  for (const [how, of] of [
    ["throws", (error: unknown) => code(thrower(error))],
    ["rejects", (error: unknown) => code(async () => thrower(error)())],
  ] as const) {
    test.each([
      ["read", "INTERNAL"],
      ["write", "OUTCOME_UNKNOWN"],
    ] as const)(`${how} in a %s → %s`, async (effect, said) => {
      const cause = new Error("boom")
      expect(await placed(effect).ask(of(cause))).toMatchObject({
        code: said,
        reason: "thrown",
        outcome: effect === "read" ? "refused" : "unknown",
        cause,
      })
    })
    test(`${how} a declared or common error → as it is`, async () => {
      for (const error of [answered("GONE", { GONE: 410 }), answered("CONFLICT", {}), failure("circuit-open", "write")])
        expect(await placed("write").ask(of(error))).toBe(error)
    })
    test(`${how} what this operation may not say, or an input that the code made itself → thrown`, async () => {
      for (const error of [new TrestleError("EMAIL_TAKEN"), new TrestleError("INVALID")])
        expect(await placed().ask(of(error))).toMatchObject({ code: "INTERNAL", cause: error })
    })
  }
  test("ctx.fail → that answer, INVALID too", async () => {
    expect(await placed().ask(code((_, { fail }) => (fail as (said: string) => never)("GONE")))).toMatchObject({
      code: "GONE",
      outcome: "answered",
    })
    expect(await placed().ask(code((_, { fail }) => fail("INVALID")))).toMatchObject({ code: "INVALID", outcome: "answered" })
  })
  test("an answer that does not fit → output-misfit, not thrown", async () => {
    for (const one of [code(() => "misfit"), code(async () => "misfit")])
      expect(await placed().ask(one)).toMatchObject({ reason: "output-misfit" })
  })
})

describe("placeholder and value", () => {
  test("a value, or a function of the input → accepted under their own name", async () => {
    const { ask, noted } = placed()
    expect(await ask(placeholder("p", "waiting"))).toBe("p")
    expect(await ask(placeholder((i) => `${i}p`, "waiting"))).toBe("inp")
    expect(await ask(value("v"))).toBe("v")
    expect(await ask(value((i) => `${i}v`))).toBe("inv")
    expect(noted).toEqual([...Array(2).fill("accepted from placeholder"), ...Array(2).fill("accepted from value")])
  })
  test("the plan tells checks what to look at", () => {
    expect(placeholder("p", "why").plan).toMatchObject({ placeholder: { why: "why" }, samples: ["p"] })
    expect(placeholder("p", { why: "why", allowInProduction: "agreed" }).plan.placeholder).toEqual({
      why: "why",
      allowInProduction: "agreed",
    })
    expect(placeholder((i: string) => `${i}p`, "why").plan.sampleFor!("x")).toBe("xp")
    expect(value("v").plan).toMatchObject({ isForReadsOnly: true, samples: ["v"] })
    expect(value((i: string) => `${i}v`).plan.sampleFor!("x")).toBe("xv")
  })
  test("an answer that does not fit → output-misfit", async () => {
    for (const one of [placeholder("misfit", "why"), value("misfit")])
      expect(await placed().ask(one)).toMatchObject({ reason: "output-misfit" })
  })
})

import { describe, expect, test } from "vitest"
import { CATALOG, isCatalogCode } from "./catalog.ts"
import { problemOf, problemType } from "./problem.ts"
import { REASONS, type Reason, verdictOf } from "./reasons.ts"
import { failWith, invalid, TrestleError } from "./trestle-error.ts"

describe("TrestleError", () => {
  test("a common code → status, title and detail of the catalogue", () => {
    for (const [code, { status, title, detail }] of Object.entries(CATALOG))
      expect(new TrestleError(code)).toMatchObject({ code, status, title, detail })
  })
  test("a declared code → its status, a title from its name, its own detail or its title", () => {
    expect(new TrestleError("EMAIL_TAKEN", "taken", { status: 409 })).toMatchObject({ status: 409, title: "Email taken", detail: "taken" })
    expect(new TrestleError("EMAIL_TAKEN")).toMatchObject({ status: 500, detail: "Email taken" })
  })
  test("outcome: said, else of the reason, else refused", () => {
    expect(new TrestleError("INTERNAL", undefined, { outcome: "answered", reason: "server-error" }).outcome).toBe("answered")
    for (const reason of Object.keys(REASONS) as Reason[])
      expect(new TrestleError("INTERNAL", undefined, { reason }).outcome).toBe(REASONS[reason].outcome)
    expect(new TrestleError("INTERNAL").outcome).toBe("refused")
  })
  test("the message names code, detail and note; the cause is kept", () => {
    const cause = new Error("ECONNRESET")
    const error = new TrestleError("TIMEOUT", "late", { note: "crm: 2 s", cause })
    expect([error.message, error.cause, error.name]).toEqual(["TIMEOUT: late [crm: 2 s]", cause, "TrestleError"])
    expect("cause" in new TrestleError("TIMEOUT")).toBe(false)
  })
  test("is: by its brand, not by its class", () => {
    const other = Object.defineProperty(new Error("from another copy"), Symbol.for("trestle.error"), { value: true })
    expect([new TrestleError("INTERNAL"), other, new Error("no"), null, "INTERNAL", { code: "INTERNAL" }].map(TrestleError.is)).toEqual([
      true,
      true,
      false,
      false,
      false,
      false,
    ])
  })
  test("the brand is not seen", () => expect(Object.getOwnPropertySymbols({ ...new TrestleError("INTERNAL") })).toEqual([]))
  test("invalid and failWith", () => {
    const issues = [{ path: "name", message: "is missing" }]
    expect(invalid(issues)).toMatchObject({ code: "INVALID", status: 400, issues, outcome: "refused" })
    expect(failWith("CONFLICT", { note: "n" })).toMatchObject({ code: "CONFLICT", status: 409, note: "n" })
  })
})

describe("catalogue", () => {
  test("its names: inherited ones are none", () =>
    expect(["INVALID", "toString", "constructor", ""].map(isCatalogCode)).toEqual([true, false, false, false]))
  test("every status is an error's, every title and detail is there", () => {
    for (const [code, { status, title, detail }] of Object.entries(CATALOG))
      expect((code === "PENDING" ? status === 202 : status >= 400 && status < 600) && title !== "" && detail !== "", code).toBe(true)
  })
})

describe("reasons", () => {
  test("only what is transient and ours to judge feeds a breaker", () => {
    for (const reason of Object.keys(REASONS) as Reason[]) {
      const { feedsBreaker, isTransient } = verdictOf(reason)
      if (feedsBreaker) expect(isTransient, reason).toBe(true)
    }
  })
  test("the unused one is gone", () => expect(Object.keys(REASONS)).not.toContain("not-ours-to-try"))
})

describe("problem", () => {
  test("what a caller may hear, and nothing else", () => {
    const error = new TrestleError("UNAVAILABLE", undefined, {
      reason: "circuit-open",
      note: "crm is down",
      cause: new Error("secret"),
      retryAfterMs: 1_499.2,
    })
    error.trace = "t1"
    expect(problemOf(error)).toEqual({
      type: "urn:trestle:error:unavailable",
      title: "Unavailable",
      status: 503,
      code: "UNAVAILABLE",
      detail: CATALOG.UNAVAILABLE.detail,
      outcome: "refused",
      retryAfterMs: 1_500,
      trace: "t1",
    })
    expect(JSON.stringify(problemOf(error))).not.toMatch(/crm|secret|circuit/)
  })
  test("issues: there when there are some", () => {
    const issues = [{ path: "a", message: "m" }]
    expect(problemOf(invalid(issues)).issues).toEqual(issues)
    expect(problemOf(new TrestleError("INTERNAL"))).not.toHaveProperty("issues")
  })
  test("types: a name for common codes, about:blank for declared ones", () => {
    expect([problemType("OUTCOME_UNKNOWN"), problemType("EMAIL_TAKEN")]).toEqual(["urn:trestle:error:outcome-unknown", "about:blank"])
  })
})

import { describe, expect, test } from "vitest"
import { REASONS, type Reason } from "../errors/reasons.ts"
import { TrestleError } from "../errors/trestle-error.ts"
import { answered, failure, mayFallBack } from "./failure.ts"

/** Reason, outcome, code of a read, code of a write. From `failure.md`: nothing sent is refused, later is unknown. */
const TABLE: Record<Exclude<Reason, "answered">, readonly ["answered" | "refused" | "unknown", string, string]> = {
  "credential-rejected": ["answered", "INTERNAL", "INTERNAL"],
  "not-connected": ["refused", "UNAVAILABLE", "UNAVAILABLE"],
  "timeout-unsent": ["refused", "TIMEOUT", "TIMEOUT"],
  "refused-by-service": ["refused", "UNAVAILABLE", "UNAVAILABLE"],
  "too-early": ["refused", "UNAVAILABLE", "UNAVAILABLE"],
  "rate-limited": ["refused", "UNAVAILABLE", "UNAVAILABLE"],
  busy: ["refused", "UNAVAILABLE", "UNAVAILABLE"],
  "circuit-open": ["refused", "UNAVAILABLE", "UNAVAILABLE"],
  "bulkhead-full": ["refused", "UNAVAILABLE", "UNAVAILABLE"],
  shed: ["refused", "UNAVAILABLE", "UNAVAILABLE"],
  "cancelled-unsent": ["refused", "CANCELLED", "CANCELLED"],
  "body-spent": ["refused", "UNAVAILABLE", "UNAVAILABLE"],
  "request-not-mapped": ["refused", "INTERNAL", "INTERNAL"],
  "timeout-sent": ["unknown", "TIMEOUT", "OUTCOME_UNKNOWN"],
  "connection-lost": ["unknown", "UNAVAILABLE", "OUTCOME_UNKNOWN"],
  "server-error": ["unknown", "UNAVAILABLE", "OUTCOME_UNKNOWN"],
  "answer-too-large": ["unknown", "INTERNAL", "OUTCOME_UNKNOWN"],
  "answer-unreadable": ["unknown", "INTERNAL", "OUTCOME_UNKNOWN"],
  "answer-misfit": ["unknown", "INTERNAL", "OUTCOME_UNKNOWN"],
  "answer-not-mapped": ["unknown", "INTERNAL", "OUTCOME_UNKNOWN"],
  "output-misfit": ["unknown", "INTERNAL", "OUTCOME_UNKNOWN"],
  "cancelled-sent": ["unknown", "CANCELLED", "OUTCOME_UNKNOWN"],
  "own-conflict": ["unknown", "UNAVAILABLE", "OUTCOME_UNKNOWN"],
  thrown: ["unknown", "INTERNAL", "OUTCOME_UNKNOWN"],
}
const rows = Object.entries(TABLE) as [Exclude<Reason, "answered">, (typeof TABLE)[Exclude<Reason, "answered">]][]

test("every reason is in the table", () => expect([...Object.keys(TABLE), "answered"].sort()).toEqual(Object.keys(REASONS).sort()))

describe.each(rows)("%s", (reason, [outcome, read, write]) => {
  test("outcome and codes", () => {
    expect([failure(reason, "write").outcome, failure(reason, "read").code, failure(reason, "write").code]).toEqual([outcome, read, write])
  })
  test("to the caller of a read nothing has happened", () => expect(failure(reason, "read").outcome).not.toBe("unknown"))
  test("a write falls back only when refused, nothing after its caller gave up", () => {
    const isFinal = reason.startsWith("cancelled") || outcome === "answered"
    expect(mayFallBack(failure(reason, "write"), "write")).toBe(outcome === "refused" && !isFinal)
    expect(mayFallBack(failure(reason, "read"), "read")).toBe(!isFinal)
  })
})

test("what is not the service's fault neither feeds its breaker nor is tried again", () => {
  const own: Reason[] = [
    "circuit-open",
    "bulkhead-full",
    "cancelled-sent",
    "cancelled-unsent",
    "request-not-mapped",
    "answer-not-mapped",
    "answered",
    "credential-rejected",
  ]
  for (const reason of own) expect(REASONS[reason]).toMatchObject({ feedsBreaker: false, isTransient: false })
})

test("an answer keeps its code and declared status, and is never replaced", () => {
  const error = answered("EMAIL_TAKEN", { EMAIL_TAKEN: 409 }, "taken")
  expect(error).toMatchObject({ code: "EMAIL_TAKEN", status: 409, outcome: "answered", detail: "taken" })
  expect(answered("NOT_FOUND", {}).status).toBe(404)
  for (const effect of ["read", "write"] as const) expect(mayFallBack(error, effect)).toBe(false)
})

test("an error of no known kind: a read may fall back, a write may not; the rules' own refusals never", () => {
  expect([mayFallBack(new Error("x"), "read"), mayFallBack(new Error("x"), "write")]).toEqual([true, false])
  expect(mayFallBack(new TrestleError("FORBIDDEN"), "read")).toBe(false)
})

import { expect, test } from "vitest"
import { CATALOG, COMMON, ENTRANCE, isCatalogCode, OPERATOR } from "../errors/catalog.ts"
import { problemOf, problemType } from "../errors/problem.ts"
import { TrestleError } from "../errors/trestle-error.ts"

test("each code stands in one table, reads as a code, and is an error status with words", () => {
  const codes = [COMMON, ENTRANCE, OPERATOR].flatMap((table) => Object.keys(table))
  expect(new Set(codes).size).toBe(codes.length)
  expect(codes.sort()).toEqual(Object.keys(CATALOG).sort())
  for (const [code, entry] of Object.entries(CATALOG)) {
    expect(code).toMatch(/^[A-Z]+(_[A-Z]+)*$/)
    // What is still under way is no failure.
    if (code !== "PENDING") expect(entry.status).toBeGreaterThanOrEqual(400)
    expect(entry.status).toBeLessThan(600)
    expect(entry.title && entry.detail).toBeTruthy()
  }
})
test("a code's problem has a type of its own; a declared code has none", () => {
  const types = Object.keys(CATALOG).map(problemType)
  expect(new Set(types).size).toBe(types.length)
  expect(problemType("EMAIL_TAKEN")).toBe("about:blank")
  expect(isCatalogCode("toString")).toBe(false)
})
test("a problem tells callers nothing of cause, note or reason", () => {
  const error = new TrestleError("INTERNAL", undefined, {
    cause: new Error("hunter2"),
    note: "hunter2",
    reason: "thrown",
    retryAfterMs: 1.2,
  })
  expect(JSON.stringify(problemOf(error))).not.toMatch(/hunter2|thrown/)
  expect(problemOf(error)).toMatchObject({ status: 500, outcome: "unknown", retryAfterMs: 2 })
})

import { describe, expect, test } from "vitest"
import { pathOf } from "./source-excerpt.ts"
import { callerPlace } from "./source-place.ts"

function declare() {
  return callerPlace(declare)
}

describe("callerPlace", () => {
  test("file and line of who called", () => {
    const place = declare()!
    expect(pathOf(place)).toBe(import.meta.filename)
    expect(place.line).toBe(11)
  })
  test("the limit of stack traces stays as it was", () => {
    const before = Error.stackTraceLimit
    declare()
    expect(Error.stackTraceLimit).toBe(before)
  })
  test("an engine without captureStackTrace → null", () => {
    const { captureStackTrace } = Error
    try {
      ;(Error as { captureStackTrace?: unknown }).captureStackTrace = undefined
      expect(declare()).toBeNull()
    } finally {
      Error.captureStackTrace = captureStackTrace
    }
  })
  test.each([
    ["at Object.<anonymous> (file:///app/ops.ts:12:3)", "file:///app/ops.ts", 12],
    ["at file:///app/ops.ts:7:14", "file:///app/ops.ts", 7],
    ["at new Thing (C:\\app\\ops.ts:5:1)", "C:\\app\\ops.ts", 5],
    ["at https://app.test/assets/ops.js:1:200", "https://app.test/assets/ops.js", 1],
    ["at async /app/with space/ops.js:9:2", "/app/with space/ops.js", 9],
  ])("%s → read", (line, file, number) => {
    const { captureStackTrace } = Error
    try {
      Error.captureStackTrace = (holder) => Object.assign(holder, { stack: `Error\n    ${line}` })
      expect(declare()).toEqual({ file, line: number })
    } finally {
      Error.captureStackTrace = captureStackTrace
    }
  })
  test("a stack that names no file → null", () => {
    const { captureStackTrace } = Error
    try {
      Error.captureStackTrace = (holder) => Object.assign(holder, { stack: "Error\n    at <anonymous>" })
      expect(declare()).toBeNull()
    } finally {
      Error.captureStackTrace = captureStackTrace
    }
  })
})

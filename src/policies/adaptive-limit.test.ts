import { describe, expect, test } from "vitest"
import { AdaptiveLimit } from "./adaptive-limit.ts"

/** Answers of a service that does so many at once in `baseMs` each; the rest of them wait there in a queue. */
function serve(limit: AdaptiveLimit, capacity: number, baseMs: number, answers: number): void {
  for (let i = 0; i < answers; i++) limit.sample(baseMs * Math.max(1, limit.places / capacity), limit.places)
}

describe("adaptive limit", () => {
  test("begins at 20, within its bounds", () => {
    expect([new AdaptiveLimit(4, 128), new AdaptiveLimit(30, 60), new AdaptiveLimit(2, 8)].map(({ places }) => places)).toEqual([20, 30, 8])
  })
  test("answers as quick as ever → grows to its maximum", () => {
    const limit = new AdaptiveLimit(4, 64)
    serve(limit, 1_000, 10, 20_000)
    expect(limit.places).toBe(64)
  })
  test("a queue at the service → stays near what the service does at once", () => {
    const limit = new AdaptiveLimit(4, 1_000)
    serve(limit, 40, 10, 20_000)
    expect(limit.places).toBeGreaterThan(35)
    expect(limit.places).toBeLessThan(120)
  })
  test("the service becomes ten times slower → shrinks at once, no lower than its minimum", () => {
    const limit = new AdaptiveLimit(4, 100)
    serve(limit, 1_000, 10, 10_000)
    const before = limit.places
    for (let i = 0; i < 1_500; i++) limit.sample(100, limit.places)
    expect(limit.places).toBeLessThan(before / 2)
    expect(limit.places).toBeGreaterThanOrEqual(4)
  })
  test("few of the places used → says nothing, so nothing changes", () => {
    const limit = new AdaptiveLimit(4, 100)
    for (let i = 0; i < 5_000; i++) limit.sample(10, 3)
    expect(limit.places).toBe(20)
  })
  test("the service refuses for the load → a tenth less, once in a measurement", () => {
    const limit = new AdaptiveLimit(4, 100)
    for (let i = 0; i < 5; i++) limit.backOff()
    expect(limit.places).toBe(18)
    for (let i = 0; i < 20; i++) limit.sample(10, 18)
    limit.backOff()
    expect(limit.places).toBe(16)
  })
  test("an answer in no time at all → no division by zero", () => {
    const limit = new AdaptiveLimit(4, 100)
    for (let i = 0; i < 1_000; i++) limit.sample(0, limit.places)
    expect(Number.isInteger(limit.places)).toBe(true)
  })
})

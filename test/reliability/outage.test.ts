// R4, its short form: `npm run reliability -- r4` makes 10,000 calls of each.
import { describe, expect, test } from "vitest"
import { totalOutage } from "./runs/outage.ts"

describe("a total outage: retries must not make it worse", () => {
  for (const outage of ["resets", "503"] as const) {
    test(`one layer, the service ${outage} → at most 1.1 attempts a call, by the retry budget alone`, async () => {
      const { attemptsPerCall, answered } = await totalOutage({ calls: 1_000, layers: 1, outage, breaker: false })
      expect(answered).toBe(0)
      expect(attemptsPerCall).toBeLessThanOrEqual(1.1)
      expect(attemptsPerCall).toBeGreaterThan(1)
    })
    test(`three layers, the service ${outage} → at most 1.2 attempts a call, by the retry budgets alone`, async () => {
      const { attemptsPerCall, answered } = await totalOutage({ calls: 1_000, layers: 3, outage, breaker: false })
      expect(answered).toBe(0)
      expect(attemptsPerCall).toBeLessThanOrEqual(1.2)
      expect(attemptsPerCall).toBeGreaterThan(1)
    })
  }
  test("three layers with breakers → hardly an attempt", async () => {
    expect((await totalOutage({ calls: 1_000, layers: 3, outage: "503" })).attemptsPerCall).toBeLessThan(0.1)
  })
})

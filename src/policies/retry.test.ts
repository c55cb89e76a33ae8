import { fullJitterGenerator, noJitterGenerator } from "cockatiel"
import fc from "fast-check"
import { describe, expect, test, vi } from "vitest"
import { type Random, seededRandom } from "../base/random.ts"
import { DEFAULT_ATTEMPTS } from "../contract/policy.ts"
import { BACKOFF_MS_MAX, BUDGET_RATIO, BUDGET_RESERVE, backoffMs, RetryBudget } from "./retry.ts"

const fixed = (value: number): Random => ({ next: () => value, hex: () => "" })

describe("retry budget", () => {
  const spendAll = (budget: RetryBudget): number => {
    let spent = 0
    while (budget.trySpend()) spent++
    return spent
  }
  test("at the beginning → its reserve", () => expect(spendAll(new RetryBudget())).toBe(BUDGET_RESERVE))
  test("spent → a retry for every ten answers, one more for rounding at most", () => {
    const budget = new RetryBudget()
    spendAll(budget)
    let calls = 0
    while (!budget.trySpend()) {
      budget.earn()
      calls++
    }
    expect(calls).toBeGreaterThanOrEqual(1 / BUDGET_RATIO)
    expect(calls).toBeLessThanOrEqual(1 / BUDGET_RATIO + 1)
  })
  test("many good calls → no more saved up than the reserve", () => {
    const budget = new RetryBudget()
    for (let i = 0; i < 10_000; i++) budget.earn()
    expect(spendAll(budget)).toBe(BUDGET_RESERVE)
  })
  test("any script: retries never exceed reserve + a tenth of the answers", () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 500 }), (script) => {
        const budget = new RetryBudget()
        let [calls, retries] = [0, 0]
        for (const isCall of script) {
          if (isCall) {
            budget.earn()
            calls++
          } else if (budget.trySpend()) retries++
          expect(retries).toBeLessThanOrEqual(BUDGET_RESERVE + calls * BUDGET_RATIO + 1e-9)
        }
      }),
      { numRuns: 500 },
    )
  })
  test("defaults: reserve 10, a tenth, two retries, 100 ms", () => {
    expect([BUDGET_RESERVE, BUDGET_RATIO]).toEqual([10, 0.1])
    expect(DEFAULT_ATTEMPTS).toEqual({
      read: { timeoutMs: 2_000, retries: 2, backoffMs: 100, hedgeMs: null },
      write: { timeoutMs: 5_000, retries: 2, backoffMs: 100, hedgeMs: null },
    })
  })
})

describe("backoff", () => {
  test("doubles with each attempt", () => {
    const most = [1, 2, 3, 4, 5].map((attempt) => backoffMs(attempt, 100, fixed(1)))
    expect(most).toEqual([100, 200, 400, 800, 1_600])
  })
  test("can be nothing at all", () => expect(backoffMs(5, 100, fixed(0))).toBe(0))
  test("never longer than its cap, whatever the attempt", () => {
    for (const attempt of [8, 30, 1_000, 5_000]) expect(backoffMs(attempt, 100, fixed(1))).toBe(BACKOFF_MS_MAX)
    expect(backoffMs(1, 60_000, fixed(1))).toBe(10_000)
  })
  test("full jitter: evenly spread over the whole step", () => {
    const random = seededRandom(42)
    const buckets = Array<number>(10).fill(0)
    for (let i = 0; i < 20_000; i++) buckets[Math.floor(backoffMs(3, 100, random) / 40)]!++
    // 2,000 are expected in each; five standard deviations are 212.
    for (const count of buckets) expect(Math.abs(count - 2_000)).toBeLessThan(212)
  })
  test("same seed → same pauses", () => {
    const pauses = (seed: number): number[] => {
      const random = seededRandom(seed)
      return [1, 2, 3].map((attempt) => backoffMs(attempt, 100, random))
    }
    expect(pauses(5)).toEqual(pauses(5))
    expect(pauses(5)).not.toEqual(pauses(6))
  })
  /** `initialDelay` is our base, `maxDelay` our cap, its attempts count from 0. Known difference: cockatiel rounds down to whole ms. */
  test("like cockatiel's full jitter: the same bounds, and the same pause for the same chance", () => {
    const draw = fc.record({
      attempt: fc.integer({ min: 1, max: 40 }),
      baseMs: fc.integer({ min: 1, max: 20_000 }),
      chance: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    })
    fc.assert(
      fc.property(draw, ({ attempt, baseMs, chance }) => {
        const options = { generator: fullJitterGenerator, maxDelay: BACKOFF_MS_MAX, exponent: 2, initialDelay: baseMs }
        const [most] = noJitterGenerator(attempt - 1, options as never)
        const spy = vi.spyOn(Math, "random").mockReturnValue(chance)
        const [theirs] = fullJitterGenerator(attempt - 1, options as never)
        spy.mockRestore()
        const ours = backoffMs(attempt, baseMs, fixed(chance))
        expect(ours).toBeLessThanOrEqual(most)
        expect(Math.floor(ours)).toBe(theirs)
      }),
      { numRuns: 500 },
    )
  })
})

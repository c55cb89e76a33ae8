import { describe, expect, test } from "vitest"
import { attemptSettings, BODY_BYTES_MAX, DEADLINE_MS, type Policy, policyMistakes, serviceSettings } from "./policy.ts"

describe("defaults", () => {
  test("are finite, and as documented", () => {
    expect(attemptSettings("read")).toEqual({ timeoutMs: 2_000, retries: 2, backoffMs: 100, hedgeMs: null })
    expect(attemptSettings("write")).toEqual({ timeoutMs: 5_000, retries: 2, backoffMs: 100, hedgeMs: null })
    expect(serviceSettings()).toEqual({
      breaker: { failures: 5, of: 10, slowMs: Infinity, restMs: 10_000, probes: 1 },
      concurrency: 128,
      concurrencyMin: 128,
      queueMax: 512,
    })
    expect([DEADLINE_MS, BODY_BYTES_MAX]).toEqual([10_000, 256 * 1024])
  })
})

describe("the closest wins", () => {
  test("field by field", () => {
    const settings = attemptSettings("read", { timeout: "1s" }, undefined, { timeout: "9s", retry: { times: 7, backoff: "50ms" } })
    expect(settings).toEqual({ timeoutMs: 1_000, retries: 7, backoffMs: 50, hedgeMs: null })
  })
  test("0 and false are said, undefined is not", () => {
    expect(attemptSettings("read", { retry: 0 }, { retry: 5 }).retries).toBe(0)
    expect(serviceSettings({ breaker: false }, { breaker: { failures: 1, of: 2, rest: "1s" } }).breaker).toBeNull()
    expect(serviceSettings({ queue: 0 }, { queue: 9 }).queueMax).toBe(0)
    expect(serviceSettings({}, { concurrency: 3 }).concurrency).toBe(3)
  })
  test("a breaker is taken as a whole", () => {
    const settings = serviceSettings(
      { breaker: { failures: 1, of: 2, rest: "1s" } },
      { breaker: { failures: 3, of: 4, slow: "2s", rest: "9s" } },
    )
    expect(settings.breaker).toEqual({ failures: 1, of: 2, slowMs: Infinity, restMs: 1_000, probes: 1 })
  })
})

describe("mistakes", () => {
  const breaker = { failures: 1, of: 2, rest: "1s" } as const
  test.each<[string, Policy, RegExp | null]>([
    ["none", { timeout: "1s", retry: { times: 0, backoff: 0 }, breaker, concurrency: 1, queue: 0 }, null],
    ["no breaker", { breaker: false }, null],
    ["timeout", { timeout: "soon" as never }, /^timeout /],
    ["negative timeout", { timeout: -1 }, /^timeout /],
    ["retry", { retry: -1 }, /^retry /],
    ["retry.times", { retry: { times: 1.5 } }, /^retry /],
    ["retry.backoff", { retry: { times: 1, backoff: "x" as never } }, /^retry\.backoff /],
    ["concurrency", { concurrency: 0 }, /^concurrency /],
    ["adaptive concurrency", { concurrency: "adaptive" }, null],
    ["concurrency.adaptive.min", { concurrency: { adaptive: { min: 0, max: 4 } } }, /^concurrency\.adaptive\.min /],
    ["bounds that meet", { concurrency: { adaptive: { min: 4, max: 4 } } }, /not below max/],
    ["bounds left out", { concurrency: {} as never }, /^concurrency is /],
    ["hedge", { hedge: "x" as never }, /^hedge is not a duration/],
    ["hedge that comes too late", { hedge: "1s", timeout: "1s" }, /^hedge is not shorter/],
    ["breaker.probes", { breaker: { ...breaker, probes: 0 } }, /^breaker\.probes /],
    ["queue", { queue: NaN }, /^queue /],
    ["breaker.failures", { breaker: { ...breaker, failures: 0 } }, /^breaker\.failures /],
    ["breaker.of", { breaker: { ...breaker, of: 1.5 } }, /^breaker\.of /],
    ["breaker.slow", { breaker: { ...breaker, slow: "x" as never } }, /^breaker\.slow /],
    ["breaker.rest", { breaker: { ...breaker, rest: "x" as never } }, /^breaker\.rest /],
    ["breaker that never opens", { breaker: { ...breaker, failures: 3 } }, /never open/],
  ])("%s", (_, policy, said) => {
    const mistakes = policyMistakes(policy)
    expect(mistakes).toHaveLength(said ? 1 : 0)
    if (said) expect(mistakes[0]).toMatch(said)
  })
})

describe("hedge", () => {
  test("for reads only, whatever a service says", () => {
    expect(attemptSettings("read", { hedge: "200ms" }).hedgeMs).toBe(200)
    expect(attemptSettings("write", { hedge: "200ms" }).hedgeMs).toBeNull()
  })
  test("false, closer → none", () => expect(attemptSettings("read", { hedge: false }, { hedge: "200ms" }).hedgeMs).toBeNull())
})

describe("concurrency", () => {
  const bounds = (concurrency: Policy["concurrency"]): number[] => {
    const settings = serviceSettings(concurrency === undefined ? {} : { concurrency })
    return [settings.concurrencyMin, settings.concurrency]
  }
  test("a number is fixed; adaptive has bounds", () => {
    expect(bounds(7)).toEqual([7, 7])
    expect(bounds("adaptive")).toEqual([4, 128])
    expect(bounds({ adaptive: { min: 2, max: 9 } })).toEqual([2, 9])
  })
})

// Our policies beside cockatiel 4 and beside the rules of Polly v8, over seeded random scripts under a scripted clock. `circuit-breaker.test.ts`,
// `bulkhead.test.ts` and `retry.test.ts` compare the parts one step at a time; here attempts overlap, and a whole guard repeats.
//
// Real differences, each with its test below:
//
// | | Polly v8 | cockatiel 4 | ours |
// |---|---|---|---|
// | a result that comes after the circuit has changed | counts in the state that is now: a success of before closes a half-open circuit | a failure of before opens it again | void |
// | a caller while the probes are under way | refused | waits for their end | refused |
// | a probe that is given up | counts as a success | counts as a success | says nothing; another may probe |
// | probes | one | `halfOpenSampling`, with a share that may fail | `probes`, all of which must go well |
// | window | share of failures in a time, from a minimum of attempts on | by count or by time | by count: `failures` of the last `of`, at once |
// | isolated, then closed by hand | one manual control, `CloseAsync` also closes an open circuit | a handle for each who isolates | `release` closes only what `isolate` has opened |
import {
  BrokenCircuitError,
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  ExponentialBackoff,
  fullJitterGenerator,
  handleAll,
  retry,
} from "cockatiel"
import fc from "fast-check"
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import { type Clock, systemClock } from "../base/clock.ts"
import { seededRandom } from "../base/random.ts"
import type { CallContext } from "../contract/call.ts"
import { failure } from "../contract/failure.ts"
import type { BreakerState } from "../contract/policy.ts"
import { FakeClock } from "../testing/fake-clock.ts"
import { CircuitBreaker, NO_ENTRY } from "./circuit-breaker.ts"
import { createGate } from "./gate.ts"
import { guard } from "./guard.ts"
import { BACKOFF_MS_MAX } from "./retry.ts"

const REST_MS = 1_000
let now = 0
const scripted: Clock = { ...systemClock, now: () => now }
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

const breakerOf = (failures: number, of: number, probes = 1): CircuitBreaker =>
  new CircuitBreaker({ failures, of, slowMs: Number.POSITIVE_INFINITY, restMs: REST_MS, probes }, scripted)

type Step =
  | { readonly does: "begin" }
  | { readonly does: "end"; readonly which: number; readonly isGood: boolean }
  | { readonly does: "wait"; readonly ms: number }
const begins: fc.Arbitrary<Step> = fc.constant({ does: "begin" })
const ends: fc.Arbitrary<Step> = fc.record({ does: fc.constant("end" as const), which: fc.nat(9), isGood: fc.boolean() })
const waits: fc.Arbitrary<Step> = fc.record({ does: fc.constant("wait" as const), ms: fc.integer({ min: 1, max: 1_500 }) })
const scripts = fc.array(fc.oneof({ weight: 5, arbitrary: begins }, { weight: 6, arbitrary: ends }, { weight: 2, arbitrary: waits }), {
  minLength: 40,
  maxLength: 120,
})

/**
 * The rules of Polly's `CircuitStateController` (src/Polly.Core/CircuitBreaker/Controller, 8.x; www.pollydocs.org/strategies/circuit-breaker),
 * over our window in the place of its own. A result of an earlier state is told apart, for there we differ.
 */
class PollyRules {
  state: BreakerState = "closed"
  #blockedUntil = 0
  #results: boolean[] = []
  readonly #failures: number
  readonly #of: number

  constructor(failures: number, of: number) {
    this.#failures = failures
    this.#of = of
  }

  enter(): boolean {
    const isPermitted = this.state === "open" && now >= this.#blockedUntil
    if (isPermitted) this.state = "half-open"
    return this.state === "closed" || isPermitted
  }

  end(isGood: boolean): void {
    if (this.state === "half-open") return isGood ? this.#close() : this.#open()
    if (this.state !== "closed") return
    this.#results = [...this.#results, isGood].slice(-this.#of)
    if (this.#results.filter((good) => !good).length >= this.#failures) this.#open()
  }

  #open(): void {
    this.state = "open"
    this.#blockedUntil = now + REST_MS
  }

  #close(): void {
    this.state = "closed"
    this.#results = []
  }
}

describe("the rules of Polly v8", () => {
  const sizes = fc.integer({ min: 1, max: 5 }).chain((of) => fc.tuple(fc.integer({ min: 1, max: of }), fc.constant(of)))

  test("overlapping attempts: the same are let through, and the state is the same after every step", () => {
    let probed = 0
    fc.assert(
      fc.property(scripts, sizes, (steps, [failures, of]) => {
        const ours = breakerOf(failures, of)
        const theirs = new PollyRules(failures, of)
        const inside: number[] = []
        for (const step of steps) {
          if (step.does === "wait") now += step.ms
          else if (step.does === "begin") {
            const ticket = ours.enter()
            expect(ticket !== NO_ENTRY).toBe(theirs.enter())
            if (ticket !== NO_ENTRY) inside.push(ticket)
            if (ours.state === "half-open") probed++
          } else if (inside.length > 0) {
            const [ticket] = inside.splice(step.which % inside.length, 1) as [number]
            const isLate = !ours.isCurrent(ticket)
            if (step.isGood) ours.succeeded(ticket, 1)
            else ours.failed(ticket)
            // Where ours is void, theirs counts: the difference that has its own test.
            if (!isLate) theirs.end(step.isGood)
          }
          expect(ours.state).toBe(theirs.state)
        }
      }),
      { numRuns: 2_000, seed: 8 },
    )
    expect(probed).toBeGreaterThan(500)
  })

  /** Rule, what happens, what must follow. */
  const RULES: readonly (readonly [rule: string, run: (one: CircuitBreaker) => unknown, expected: unknown])[] = [
    ["closed: lets everything through", (one) => [one.enter(), one.enter(), one.enter()].includes(NO_ENTRY), false],
    [
      "closed: opens when failures reach the threshold",
      (one) => {
        for (let i = 0; i < 3; i++) one.failed(one.enter())
        return one.state
      },
      "open",
    ],
    [
      "open: refuses, and says for how long (BrokenCircuitException.RetryAfter)",
      (one) => {
        for (let i = 0; i < 3; i++) one.failed(one.enter())
        now += 400
        return [one.enter(), one.retryAfterMs]
      },
      [NO_ENTRY, 600],
    ],
    [
      "open: does not change by the passing of time alone, but with the next execution",
      (one) => {
        for (let i = 0; i < 3; i++) one.failed(one.enter())
        now += REST_MS
        const before = one.state
        one.enter()
        return [before, one.state]
      },
      ["open", "half-open"],
    ],
    [
      "open: a result of an execution that began before neither closes it nor makes the break longer",
      (one) => {
        const early = one.enter()
        for (let i = 0; i < 3; i++) one.failed(one.enter())
        now += 900
        one.failed(early)
        return [one.state, one.retryAfterMs]
      },
      ["open", 100],
    ],
    [
      "half-open: one probe, all others are refused",
      (one) => {
        for (let i = 0; i < 3; i++) one.failed(one.enter())
        now += REST_MS
        return [one.enter() === NO_ENTRY, one.enter() === NO_ENTRY]
      },
      [false, true],
    ],
    [
      "half-open: a good probe closes it and clears the metrics",
      (one) => {
        for (let i = 0; i < 3; i++) one.failed(one.enter())
        now += REST_MS
        one.succeeded(one.enter(), 1)
        for (let i = 0; i < 2; i++) one.failed(one.enter())
        return one.state
      },
      "closed",
    ],
    [
      "half-open: a failed probe opens it for another whole break",
      (one) => {
        for (let i = 0; i < 3; i++) one.failed(one.enter())
        now += REST_MS
        one.failed(one.enter())
        return [one.state, one.retryAfterMs]
      },
      ["open", REST_MS],
    ],
    [
      "isolated: refuses until it is closed by hand, however long",
      (one) => {
        one.isolate()
        now += 1_000_000
        const refused = one.enter()
        one.release()
        return [refused, one.state]
      },
      [NO_ENTRY, "closed"],
    ],
    [
      "isolated: a result that comes meanwhile changes nothing",
      (one) => {
        const early = one.enter()
        one.isolate()
        one.succeeded(early, 1)
        return one.state
      },
      "isolated",
    ],
  ]
  test.each(RULES)("%s", (_rule, run, expected) => expect(run(breakerOf(3, 5))).toEqual(expected))

  test("difference: a success from before the break, while half-open → theirs closes, ours is void", () => {
    const [ours, theirs] = [breakerOf(1, 1), new PollyRules(1, 1)]
    const early = ours.enter()
    ours.failed(ours.enter())
    theirs.end(false)
    now += REST_MS
    ours.enter()
    theirs.enter()
    ours.succeeded(early, 1)
    theirs.end(true)
    expect([ours.state, theirs.state]).toEqual(["half-open", "closed"])
  })
})

describe("cockatiel 4", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"] }))
  afterEach(() => void vi.useRealTimers())

  const STATES: Readonly<Record<number, BreakerState>> = {
    [CircuitState.Closed]: "closed",
    [CircuitState.Open]: "open",
    [CircuitState.HalfOpen]: "half-open",
    [CircuitState.Isolated]: "isolated",
  }
  const theirsOf = (failures: number, probes: number) =>
    circuitBreaker(handleAll, {
      halfOpenAfter: REST_MS,
      breaker: new ConsecutiveBreaker(failures),
      halfOpenSampling: { calls: probes, threshold: 0 },
    })
  const wait = (ms: number): void => {
    now += ms
    vi.setSystemTime(Date.now() + ms)
  }

  test("circuit breaker: overlapping attempts and probes", async () => {
    let probed = 0
    const size = fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 3 }))
    await fc.assert(
      fc.asyncProperty(scripts, size, async (steps, [failures, probes]) => {
        const ours = breakerOf(failures, failures, probes)
        const theirs = theirsOf(failures, probes)
        const inside: { ticket: number; end: (isGood: boolean) => void }[] = []
        for (const step of steps) {
          if (step.does === "wait") wait(step.ms)
          else if (step.does === "begin") {
            const ticket = ours.enter()
            // Theirs would wait for the end of the probes: the difference that has its own test.
            if (ticket === NO_ENTRY && ours.state === "half-open") continue
            let entered = false
            const { promise, resolve, reject } = Promise.withResolvers<void>()
            const end = (isGood: boolean): void => (isGood ? resolve() : reject(new Error("failed")))
            theirs
              .execute(() => {
                entered = true
                inside.push({ ticket, end })
                return promise
              })
              .catch(() => undefined)
            await turn()
            expect(ticket !== NO_ENTRY).toBe(entered)
            if (ours.state === "half-open") probed++
          } else if (inside.length > 0) {
            const [one] = inside.splice(step.which % inside.length, 1) as [(typeof inside)[number]]
            // A result of an earlier state is void with us; theirs is kept from hearing of it.
            if (!ours.isCurrent(one.ticket)) continue
            if (step.isGood) ours.succeeded(one.ticket, 1)
            else ours.failed(one.ticket)
            one.end(step.isGood)
            await turn()
          }
          expect(ours.state).toBe(STATES[theirs.state])
        }
      }),
      { numRuns: 300, seed: 4 },
    )
    expect(probed).toBeGreaterThan(100)
  })

  test("difference: a caller while the probe is under way → theirs waits, ours is refused at once", async () => {
    const [ours, theirs] = [breakerOf(1, 1), theirsOf(1, 1)]
    ours.failed(ours.enter())
    await theirs.execute(() => Promise.reject(new Error("failed"))).catch(() => undefined)
    wait(REST_MS)
    const underWay = Promise.withResolvers<void>()
    const probe = theirs.execute(() => underWay.promise)
    ours.enter()
    let second = "waits"
    const tell = (what: string): void => {
      second = what
    }
    const other = theirs
      .execute(() => undefined)
      .then(
        () => tell("let through"),
        (error) => tell(error instanceof BrokenCircuitError ? "refused" : "failed"),
      )
    await turn()
    expect([ours.enter(), second]).toEqual([NO_ENTRY, "waits"])
    underWay.resolve()
    await Promise.all([probe, other])
    expect(second).toBe("let through")
  })

  test("difference: a failure from before the break, while half-open → theirs opens again, ours is void", async () => {
    const [ours, theirs] = [breakerOf(1, 1), theirsOf(1, 1)]
    const early = ours.enter()
    const underWay = Promise.withResolvers<void>()
    const late = theirs.execute(() => underWay.promise).catch(() => undefined)
    ours.failed(ours.enter())
    await theirs.execute(() => Promise.reject(new Error("failed"))).catch(() => undefined)
    wait(REST_MS)
    ours.enter()
    void theirs.execute(() => new Promise(() => {}))
    ours.failed(early)
    underWay.reject(new Error("late"))
    await late
    expect([ours.state, STATES[theirs.state]]).toEqual(["half-open", "open"])
  })
})

describe("cockatiel 4, a whole guard", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["Date", "setTimeout", "clearTimeout"] }))
  afterEach(() => void vi.useRealTimers())

  /** Ours: the same exchange behind a guard, with the pauses that it took. */
  async function oursOf(outcomes: readonly boolean[], retries: number, baseMs: number, seed: number) {
    const clock = new FakeClock()
    const pauses: number[] = []
    const paused = (ms: number): Promise<void> => {
      pauses.push(Math.floor(ms))
      return clock.pause(ms)
    }
    const watched: Clock = { ...clock, pause: (ms) => paused(ms) }
    const service = { breaker: null, concurrency: 8, concurrencyMin: 8, queueMax: 0 }
    let attempts = 0
    const answer = guard(
      createGate("crm", service, watched),
      {
        prepare: (input) => input,
        send: () => (outcomes[attempts++] ? Promise.resolve("answer") : Promise.reject(failure("not-connected", "read"))),
      },
      { settings: { timeoutMs: 1_000, retries, backoffMs: baseMs, hedgeMs: null }, mayRepeatUnknown: true },
    )
    const call = { clock: watched, random: seededRandom(seed), effect: "read", deadlineAt: 1e9, stopped: null }
    const context = { ...call, attach() {}, detach() {}, noteAttempt() {}, noteSent() {} } as unknown as CallContext
    const end = await Promise.resolve(answer("in", context)).then(
      () => "answered",
      () => "failed",
    )
    return { attempts, pauses, end }
  }

  async function theirsOf(outcomes: readonly boolean[], retries: number, baseMs: number, seed: number) {
    const random = seededRandom(seed)
    const spy = vi.spyOn(Math, "random").mockImplementation(() => random.next())
    const backoff = new ExponentialBackoff({ generator: fullJitterGenerator, maxDelay: BACKOFF_MS_MAX, exponent: 2, initialDelay: baseMs })
    const policy = retry(handleAll, { maxAttempts: retries, backoff })
    const pauses: number[] = []
    policy.onRetry(({ delay }) => pauses.push(delay))
    let attempts = 0
    const running = policy
      .execute(() => (outcomes[attempts++] ? Promise.resolve("answer") : Promise.reject(new Error("failed"))))
      .then(
        () => "answered",
        () => "failed",
      )
    await vi.runAllTimersAsync()
    const end = await running
    spy.mockRestore()
    return { attempts, pauses, end }
  }

  test("retry and backoff: as many attempts, after the same pauses, with the same end", async () => {
    const script = fc.record({
      outcomes: fc.array(fc.boolean(), { minLength: 10, maxLength: 10 }),
      retries: fc.integer({ min: 1, max: 6 }),
      baseMs: fc.integer({ min: 1, max: 5_000 }),
      seed: fc.integer({ min: 1, max: 1_000_000 }),
    })
    await fc.assert(
      fc.asyncProperty(script, async ({ outcomes, retries, baseMs, seed }) => {
        expect(await oursOf(outcomes, retries, baseMs, seed)).toEqual(await theirsOf(outcomes, retries, baseMs, seed))
      }),
      { numRuns: 150, seed: 4 },
    )
  })
})

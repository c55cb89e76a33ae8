import { describe, expect, test } from "vitest"
import { seededRandom } from "../base/random.ts"
import type { CallContext, Stoppable } from "../contract/call.ts"
import { answered, failure } from "../contract/failure.ts"
import type { ServiceSettings } from "../contract/policy.ts"
import type { Attempt, Exchange } from "../contract/service.ts"
import type { Reason } from "../errors/reasons.ts"
import { TrestleError } from "../errors/trestle-error.ts"
import { FakeClock } from "../testing/fake-clock.ts"
import { createGate } from "./gate.ts"
import { GUARD_ORDER, guard } from "./guard.ts"
import { BUDGET_RESERVE } from "./retry.ts"

/** The internal face of a call, as far as a guard needs it. */
class FakeCall {
  readonly operation = "things.get"
  readonly principal = null
  readonly trace = "0".repeat(32)
  readonly random = seededRandom(1)
  readonly attached = new Set<Stoppable>()
  readonly clock: FakeClock
  readonly effect: "read" | "write"
  readonly deadlineAt: number
  stopped: TrestleError | null = null
  attempts = 0
  sent = 0

  constructor(clock: FakeClock, effect: "read" | "write", deadlineMs: number) {
    this.clock = clock
    this.effect = effect
    this.deadlineAt = clock.now() + deadlineMs
  }
  get context(): CallContext {
    return this as unknown as CallContext
  }
  attach(target: Stoppable): void {
    this.attached.add(target)
  }
  detach(target: Stoppable): void {
    this.attached.delete(target)
  }
  noteSent(): void {
    this.sent++
  }
  noteAttempt(): void {
    this.attempts++
  }
  stop(code: "CANCELLED" | "TIMEOUT"): void {
    this.stopped = new TrestleError(code)
    for (const target of [...this.attached]) target.stop(this.stopped)
  }
}

type Step = Reason | "ok" | "hang" | "hang sent" | ((attempt: Attempt) => Promise<unknown>)

const SERVICE: ServiceSettings = {
  breaker: { failures: 2, of: 4, slowMs: 500, restMs: 1_000, probes: 1 },
  concurrency: 1,
  concurrencyMin: 1,
  queueMax: 1,
}

function guarded(
  steps: readonly Step[],
  options: { effect?: "read" | "write"; mayRepeat?: boolean; retries?: number; service?: ServiceSettings; hedgeMs?: number } = {},
) {
  const { effect = "read", mayRepeat = true, retries = 2, service = SERVICE, hedgeMs = null } = options
  const clock = new FakeClock()
  const gate = createGate("crm", service, clock)
  const seen: Attempt[] = []
  const stopped: number[] = []
  const requests: unknown[] = []
  const exchange: Exchange = {
    prepare: (input) => ({ input }),
    send(request, attempt) {
      requests.push(request)
      seen.push(attempt)
      const step = steps[Math.min(seen.length, steps.length) - 1]!
      attempt.stoppable = { stop: () => void stopped.push(attempt.number) }
      if (typeof step === "function") return step(attempt)
      if (step === "ok") return Promise.resolve("answer")
      if (step === "hang" || step === "hang sent") {
        if (step === "hang sent") attempt.isSent = true
        return new Promise(() => {})
      }
      return Promise.reject(step === "answered" ? answered("NOT_FOUND", {}) : failure(step, attempt.call.effect, { note: step }))
    },
  }
  const answer = guard(gate, exchange, { settings: { timeoutMs: 300, retries, backoffMs: 40, hedgeMs }, mayRepeatUnknown: mayRepeat })
  const callOf = (deadlineMs = 10_000): FakeCall => new FakeCall(clock, effect, deadlineMs)
  const ask = (call = callOf()): Promise<unknown> => Promise.resolve(answer("in", call.context)).catch((error) => error)
  return { clock, gate, seen, stopped, requests, answer, callOf, ask }
}
const WITHOUT_BREAKER: ServiceSettings = { ...SERVICE, breaker: null }

test("the order is fixed", () => {
  expect(GUARD_ORDER).toEqual(["retry within budget", "hedge", "circuit breaker", "bulkhead", "attempt timeout", "exchange"])
})

describe("the request", () => {
  test("is prepared once, the same for every attempt", async () => {
    const { ask, requests } = guarded(["server-error", "connection-lost", "ok"], { service: WITHOUT_BREAKER })
    expect(await ask()).toBe("answer")
    expect(requests.length).toBe(3)
    expect(new Set(requests).size).toBe(1)
  })
  test("cannot be made → request-not-mapped, no attempt, no budget spent, breaker not asked", async () => {
    const { clock, gate } = guarded([])
    const exchange: Exchange = {
      prepare() {
        throw new TypeError("no id")
      },
      send: () => Promise.reject(new Error("not reached")),
    }
    const call = new FakeCall(clock, "write", 1_000)
    const answer = guard(gate, exchange, { settings: { timeoutMs: 1, retries: 2, backoffMs: 1, hedgeMs: null }, mayRepeatUnknown: true })
    await expect(answer("in", call.context)).rejects.toMatchObject({ reason: "request-not-mapped", code: "INTERNAL", outcome: "refused" })
    expect([call.attempts, call.sent, gate.breaker.state]).toEqual([0, 0, "closed"])
  })
  test("is refused by its preparation with an error of its own → that error", async () => {
    const { gate, callOf } = guarded([])
    const own = new TrestleError("INVALID")
    const exchange: Exchange = {
      prepare() {
        throw own
      },
      send: () => Promise.reject(own),
    }
    const answer = guard(gate, exchange, { settings: { timeoutMs: 1, retries: 0, backoffMs: 1, hedgeMs: null }, mayRepeatUnknown: true })
    await expect(answer("in", callOf().context)).rejects.toBe(own)
  })
})

describe("attempts", () => {
  test.each<[Step[], "read" | "write", boolean, number]>([
    [["not-connected", "not-connected", "ok"], "write", false, 3],
    [["rate-limited", "too-early", "ok"], "write", false, 3],
    [["server-error", "ok"], "write", false, 1],
    [["server-error", "connection-lost", "ok"], "write", true, 3],
    [["answered", "ok"], "read", true, 1],
    [["output-misfit", "ok"], "read", true, 1],
    [["answer-not-mapped", "ok"], "read", true, 1],
    [["answer-too-large", "ok"], "read", true, 1],
    [["not-connected", "not-connected", "not-connected", "ok"], "read", true, 3],
  ])("%j of a %s, repeatable after unknown: %s → %i made", async (steps, effect, mayRepeat, made) => {
    const { ask, seen, callOf } = guarded(steps, { effect, mayRepeat, service: WITHOUT_BREAKER })
    const call = callOf()
    await ask(call)
    expect([seen.length, call.attempts]).toEqual([made, made])
    expect(seen.map(({ number }) => number)).toEqual(Array.from({ length: made }, (_, i) => i + 1))
  })
  test("followsUnknown: set from the first unknown outcome on", async () => {
    const { ask, seen } = guarded(["not-connected", "server-error", "not-connected", "ok"], { retries: 3, service: WITHOUT_BREAKER })
    await ask()
    expect(seen.map(({ followsUnknown }) => followsUnknown)).toEqual([false, false, true, true])
  })
  test("a write: unknown, then refused to the end → unknown, with both in the note", async () => {
    const { ask } = guarded(["connection-lost", "not-connected"], { effect: "write", service: WITHOUT_BREAKER })
    expect(await ask()).toMatchObject({
      code: "OUTCOME_UNKNOWN",
      outcome: "unknown",
      reason: "connection-lost",
      note: "connection-lost; then not-connected",
      cause: { reason: "not-connected" },
    })
  })
  test("a write: unknown, then an open circuit → unknown", async () => {
    const { ask } = guarded(["server-error"], { effect: "write", service: { ...SERVICE, breaker: { ...SERVICE.breaker!, failures: 1 } } })
    expect(await ask()).toMatchObject({ outcome: "unknown", reason: "server-error", cause: { reason: "circuit-open" } })
  })
  test("a read: unknown, then refused → the last failure, since nothing can have changed", async () => {
    const { ask } = guarded(["connection-lost", "not-connected"], { service: WITHOUT_BREAKER })
    expect(await ask()).toMatchObject({ reason: "not-connected" })
  })
  test("a connector throws instead of rejecting → thrown, nothing stays armed", async () => {
    const { ask, callOf } = guarded([
      () => {
        throw new Error("boom")
      },
    ])
    const call = callOf()
    expect(await ask(call)).toMatchObject({ reason: "thrown", code: "INTERNAL", cause: { message: "boom" } })
    expect(call.attached.size).toBe(0)
  })
  test("budget spent → no further attempt", async () => {
    const { ask, seen } = guarded(["not-connected"], { service: WITHOUT_BREAKER })
    for (let i = 0; i < 40; i++) await ask()
    // Nobody was answered, so nothing was earned beside the reserve.
    expect(seen.length - 40).toBe(10)
  })
  test("Retry-After is waited for, and not beyond the deadline", async () => {
    const limited = (): Promise<never> => Promise.reject(failure("rate-limited", "read", { retryAfterMs: 700 }))
    const { ask, clock, callOf, seen } = guarded([limited, "ok", limited], { service: WITHOUT_BREAKER })
    expect(await ask()).toBe("answer")
    expect(clock.now()).toBe(700)
    const short = callOf(700)
    expect(await ask(short)).toMatchObject({ reason: "rate-limited", retryAfterMs: 700 })
    expect([clock.now(), seen.length]).toEqual([700, 3])
  })
})

describe("timeout", () => {
  test.each([
    ["hang", "timeout-unsent", "refused", 0],
    ["hang sent", "timeout-sent", "unknown", 1],
  ] as const)("%s → %s, the exchange is stopped", async (step, reason, outcome, sent) => {
    const { ask, clock, callOf, stopped } = guarded([step], { retries: 0, effect: "write", mayRepeat: false })
    const call = callOf()
    const end = ask(call)
    await clock.advance(299)
    expect(stopped).toEqual([])
    await clock.advance(1)
    expect(await end).toMatchObject({ reason, outcome, note: "crm: no answer within 300 ms" })
    expect([stopped, call.attached.size, call.sent]).toEqual([[1], 0, sent])
  })
  test("the deadline comes first → the attempt has only what is left", async () => {
    const { ask, clock, callOf } = guarded(["hang"], { retries: 0 })
    const end = ask(callOf(100))
    await clock.advance(100)
    expect(await end).toMatchObject({ note: "crm: no answer within 100 ms" })
  })
  test("the deadline is over → no attempt is made or counted, the breaker hears nothing", async () => {
    const { ask, callOf, gate, seen } = guarded(["ok"])
    for (let i = 0; i < 5; i++) {
      const call = callOf(0)
      expect(await ask(call)).toMatchObject({ reason: "timeout-unsent" })
      expect(call.attempts).toBe(0)
    }
    expect([seen.length, gate.breaker.state, gate.bulkhead.active]).toEqual([0, "closed", 0])
  })
})

describe("circuit breaker", () => {
  test.each<[Reason, string]>([
    ["not-connected", "open"],
    ["server-error", "open"],
    ["connection-lost", "open"],
    ["refused-by-service", "open"],
    ["answered", "closed"],
    ["rate-limited", "closed"],
    ["output-misfit", "closed"],
    ["answer-not-mapped", "closed"],
    ["cancelled-sent", "closed"],
    ["request-not-mapped", "closed"],
    ["thrown", "closed"],
  ])("%s, ten times → %s", async (reason, state) => {
    const { ask, gate } = guarded([reason], { retries: 0 })
    for (let i = 0; i < 10; i++) await ask()
    expect(gate.breaker.state).toBe(state)
  })
  test("open → refused with the time of the next probe, nothing sent", async () => {
    const { ask, seen, callOf } = guarded(["server-error"], { retries: 0 })
    await ask()
    await ask()
    const call = callOf()
    expect(await ask(call)).toMatchObject({ reason: "circuit-open", outcome: "refused", retryAfterMs: 1_000 })
    expect([seen.length, call.attempts]).toEqual([2, 0])
  })
  test("who gives up → says nothing of the service, and the probe's place is free", async () => {
    const { ask, clock, callOf, gate, seen } = guarded(["server-error", "server-error", "hang sent", "ok"], { retries: 0 })
    await ask()
    await ask()
    await clock.advance(1_000)
    const call = callOf()
    const end = ask(call)
    await clock.advance(1)
    call.stop("CANCELLED")
    expect(await end).toMatchObject({ reason: "cancelled-sent" })
    expect(gate.breaker.state).toBe("half-open")
    expect(await ask()).toBe("answer")
    expect([gate.breaker.state, seen.length]).toEqual(["closed", 4])
  })
  test("times the attempt, not the wait for a place", async () => {
    const { ask, clock, gate } = guarded(["hang sent", "ok", "hang sent", "ok"], {
      retries: 0,
      service: { ...SERVICE, breaker: { ...SERVICE.breaker!, failures: 2, slowMs: 200 } },
    })
    const both = [ask(), ask()]
    await clock.advance(300)
    await Promise.all(both)
    // One failure, by timeout; the second waited 300 ms and took none.
    expect(gate.breaker.state).toBe("closed")
  })
  test("opens while a call waits for a place → that call is refused, and its place handed back", async () => {
    const { ask, clock, gate, seen } = guarded(["hang sent", "ok"], {
      retries: 0,
      service: { ...SERVICE, breaker: { ...SERVICE.breaker!, failures: 1 } },
    })
    const both = [ask(), ask()]
    await clock.advance(300)
    expect(await Promise.all(both)).toMatchObject([{ reason: "timeout-sent" }, { reason: "circuit-open" }])
    expect([seen.length, gate.bulkhead.active, gate.bulkhead.waiting]).toEqual([1, 0, 0])
  })
})

describe("bulkhead", () => {
  test("a second waits, a third is refused; the first to leave lets the second in", async () => {
    const { ask, clock, seen, gate } = guarded(["hang sent", "ok"], { retries: 0, service: { ...WITHOUT_BREAKER } })
    const calls = [ask(), ask(), ask()]
    expect(await calls[2]).toMatchObject({ reason: "bulkhead-full", outcome: "refused" })
    expect([seen.length, gate.bulkhead.waiting]).toEqual([1, 1])
    await clock.advance(300)
    expect(await calls[1]).toBe("answer")
    expect([gate.bulkhead.active, gate.bulkhead.waiting]).toEqual([0, 0])
  })
  test.each([
    ["CANCELLED", "cancelled-unsent"],
    ["TIMEOUT", "timeout-unsent"],
  ] as const)("%s while waiting → %s, out of the queue, nothing sent", async (code, reason) => {
    const { ask, callOf, gate, seen, clock } = guarded(["hang sent", "ok"], { retries: 0 })
    const first = ask()
    const call = callOf()
    const second = ask(call)
    call.stop(code)
    expect(await second).toMatchObject({ reason, outcome: "refused" })
    expect([seen.length, gate.bulkhead.waiting, call.attempts]).toEqual([1, 0, 0])
    await clock.advance(300)
    await first
    expect([gate.bulkhead.active, gate.breaker.state]).toEqual([0, "closed"])
  })
  test("stopped in the very moment of being admitted → nothing is sent, the place goes back", async () => {
    const { ask, callOf, gate, seen } = guarded(["hang sent", "ok"], { retries: 0 })
    const first = callOf()
    const ending = ask(first)
    const second = callOf()
    const waiting = ask(second)
    // Being admitted, a call leaves the list of what its end would stop.
    second.detach = () => {
      second.stopped = new TrestleError("CANCELLED")
    }
    first.stop("CANCELLED")
    await Promise.all([ending, waiting])
    expect([seen.length, second.attempts, gate.bulkhead.active]).toEqual([1, 0, 0])
  })
})

describe("a long body", () => {
  test("moves → the time of the attempt begins anew", async () => {
    const { ask, clock, seen, stopped } = guarded(["hang sent"], { retries: 0, service: WITHOUT_BREAKER })
    const end = ask()
    await clock.advance(250)
    seen[0]!.moved()
    await clock.advance(299)
    expect(stopped).toEqual([])
    await clock.advance(1)
    expect(await end).toMatchObject({ reason: "timeout-sent" })
  })
  test("waits for our side → no time runs", async () => {
    const { ask, clock, seen, stopped } = guarded(["hang sent"], { retries: 0, service: WITHOUT_BREAKER })
    const end = ask()
    await clock.advance(1)
    seen[0]!.isWaitingForUs = true
    await clock.advance(5_000)
    expect(stopped).toEqual([])
    seen[0]!.isWaitingForUs = false
    await clock.advance(600)
    expect(await end).toMatchObject({ reason: "timeout-sent" })
  })
  test("takes long and moves → the service is not slow", async () => {
    let arrive!: () => void
    const arriving = (): Promise<unknown> => new Promise((resolve) => (arrive = () => resolve("answer")))
    const { ask, clock, seen, gate } = guarded([arriving])
    for (let call = 0; call < 2; call++) {
      const end = ask()
      for (let i = 0; i < 4; i++) {
        await clock.advance(200)
        seen[call]!.moved()
      }
      arrive()
      expect(await end).toBe("answer")
    }
    expect(gate.breaker.state).toBe("closed")
  })
  test("its answer goes on → it keeps its place until it is over", async () => {
    let release!: ReturnType<Attempt["hold"]>
    const holding = async (attempt: Attempt): Promise<string> => {
      release = attempt.hold()
      return "head"
    }
    const { ask, gate } = guarded([holding, "ok"])
    expect(await ask()).toBe("head")
    expect(gate.bulkhead.active).toBe(1)
    const waiting = ask()
    expect(gate.bulkhead.waiting).toBe(1)
    release(null)
    expect(await waiting).toBe("answer")
    expect(gate.bulkhead.active).toBe(0)
  })
  test("its answer breaks off → a failure of the service, once for each", async () => {
    const breaking = async (attempt: Attempt): Promise<string> => {
      const release = attempt.hold()
      queueMicrotask(() => queueMicrotask(() => release(failure("connection-lost", "read"))))
      return "head"
    }
    const { ask, gate } = guarded([breaking])
    await ask()
    await ask()
    await new Promise((resolve) => setImmediate(resolve))
    expect([gate.bulkhead.active, gate.breaker.state]).toEqual([0, "open"])
  })
  test("can be sent once only → no second attempt", async () => {
    const { gate, callOf } = guarded([])
    let sent = 0
    const exchange: Exchange = {
      prepare: (input) => input,
      canRepeat: () => false,
      send: () => Promise.reject(failure(sent++ < 1 ? "rate-limited" : "server-error", "read")),
    }
    const answer = guard(gate, exchange, { settings: { timeoutMs: 300, retries: 2, backoffMs: 1, hedgeMs: null }, mayRepeatUnknown: true })
    await expect(answer("in", callOf().context)).rejects.toMatchObject({ reason: "rate-limited" })
    expect(sent).toBe(1)
  })
})

describe("hedge", () => {
  const WIDE: ServiceSettings = { ...SERVICE, concurrency: 4, concurrencyMin: 4 }
  const hedged = (steps: readonly Step[], more: Parameters<typeof guarded>[1] = {}) =>
    guarded(steps, { retries: 0, service: WIDE, hedgeMs: 100, ...more })
  /** Answers after that time. */
  const answers =
    (ms: number, clock: () => FakeClock): Step =>
    (attempt) =>
      new Promise((resolve) => clock().after(ms, { ring: () => resolve(`answer ${attempt.number}`) }))

  test("an answer in time → one attempt, nothing stays armed", async () => {
    const { ask, clock, seen, callOf } = hedged(["ok"])
    const call = callOf()
    expect(await ask(call)).toBe("answer")
    await clock.advance("1m")
    expect([seen.length, call.attempts, call.attached.size]).toEqual([1, 1, 0])
  })
  test("none in time → a second beside it; its answer wins, the first is stopped and its place free", async () => {
    const { ask, clock, seen, stopped, callOf, gate } = hedged(["hang sent", "ok"])
    const call = callOf()
    const end = ask(call)
    await clock.advance(99)
    expect(seen.length).toBe(1)
    await clock.advance(1)
    expect(await end).toBe("answer")
    expect([seen.map(({ number }) => number), stopped, call.attempts]).toEqual([[1, 2], [1], 2])
    expect([gate.bulkhead.active, call.attached.size]).toEqual([0, 0])
  })
  test("the first answers after all → it wins, the second is stopped", async () => {
    const given: ReturnType<typeof guarded> = hedged([answers(150, () => given.clock), "hang sent"])
    const end = given.ask()
    await given.clock.advance(150)
    expect(await end).toBe("answer 1")
    expect([given.stopped, given.gate.bulkhead.active]).toEqual([[2], 0])
  })
  test("the loser does not feed the breaker, however often", async () => {
    const steps = Array.from({ length: 20 }, (_, i): Step => (i % 2 === 0 ? "hang sent" : "ok"))
    const { ask, clock, gate } = hedged(steps)
    for (let i = 0; i < 10; i++) {
      const end = ask()
      await clock.advance(100)
      expect(await end).toBe("answer")
    }
    expect(gate.breaker.state).toBe("closed")
  })
  test("the first fails while the second is under way → the second's answer", async () => {
    const given: ReturnType<typeof guarded> = hedged([
      (attempt) => new Promise((_, reject) => given.clock.after(120, { ring: () => reject(failure("server-error", attempt.call.effect)) })),
      answers(50, () => given.clock),
    ])
    const end = given.ask()
    await given.clock.advance(150)
    expect(await end).toBe("answer 2")
  })
  test("the first fails before the time of the hedge → repeated as ever, not hedged", async () => {
    const { ask, clock, seen } = hedged(["server-error", "hang sent"], { retries: 1 })
    const end = ask()
    await clock.advance("1s")
    expect(await end).toMatchObject({ reason: "timeout-sent" })
    expect(seen.length).toBe(2)
  })
  test("both fail → repeated within `retry`; the hedge takes no repeat away", async () => {
    const { ask, clock, seen } = hedged(["hang sent", "hang sent", "ok"], { retries: 1, service: { ...WIDE, breaker: null } })
    const end = ask()
    await clock.advance("1s")
    expect(await end).toBe("answer")
    expect(seen.length).toBe(3)
  })
  test("no place free → none: a full service is not asked more", async () => {
    const { ask, clock, seen } = hedged(["hang sent"], { service: { ...WIDE, concurrency: 1, concurrencyMin: 1 } })
    const end = ask()
    await clock.advance(300)
    await end
    expect(seen.length).toBe(1)
  })
  test("circuit not closed → none: a probe is one attempt", async () => {
    const { ask, clock, seen, gate } = hedged(["server-error", "server-error", "hang sent"])
    await ask()
    await ask()
    await clock.advance(1_000)
    const probe = ask()
    await clock.advance(200)
    expect([gate.breaker.state, seen.length]).toEqual(["half-open", 3])
    await clock.advance(100)
    await probe
  })
  test("nothing is answered → the reserve of the budget, and no more", async () => {
    const { ask, clock, seen, gate } = hedged(["hang sent"], { service: { ...WIDE, breaker: null } })
    for (let i = 0; i < 40; i++) {
      const end = ask()
      await clock.advance("1s")
      await end
    }
    expect([seen.length - 40, gate.bulkhead.active]).toEqual([BUDGET_RESERVE, 0])
  })
  test("the call ends → both are stopped, one error", async () => {
    const { ask, clock, callOf, stopped, gate } = hedged(["hang sent"])
    const call = callOf()
    const end = ask(call)
    await clock.advance(150)
    call.stop("CANCELLED")
    expect(await end).toMatchObject({ reason: "cancelled-sent" })
    expect([stopped, gate.bulkhead.active, gate.breaker.state]).toEqual([[1, 2], 0, "closed"])
  })
  test("a request that cannot be sent again → none", async () => {
    const { clock, gate, callOf } = hedged([])
    let sent = 0
    const exchange: Exchange = {
      prepare: (input) => input,
      canRepeat: () => false,
      send: () => {
        sent++
        return new Promise(() => {})
      },
    }
    const call = callOf()
    const settings = { timeoutMs: 300, retries: 0, backoffMs: 1, hedgeMs: 100 }
    const end = Promise.resolve(guard(gate, exchange, { settings, mayRepeatUnknown: true })("in", call.context)).catch(() => {})
    await clock.advance(300)
    await end
    expect(sent).toBe(1)
  })
})

describe("a rescue", () => {
  const rescued = (steps: readonly Step[]) => {
    const leaf = guarded(steps, { service: WITHOUT_BREAKER })
    const heard: unknown[] = []
    const answer = leaf.answer.rescuedBy!(async (failure, input) => {
      heard.push(failure)
      return `rescued ${input}`
    })
    return { ...leaf, heard, answer }
  }
  test("the leaf answers → that answer, and nothing is rescued", async () => {
    const { answer, callOf, heard } = rescued(["ok"])
    expect([await answer("in", callOf().context), heard]).toEqual(["answer", []])
  })
  test("the last attempt fails → rescued, once, after all attempts", async () => {
    const { answer, callOf, heard, seen } = rescued(["not-connected", "not-connected", "answered"])
    expect(await answer("in", callOf().context)).toBe("rescued in")
    expect([seen.length, heard]).toMatchObject([3, [{ code: "NOT_FOUND" }]])
  })
  test("the attempt's time ends → rescued, although the service never answers", async () => {
    const { answer, callOf, clock, heard } = rescued(["hang sent"])
    const given = answer("in", callOf(301).context)
    await clock.advance("300ms")
    expect(await given).toBe("rescued in")
    expect(heard).toMatchObject([{ reason: "timeout-sent" }])
  })
  test("the circuit is open → rescued without an attempt", async () => {
    const { answer, callOf, gate, seen } = rescued(["ok"])
    gate.breaker.isolate()
    expect([await answer("in", callOf().context), seen.length]).toEqual(["rescued in", 0])
  })
  test("the request cannot be made → rescued without an attempt", async () => {
    const { gate, callOf } = guarded([])
    const exchange: Exchange = {
      prepare() {
        throw new TypeError("no id")
      },
      send: () => Promise.reject(new Error("not reached")),
    }
    const settings = { timeoutMs: 1, retries: 0, backoffMs: 1, hedgeMs: null }
    const answer = guard(gate, exchange, { settings, mayRepeatUnknown: true }).rescuedBy!(
      async (failure) => (failure as TrestleError).reason,
    )
    expect(await answer("in", callOf().context)).toBe("request-not-mapped")
  })
  test("that refuses → rejected with what it says", async () => {
    const { answer, callOf } = guarded(["answered"])
    const refusing = answer.rescuedBy!((failure) => Promise.reject(failure))
    await expect(refusing("in", callOf().context)).rejects.toMatchObject({ code: "NOT_FOUND" })
  })
  test("the leaf it was asked of → fails as before", async () => {
    const { answer, callOf } = guarded(["answered"])
    answer.rescuedBy!(async () => "rescued")
    await expect(answer("in", callOf().context)).rejects.toMatchObject({ code: "NOT_FOUND" })
  })
})

describe("adaptive concurrency", () => {
  test("answers come as quickly as ever → more places; ten times later → fewer", async () => {
    const service: ServiceSettings = { breaker: null, concurrency: 40, concurrencyMin: 2, queueMax: 1_000 }
    const { clock, gate, callOf } = guarded([], { service })
    let tookMs = 10
    const exchange: Exchange = {
      prepare: (input) => input,
      send: () => new Promise((resolve) => clock.after(tookMs, { ring: () => resolve("answer") })),
    }
    const settings = { timeoutMs: 1_000, retries: 0, backoffMs: 1, hedgeMs: null }
    const answer = guard(gate, exchange, { settings, mayRepeatUnknown: true })
    const ask = async (calls: number): Promise<void> => {
      const all = Array.from({ length: calls }, () => answer("in", callOf(600_000).context))
      await clock.advance("30s")
      await Promise.all(all)
    }
    await ask(800)
    const before = gate.bulkhead.concurrency
    expect(before).toBeGreaterThan(20)
    tookMs = 100
    await ask(800)
    expect(gate.bulkhead.concurrency).toBeLessThan(before / 2)
    expect([gate.bulkhead.active, gate.bulkhead.waiting]).toEqual([0, 0])
  })
  test("fixed → stays as it is", async () => {
    const { ask, gate } = guarded(["ok"])
    for (let i = 0; i < 100; i++) await ask()
    expect([gate.limit, gate.bulkhead.concurrency]).toEqual([null, 1])
  })
})

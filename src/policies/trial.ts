import type { Alarm, Rings } from "../base/clock.ts"
import type { Rescue } from "../contract/backend.ts"
import type { CallContext, Stoppable } from "../contract/call.ts"
import { failure } from "../contract/failure.ts"
import type { AttemptSettings } from "../contract/policy.ts"
import type { Attempt, Exchange } from "../contract/service.ts"
import { type Reason, verdictOf } from "../errors/reasons.ts"
import { TrestleError } from "../errors/trestle-error.ts"
import { NO_ENTRY } from "./circuit-breaker.ts"
import { type Gate, isTimeout } from "./gate.ts"
import { placeIn } from "./place.ts"

/**
 * The part of an attempt's timeout that its caller's haste must leave, if the end of that time is to say anything of the service: otherwise
 * whoever calls in great haste could open the circuit breaker for everybody.
 */
const SHARE_THAT_TELLS = 0.5

/** A leaf, bound: what all its calls share. */
export interface Leaf {
  readonly gate: Gate
  readonly exchange: Exchange
  readonly settings: AttemptSettings
  /** The service promises that repeating has no further effect, or knows us by a key. */
  readonly mayRepeatUnknown: boolean
  /** What becomes of a call of it that has failed for good. */
  readonly rescue: Rescue
}

/** The call that an attempt is made for; hears exactly once how it went, unless it has abandoned it. */
export interface Attempting {
  readonly leaf: Leaf
  readonly call: CallContext
  readonly request: unknown
  /** It is on its way: from here on time counts. */
  began(): void
  succeeded(trial: Trial, answer: unknown): void
  failed(trial: Trial, thrown: unknown): void
}

/**
 * One attempt inside circuit breaker, bulkhead and timeout: the connector sees it as an `Attempt`, the clock and the call can end it. A
 * class with a few fields and no `async`: on the good way it costs two functions and one promise beside its own.
 */
export class Trial implements Attempt, Rings, Stoppable {
  readonly number: number
  readonly followsUnknown: boolean
  readonly #of: Attempting
  /** Of the circuit breaker. */
  #ticket = 0
  /** When it began, or when the last piece of a long body moved: how long a body is makes no service slow. */
  #restedAt = 0
  timeoutMs = 0
  isWaitingForUs = false
  #isHeld = false
  #isSent = false
  /** How it ended: the connector was heard, or was not waited for any more. */
  #end: "heard" | "stopped" | null = null
  #stoppable: Attempt["stoppable"] = null
  #alarm: Alarm = null

  constructor(of: Attempting, number: number, followsUnknown: boolean) {
    this.#of = of
    this.number = number
    this.followsUnknown = followsUnknown
  }

  /** Goes through circuit breaker and bulkhead, waiting for a place where there is none. */
  begin(): void {
    const { gate } = this.#of.leaf
    this.#ticket = gate.breaker.enter()
    if (this.#ticket === NO_ENTRY) this.#of.failed(this, this.#circuitOpen())
    else if (gate.bulkhead.tryEnter()) this.#send()
    else this.#queue()
  }

  /** Begins at once beside another attempt, or not at all: never as a probe, never in a queue, never beyond the budget. */
  tryBegin(): boolean {
    const { breaker, bulkhead, budget } = this.#of.leaf.gate
    if (breaker.state !== "closed" || !bulkhead.tryEnter()) return false
    if (!budget.trySpend()) {
      bulkhead.leave()
      return false
    }
    this.#ticket = breaker.enter()
    this.#send()
    return true
  }

  #queue(): void {
    const { leaf, call } = this.#of
    placeIn(leaf.gate, call).then(
      () => this.#placed(),
      (refused) => {
        leaf.gate.breaker.left(this.#ticket)
        this.#of.failed(this, refused)
      },
    )
  }

  /** The circuit may have changed meanwhile; those who queued before it opened must not all be sent to a service in trouble. */
  #placed(): void {
    const { breaker, bulkhead } = this.#of.leaf.gate
    if (!breaker.isCurrent(this.#ticket)) this.#ticket = breaker.enter()
    if (this.#ticket !== NO_ENTRY) return this.#send()
    bulkhead.leave()
    this.#of.failed(this, this.#circuitOpen())
  }

  #send(): void {
    const { leaf, call } = this.#of
    const { gate, settings } = leaf
    const startedAt = call.clock.now()
    if (call.stopped || startedAt >= call.deadlineAt) {
      // Our time is over, which says nothing of the service: no attempt is made, and none is counted.
      gate.breaker.left(this.#ticket)
      gate.bulkhead.leave()
      return this.#of.failed(this, failure("timeout-unsent", call.effect, { note: `${gate.name}: no time was left` }))
    }
    call.noteAttempt()
    this.#restedAt = startedAt
    this.timeoutMs = Math.min(settings.timeoutMs, call.deadlineAt - startedAt)
    this.#alarm = call.clock.after(this.timeoutMs, this, startedAt)
    call.attach(this)
    this.#of.began()
    // Bound, not arrows: two of those and what they close over are half as big again.
    sending(leaf.exchange, this.#of.request, this).then(this.#answered.bind(this), this.#failed.bind(this))
  }

  #answered(answer: unknown): void {
    if (this.#end !== null) return
    this.#settle(null)
    this.#of.succeeded(this, answer)
  }

  #failed(thrown: unknown): void {
    if (this.#end !== null) return
    this.#settle((TrestleError.is(thrown) && thrown.reason) || "thrown")
    this.#of.failed(this, thrown)
  }

  /** Gives back what it holds, and tells what it says of the service; the breaker hears of the attempt's time, never of the wait before it. */
  #settle(reason: Reason | null): void {
    const { leaf, call } = this.#of
    const { gate } = leaf
    this.#end ??= "heard"
    call.clock.cancel(this.#alarm)
    call.detach(this)
    gate.heard(this.#ticket, this.#told(reason), gate.isTimed ? call.clock.now() - this.#restedAt : 0)
    if (!this.#isHeld) gate.bulkhead.leave()
  }

  /** What its end tells of the service: nothing, where its caller would not wait for an answer. */
  #told(reason: Reason | null): Reason | null {
    if (reason === null || !isTimeout(reason)) return reason
    const { leaf, call } = this.#of
    const isOutOfHaste = call.isHurried && this.timeoutMs < leaf.settings.timeoutMs * SHARE_THAT_TELLS
    return isOutOfHaste ? "cancelled-sent" : reason
  }

  /** Another attempt of the call has the answer: this one is stopped, and says nothing of the service. */
  abandon(): void {
    this.#stop("cancelled-sent")
  }

  /** The whole call is over. */
  stop(why: TrestleError): void {
    const phase = this.#isSent ? "sent" : "unsent"
    const reason = why.code === "CANCELLED" ? (`cancelled-${phase}` as const) : (`timeout-${phase}` as const)
    this.#fail(reason, "the call ended before its answer")
  }

  /** The attempt's time is over, unless a long body has moved in it. */
  ring(): void {
    const { clock } = this.#of.call
    const leftMs = this.isWaitingForUs ? this.timeoutMs : this.#restedAt + this.timeoutMs - clock.now()
    if (leftMs > 0) this.#alarm = clock.after(leftMs, this)
    else this.#fail(this.#isSent ? "timeout-sent" : "timeout-unsent", `no answer within ${Math.round(this.timeoutMs)} ms`)
  }

  #fail(reason: Reason, note: string): void {
    const { leaf, call } = this.#of
    if (!this.#stop(reason)) return
    this.#of.failed(this, failure(reason, call.effect, { note: `${leaf.gate.name}: ${note}` }))
  }

  /** What is on its way at the service is stopped first: its place is free only then. */
  #stop(reason: Reason): boolean {
    if (this.#end !== null) return false
    this.#end = "stopped"
    this.#stoppable?.stop()
    this.#settle(reason)
    return true
  }

  #circuitOpen(): TrestleError {
    const { leaf, call } = this.#of
    const { name, breaker } = leaf.gate
    return failure("circuit-open", call.effect, {
      note: `${name}: circuit breaker is ${breaker.state}`,
      retryAfterMs: breaker.retryAfterMs,
    })
  }

  // -- what the connector asks ------------------------------------------------------------------

  get call(): CallContext {
    return this.#of.call
  }

  get isSent(): boolean {
    return this.#isSent
  }

  set isSent(isSent: boolean) {
    this.#isSent = isSent
    if (isSent) this.#of.call.noteSent()
  }

  get stoppable(): Attempt["stoppable"] {
    return this.#stoppable
  }

  /** A connector may still be on its way to the network when its time is over. */
  set stoppable(stoppable: Attempt["stoppable"]) {
    this.#stoppable = stoppable
    if (this.#end === "stopped") stoppable?.stop()
  }

  moved(): void {
    this.#restedAt = this.#of.call.clock.now()
  }

  hold(): (error: TrestleError | null) => void {
    const { bulkhead, breaker } = this.#of.leaf.gate
    if (this.#end === "stopped") return () => {}
    this.#isHeld = true
    return (error) => {
      bulkhead.leave()
      // The answer's head has counted as a success already; what was stopped has counted when it was.
      if (this.#end !== "stopped" && error?.reason !== undefined && verdictOf(error.reason).feedsBreaker) breaker.failed(this.#ticket)
    }
  }
}

/** A connector that throws instead of rejecting must not leave its attempt armed. */
function sending(exchange: Exchange, request: unknown, trial: Trial): Promise<unknown> {
  try {
    return exchange.send(request, trial)
  } catch (thrown) {
    return Promise.reject(thrown)
  }
}

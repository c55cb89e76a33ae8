import type { Alarm, Clock, Rings } from "../base/clock.ts"
import type { Answer } from "../contract/backend.ts"
import type { CallContext, Stoppable } from "../contract/call.ts"
import { failure } from "../contract/failure.ts"
import { mappingNote } from "../contract/mapping.ts"
import type { AttemptSettings, ServiceSettings } from "../contract/policy.ts"
import type { Attempt, Exchange } from "../contract/service.ts"
import { type Reason, verdictOf } from "../errors/reasons.ts"
import { TrestleError } from "../errors/trestle-error.ts"
import { Bulkhead } from "./bulkhead.ts"
import { type BreakerState, CircuitBreaker, NO_ENTRY } from "./circuit-breaker.ts"
import { backoffMs, RetryBudget } from "./retry.ts"

/** The order of the policies round one leaf, outermost first. Only their values can be configured. */
export const GUARD_ORDER = ["retry within budget", "circuit breaker", "bulkhead", "attempt timeout", "exchange"] as const

/** What all calls of one service share. */
export interface Gate {
  readonly name: string
  readonly breaker: CircuitBreaker | null
  readonly bulkhead: Bulkhead
  readonly budget: RetryBudget
}

export function createGate(name: string, settings: ServiceSettings, clock: Clock, changed?: (state: BreakerState) => void): Gate {
  return {
    name,
    breaker: settings.breaker && new CircuitBreaker(settings.breaker, clock, changed),
    bulkhead: new Bulkhead(settings.concurrency, settings.queueMax),
    budget: new RetryBudget(),
  }
}

export interface GuardOptions {
  readonly settings: AttemptSettings
  /** The service promises that repeating has no further effect, or knows us by a key. */
  readonly mayRepeatUnknown: boolean
}

/** Puts the policies round an exchange: one answer, one classified error, or the end of the deadline. */
export function guard(gate: Gate, exchange: Exchange, options: GuardOptions): Answer {
  return async (input: unknown, call: CallContext): Promise<unknown> => {
    const request = prepare(gate, exchange, input, call)
    gate.budget.earn()
    /** The last attempt that may have had its effect. */
    let unknown: TrestleError | null = null
    for (let number = 1; ; number++) {
      try {
        return await attempt(gate, exchange, request, new Trial(call, number, unknown !== null, gate), options.settings.timeoutMs)
      } catch (thrown) {
        const error = classified(thrown, call, gate.name)
        const pauseMs = exchange.canRepeat?.(request) === false ? null : pauseBefore(number + 1, error, gate, options, call)
        if (pauseMs === null) throw ofAllAttempts(error, unknown, call)
        if (error.reason !== undefined && verdictOf(error.reason).outcome === "unknown") unknown = error
        await call.clock.pause(pauseMs)
        if (call.stopped) throw ofAllAttempts(error, unknown, call)
      }
    }
  }
}

/** An attempt that was refused does not undo an earlier one that may have had its effect: the write as a whole stays unknown. */
function ofAllAttempts(last: TrestleError, unknown: TrestleError | null, call: CallContext): TrestleError {
  if (unknown === null || last.outcome !== "refused" || call.effect === "read") return last
  const note = `${unknown.note ?? unknown.reason}; then ${last.note ?? last.reason}`
  const { retryAfterMs } = last
  return failure(unknown.reason ?? "thrown", call.effect, { cause: last, note, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) })
}

function prepare(gate: Gate, exchange: Exchange, input: unknown, call: CallContext): unknown {
  try {
    return exchange.prepare(input, call)
  } catch (thrown) {
    if (TrestleError.is(thrown)) throw thrown
    const why = mappingNote(thrown, "the request could not be made from the input")
    throw failure("request-not-mapped", call.effect, { cause: thrown, note: `${gate.name}: ${why}` })
  }
}

/** One attempt inside circuit breaker, bulkhead and timeout. The breaker times only the attempt, never the wait for a place. */
async function attempt(gate: Gate, exchange: Exchange, request: unknown, trial: Trial, timeoutMs: number): Promise<unknown> {
  const { breaker, bulkhead, name } = gate
  const { call } = trial
  let ticket = ticketFor(gate, call)
  if (!bulkhead.tryEnter()) {
    try {
      await placeIn(bulkhead, call, name)
    } catch (refused) {
      breaker?.left(ticket)
      throw refused
    }
    // The circuit may have changed meanwhile; those who queued before it opened must not all be sent to a service in trouble.
    if (breaker !== null && !breaker.isCurrent(ticket)) {
      try {
        ticket = ticketFor(gate, call)
      } catch (refused) {
        bulkhead.leave()
        throw refused
      }
    }
  }
  const startedAt = call.clock.now()
  if (call.stopped || startedAt >= call.deadlineAt) {
    // Our time is over, which says nothing of the service: no attempt is made, and none is counted.
    bulkhead.leave()
    breaker?.left(ticket)
    throw failure("timeout-unsent", call.effect, { note: `${name}: no time was left` })
  }
  try {
    call.noteAttempt()
    trial.ticket = ticket
    const answer = await trial.run(exchange, request, Math.min(timeoutMs, call.deadlineAt - startedAt))
    breaker?.succeeded(ticket, call.clock.now() - trial.restedAt(startedAt))
    return answer
  } catch (thrown) {
    reportTo(breaker, ticket, thrown, call.clock.now() - startedAt)
    throw thrown
  } finally {
    if (!trial.isHeld) bulkhead.leave()
  }
}

function ticketFor({ breaker, name }: Gate, call: CallContext): number {
  if (breaker === null) return 0
  const ticket = breaker.enter()
  if (ticket !== NO_ENTRY) return ticket
  throw failure("circuit-open", call.effect, { note: `${name}: circuit breaker is ${breaker.state}`, retryAfterMs: breaker.retryAfterMs })
}

function reportTo(breaker: CircuitBreaker | null, ticket: number, thrown: unknown, tookMs: number): void {
  if (breaker === null) return
  const reason: Reason = (TrestleError.is(thrown) && thrown.reason) || "thrown"
  const verdict = verdictOf(reason)
  if (verdict.feedsBreaker) breaker.failed(ticket)
  else if (reason === "answered") breaker.succeeded(ticket, tookMs)
  else if (verdict.isReply) breaker.replied(ticket)
  else breaker.left(ticket)
}

/** Waits for a place, no longer than the call lasts. */
function placeIn(bulkhead: Bulkhead, call: CallContext, name: string): Promise<void> {
  if (call.stopped) return Promise.reject(failure("cancelled-unsent", call.effect))
  if (bulkhead.isFull) return Promise.reject(failure("bulkhead-full", call.effect, { note: `${name}: bulkhead and its queue are full` }))
  return new Promise((resolve, reject) => {
    const admit = (): void => {
      call.detach(waiting)
      resolve()
    }
    const waiting: Stoppable = {
      stop(why) {
        bulkhead.giveUp(admit)
        reject(
          failure(why.code === "CANCELLED" ? "cancelled-unsent" : "timeout-unsent", call.effect, {
            note: `${name}: still waiting for a place`,
          }),
        )
      },
    }
    bulkhead.enqueue(admit)
    call.attach(waiting)
  })
}

/** Milliseconds to wait before that attempt, or `null` when there must not be one. */
function pauseBefore(number: number, error: TrestleError, gate: Gate, options: GuardOptions, call: CallContext): number | null {
  const { settings, mayRepeatUnknown } = options
  if (number > settings.retries + 1 || call.stopped || error.reason === undefined) return null
  const verdict = verdictOf(error.reason)
  if (!verdict.isTransient || (verdict.outcome === "unknown" && !mayRepeatUnknown)) return null
  const pauseMs = Math.max(backoffMs(number - 1, settings.backoffMs, call.random), error.retryAfterMs ?? 0)
  if (call.clock.now() + pauseMs >= call.deadlineAt) return null
  return gate.budget.trySpend() ? pauseMs : null
}

function classified(thrown: unknown, call: CallContext, name: string): TrestleError {
  return TrestleError.is(thrown) ? thrown : failure("thrown", call.effect, { cause: thrown, note: `${name}: the connector threw` })
}

/** One attempt under way: the connector sees it as an `Attempt`, the clock and the call can end it. */
class Trial implements Attempt, Rings, Stoppable {
  readonly call: CallContext
  readonly number: number
  readonly followsUnknown: boolean
  readonly #gate: Gate
  /** Of the circuit breaker. */
  ticket = 0
  isWaitingForUs = false
  timeoutMs = 0
  isHeld = false
  #movedAt = Number.NaN
  #stoppable: Attempt["stoppable"] = null
  #isOver = false
  #isSent = false
  #alarm: Alarm
  #reject!: (error: TrestleError) => void

  constructor(call: CallContext, number: number, followsUnknown: boolean, gate: Gate) {
    this.call = call
    this.number = number
    this.followsUnknown = followsUnknown
    this.#gate = gate
  }

  get isSent(): boolean {
    return this.#isSent
  }

  get stoppable(): Attempt["stoppable"] {
    return this.#stoppable
  }

  /** A connector may still be on its way to the network when its time is over. */
  set stoppable(stoppable: Attempt["stoppable"]) {
    this.#stoppable = stoppable
    if (this.#isOver) stoppable?.stop()
  }

  set isSent(isSent: boolean) {
    this.#isSent = isSent
    if (isSent) this.call.noteSent()
  }

  run(exchange: Exchange, request: unknown, timeoutMs: number): Promise<unknown> {
    const { call } = this
    this.timeoutMs = timeoutMs
    return new Promise((resolve, reject) => {
      const done = (): void => {
        call.clock.cancel(this.#alarm)
        call.detach(this)
      }
      this.#reject = (error) => {
        done()
        reject(error)
      }
      this.#alarm = call.clock.after(timeoutMs, this)
      call.attach(this)
      sending(exchange, request, this).then((answer) => {
        done()
        resolve(answer)
      }, this.#reject)
    })
  }

  moved(): void {
    this.#movedAt = this.call.clock.now()
  }

  /** When the last piece of a long body moved, where there was one: how long a body is makes no service slow. */
  restedAt(startedAt: number): number {
    return this.#movedAt > startedAt ? this.#movedAt : startedAt
  }

  hold(): (error: TrestleError | null) => void {
    const { bulkhead, breaker } = this.#gate
    if (this.#isOver) return () => {}
    this.isHeld = true
    return (error) => {
      bulkhead.leave()
      // The answer's head has counted as a success already.
      if (error?.reason !== undefined && verdictOf(error.reason).feedsBreaker) breaker?.failed(this.ticket)
    }
  }

  /** The attempt's time is over, unless a long body has moved in it. */
  ring(): void {
    const leftMs = this.isWaitingForUs ? this.timeoutMs : this.#movedAt + this.timeoutMs - this.call.clock.now()
    if (leftMs > 0) this.#alarm = this.call.clock.after(leftMs, this)
    else this.#timeOut()
  }

  #timeOut(): void {
    const note = `${this.#gate.name}: no answer within ${Math.round(this.timeoutMs)} ms`
    this.#end(failure(this.#isSent ? "timeout-sent" : "timeout-unsent", this.call.effect, { note }))
  }

  /** The whole call is over. */
  stop(why: TrestleError): void {
    const phase = this.#isSent ? "sent" : "unsent"
    const reason = why.code === "CANCELLED" ? (`cancelled-${phase}` as const) : (`timeout-${phase}` as const)
    this.#end(failure(reason, this.call.effect, { note: `${this.#gate.name}: the call ended before its answer` }))
  }

  #end(error: TrestleError): void {
    this.#isOver = true
    this.#reject(error)
    this.#stoppable?.stop()
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

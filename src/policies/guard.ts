import type { Alarm, Rings } from "../base/clock.ts"
import type { Answer, Rescue } from "../contract/backend.ts"
import type { CallContext } from "../contract/call.ts"
import { failure } from "../contract/failure.ts"
import { mappingNote } from "../contract/mapping.ts"
import type { AttemptSettings } from "../contract/policy.ts"
import type { Exchange } from "../contract/service.ts"
import { verdictOf } from "../errors/reasons.ts"
import { TrestleError } from "../errors/trestle-error.ts"
import type { Gate } from "./gate.ts"
import { backoffMs } from "./retry.ts"
import { type Attempting, type Leaf, Trial } from "./trial.ts"

/** The order of the policies round one leaf, outermost first. Only their values can be configured. */
export const GUARD_ORDER = ["retry within budget", "hedge", "circuit breaker", "bulkhead", "attempt timeout", "exchange"] as const

export interface GuardOptions {
  readonly settings: AttemptSettings
  /** The service promises that repeating has no further effect, or knows us by a key. */
  readonly mayRepeatUnknown: boolean
}

/** Puts the policies round an exchange: one answer, one classified error, or the end of the deadline. */
export function guard(gate: Gate, exchange: Exchange, options: GuardOptions): Answer {
  const rescuedBy = (rescue: Rescue): Answer => {
    const leaf: Leaf = { gate, exchange, rescue, settings: options.settings, mayRepeatUnknown: options.mayRepeatUnknown }
    return (input: unknown, call: CallContext): Promise<unknown> => new GuardedCall(leaf, input, call).answered()
  }
  return Object.assign(
    rescuedBy((failure) => Promise.reject(failure)),
    { rescuedBy },
  )
}

function prepare({ gate, exchange }: Leaf, input: unknown, call: CallContext): unknown {
  try {
    return exchange.prepare(input, call)
  } catch (thrown) {
    if (TrestleError.is(thrown)) throw thrown
    const why = mappingNote(thrown, "the request could not be made from the input")
    throw failure("request-not-mapped", call.effect, { cause: thrown, note: `${gate.name}: ${why}` })
  }
}

/**
 * One call of a leaf: attempts one after the other, as long as they may be repeated, the first of them with another one beside it where it
 * is hedged. The way of an attempt is `Trial`; what follows from how it went is decided here.
 */
class GuardedCall implements Attempting, Rings {
  readonly leaf: Leaf
  readonly call: CallContext
  readonly #input: unknown
  request: unknown
  #attempts = 0
  /** Attempts that follow another, and so not the one of a hedge. */
  #repeats = 0
  #trial: Trial | null = null
  /** The second attempt of a hedge. */
  #beside: Trial | null = null
  #hedgeAlarm: Alarm = null
  /** The last attempt that may have had its effect. */
  #unknown: TrestleError | null = null
  /** `null` after its end: a second one would make a rejection that nobody hears. */
  #settle: ((answer: unknown) => void) | null = null

  constructor(leaf: Leaf, input: unknown, call: CallContext) {
    this.leaf = leaf
    this.#input = input
    this.call = call
  }

  /** Called once. What fails is handed to `rescue` with one function: a second one, to reject, would be made for every answer that is good. */
  answered(): Promise<unknown> {
    try {
      this.request = prepare(this.leaf, this.#input, this.call)
    } catch (error) {
      return this.leaf.rescue(error, this.#input, this.call)
    }
    const answer = new Promise((resolve) => {
      this.#settle = resolve
    })
    this.#try()
    return answer
  }

  #try(): void {
    this.#trial = new Trial(this, ++this.#attempts, this.#unknown !== null)
    this.#trial.begin()
  }

  /** A read is hedged once: what its repeats need is a service that is well. */
  began(): void {
    const { hedgeMs } = this.leaf.settings
    if (hedgeMs !== null && this.#attempts === 1) this.#hedgeAlarm = this.call.clock.after(hedgeMs, this)
  }

  /** No answer within the time of the hedge. */
  ring(): void {
    this.#hedgeAlarm = null
    if (!this.#canRepeat()) return
    const beside = new Trial(this, this.#attempts + 1, this.#unknown !== null)
    this.#attempts++
    this.#beside = beside
    if (beside.tryBegin()) return
    this.#attempts--
    this.#beside = null
  }

  succeeded(trial: Trial, answer: unknown): void {
    this.#disarmHedge()
    if (this.#beside !== null) (trial === this.#trial ? this.#beside : this.#trial)?.abandon()
    this.#settle?.(answer)
    this.#settle = null
  }

  failed(trial: Trial, thrown: unknown): void {
    const { call } = this
    const error = classified(thrown, this)
    this.#disarmHedge()
    if (trial === this.#trial) this.#trial = null
    else this.#beside = null
    // The other attempt of a hedge may still have the answer.
    if (this.#trial !== null || this.#beside !== null) return
    const pauseMs = this.#canRepeat() ? pauseBefore(this.#repeats + 1, error, this) : null
    if (pauseMs === null) return this.#reject(ofAllAttempts(error, this.#unknown, call))
    if (error.reason !== undefined && verdictOf(error.reason).outcome === "unknown") this.#unknown = error
    this.#repeats++
    call.clock.pause(pauseMs).then(() => {
      if (call.stopped) this.#reject(ofAllAttempts(error, this.#unknown, call))
      else this.#try()
    })
  }

  #reject(error: TrestleError): void {
    this.#settle?.(this.leaf.rescue(error, this.#input, this.call))
    this.#settle = null
  }

  #canRepeat(): boolean {
    return this.leaf.exchange.canRepeat?.(this.request) !== false
  }

  #disarmHedge(): void {
    if (this.#hedgeAlarm === null) return
    this.call.clock.cancel(this.#hedgeAlarm)
    this.#hedgeAlarm = null
  }
}

/** Milliseconds to wait before that repeat, or `null` when there must not be one. */
function pauseBefore(repeat: number, error: TrestleError, { leaf, call }: Attempting): number | null {
  const { settings, mayRepeatUnknown, gate } = leaf
  if (repeat > settings.retries || call.stopped || error.reason === undefined) return null
  const verdict = verdictOf(error.reason)
  if (!verdict.isTransient || (verdict.outcome === "unknown" && !mayRepeatUnknown)) return null
  const pauseMs = Math.max(backoffMs(repeat, settings.backoffMs, call.random), error.retryAfterMs ?? 0)
  if (call.clock.now() + pauseMs >= call.deadlineAt) return null
  return gate.budget.trySpend() ? pauseMs : null
}

/** An attempt that was refused does not undo an earlier one that may have had its effect: the write as a whole stays unknown. */
function ofAllAttempts(last: TrestleError, unknown: TrestleError | null, call: CallContext): TrestleError {
  if (unknown === null || last.outcome !== "refused" || call.effect === "read") return last
  const note = `${unknown.note ?? unknown.reason}; then ${last.note ?? last.reason}`
  const { retryAfterMs } = last
  return failure(unknown.reason ?? "thrown", call.effect, { cause: last, note, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) })
}

function classified(thrown: unknown, { leaf, call }: Attempting): TrestleError {
  if (TrestleError.is(thrown)) return thrown
  return failure("thrown", call.effect, { cause: thrown, note: `${leaf.gate.name}: the connector threw` })
}

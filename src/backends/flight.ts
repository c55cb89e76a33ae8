import type { CallContext, Stoppable } from "../contract/call.ts"
import { failure } from "../contract/failure.ts"
import type { Landed, Owner, Passage, Validator } from "../contract/keeping.ts"
import { TrestleError } from "../errors/trestle-error.ts"
import { type Frozen, frozen } from "./frozen.ts"

/** Which answer is asked for, and what is kept of it so far. */
export interface FlightPlan {
  readonly key: string
  readonly owner: Owner
  readonly entrance: Passage["entrance"]
  readonly kept: { readonly value: unknown; readonly bytes: number; readonly validator: Validator | null } | undefined
  /** `Keeping.revocations` at its beginning. */
  readonly revocations: number
}

/** Hears of a flight's end, however it ended; nobody waits for it any more then. */
type Ended = (flight: Flight) => void

/**
 * One asking, for all calls that want the same answer meanwhile. It has a call of its own, so that no caller's deadline or departure ends
 * it for the others; it is stopped when the last of them has gone, unless it is a refresh, which nobody waits for.
 */
export class Flight implements Passage {
  readonly plan: FlightPlan
  readonly #ended: Ended
  readonly #waiting = new Set<Passenger>()
  #call: Stoppable | null = null
  /** What the service has marked the answer with. */
  mark: Validator | null = null
  /** How it ended. */
  landing: Landed | null = null
  /** The answer, where it is good and can be handed to many. */
  answer: Frozen | null = null

  constructor(plan: FlightPlan, ended: Ended) {
    this.plan = plan
    this.#ended = ended
  }

  get entrance(): Passage["entrance"] {
    return this.plan.entrance
  }

  get kept(): unknown {
    return this.plan.kept?.value
  }

  get validator(): Validator | null {
    return this.plan.kept?.validator ?? null
  }

  note(validator: Validator | null): void {
    this.mark = validator
  }

  /** The call that carries it, which may have ended already. */
  carriedBy(call: Stoppable): void {
    this.#call = call
  }

  /** The answer for one of them. `alone` asks for that call only: for an answer that cannot be handed to many. */
  join(call: CallContext, isFirst: boolean, alone: () => unknown): unknown {
    if (this.landing !== null) return this.told(call, isFirst, alone)
    return new Promise((resolve, reject) => {
      const passenger = new Passenger(this, call, isFirst, alone, resolve, reject)
      this.#waiting.add(passenger)
      call.attach(passenger)
    })
  }

  leave(passenger: Passenger): void {
    this.#waiting.delete(passenger)
    if (this.#waiting.size > 0 || this.landing !== null || this.entrance === "refresh") return
    // Before it is stopped: whoever comes now begins anew.
    this.#ended(this)
    this.#call?.stop(new TrestleError("CANCELLED", undefined, { note: "nobody waits for it any more" }))
  }

  landed(landing: Landed): void {
    this.landing = landing
    if (landing.error === null) {
      const { kept } = this.plan
      const isUnchanged = kept !== undefined && landing.output === kept.value
      this.answer = isUnchanged ? kept : frozen(landing.output)
      if (isUnchanged) this.mark ??= kept.validator
    }
    this.#ended(this)
    for (const passenger of this.#waiting) passenger.arrive()
    this.#waiting.clear()
  }

  /** What one call hears of the landing: its own error, the common answer, or one of its own where it cannot be common. */
  told(call: CallContext, isFirst: boolean, alone: () => unknown): unknown {
    const { error, output, meta, ownRepairs } = this.landing!
    const isForAll = error !== null || this.answer !== null
    if (!isForAll && !isFirst) return alone()
    // Attempts and repairs are counted once.
    if (isFirst) call.adopt(meta, this.entrance === "flight" ? ownRepairs : undefined)
    else call.adopt({ ...meta, attempts: 0 })
    if (error !== null) throw isFirst ? error : copyOf(error)
    return this.answer === null ? output : this.answer.value
  }
}

/** One call that waits. */
class Passenger implements Stoppable {
  readonly #flight: Flight
  readonly #call: CallContext
  readonly #isFirst: boolean
  readonly #alone: () => unknown
  readonly #resolve: (answer: unknown) => void
  readonly #reject: (error: unknown) => void

  constructor(
    flight: Flight,
    call: CallContext,
    isFirst: boolean,
    alone: () => unknown,
    resolve: (answer: unknown) => void,
    reject: (error: unknown) => void,
  ) {
    this.#flight = flight
    this.#call = call
    this.#isFirst = isFirst
    this.#alone = alone
    this.#resolve = resolve
    this.#reject = reject
  }

  arrive(): void {
    this.#call.detach(this)
    try {
      this.#resolve(this.#flight.told(this.#call, this.#isFirst, this.#alone))
    } catch (error) {
      this.#reject(error)
    }
  }

  /** Its call is over; the flight goes on for the others. */
  stop(why: TrestleError): void {
    const reason = why.code === "CANCELLED" ? "cancelled-unsent" : "timeout-unsent"
    this.#reject(failure(reason, this.#call.effect, { note: "the call ended while it waited for a common answer" }))
    this.#flight.leave(this)
  }
}

/** An error of one's own: the end of a call writes its support id on it. */
function copyOf(error: TrestleError): TrestleError {
  const { code, detail, status, issues, outcome, reason, retryAfterMs, note } = error
  return new TrestleError(code, detail, {
    status,
    issues,
    outcome,
    cause: error,
    ...(reason === undefined ? {} : { reason }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(note === undefined ? {} : { note }),
  })
}

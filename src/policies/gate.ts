import type { Clock } from "../base/clock.ts"
import type { BreakerState, ServiceSettings } from "../contract/policy.ts"
import type { ServiceStatus } from "../contract/service.ts"
import { type Reason, verdictOf } from "../errors/reasons.ts"
import { AdaptiveLimit } from "./adaptive-limit.ts"
import { Bulkhead } from "./bulkhead.ts"
import { CircuitBreaker } from "./circuit-breaker.ts"
import { RetryBudget } from "./retry.ts"

/** What all calls of one service share. */
export class Gate {
  readonly name: string
  /** Also where the policy says `breaker: false`: then it opens by hand only. */
  readonly breaker: CircuitBreaker
  readonly bulkhead: Bulkhead
  readonly budget = new RetryBudget()
  /** `null` where the number of places is fixed. */
  readonly limit: AdaptiveLimit | null
  /** Whether anybody asks how long an attempt took: reading the clock costs a twentieth of a microsecond. */
  readonly isTimed: boolean

  constructor(name: string, settings: ServiceSettings, clock: Clock, changed?: (state: BreakerState) => void) {
    const { breaker, concurrency, concurrencyMin, queueMax } = settings
    this.name = name
    this.breaker = new CircuitBreaker(breaker, clock, changed)
    this.limit = concurrencyMin === concurrency ? null : new AdaptiveLimit(concurrencyMin, concurrency)
    this.bulkhead = new Bulkhead(this.limit?.places ?? concurrency, queueMax)
    this.isTimed = this.limit !== null || (breaker !== null && Number.isFinite(breaker.slowMs))
  }

  /**
   * An attempt is over, and what it says of the service is taken down.
   *
   * @param reason why it failed; `null` for a good answer
   * @param tookMs of the attempt alone, without the wait for a place; 0 where nobody asks
   */
  heard(ticket: number, reason: Reason | null, tookMs: number): void {
    this.#tellBreaker(ticket, reason, tookMs)
    if (reason === null || reason === "answered") this.budget.earn()
    if (this.limit === null) return
    if (reason === null || verdictOf(reason).isReply || isTimeout(reason)) this.limit.sample(tookMs, this.bulkhead.active)
    if (reason !== null && isRefusalOfLoad(reason)) this.limit.backOff()
    this.bulkhead.resize(this.limit.places)
  }

  get status(): Omit<ServiceStatus, "kind"> {
    const { active, waiting, concurrency } = this.bulkhead
    return { service: this.name, circuit: this.breaker.state, active, waiting, places: concurrency }
  }

  #tellBreaker(ticket: number, reason: Reason | null, tookMs: number): void {
    const { breaker } = this
    if (reason === null || reason === "answered") return breaker.succeeded(ticket, tookMs)
    const verdict = verdictOf(reason)
    if (verdict.feedsBreaker) breaker.failed(ticket)
    else if (verdict.isReply) breaker.replied(ticket)
    else breaker.left(ticket)
  }
}

export function createGate(name: string, settings: ServiceSettings, clock: Clock, changed?: (state: BreakerState) => void): Gate {
  return new Gate(name, settings, clock, changed)
}

/** The service has taken longer than anybody waits, which is as good as an answer for how busy it is. */
export function isTimeout(reason: Reason): boolean {
  return reason === "timeout-sent" || reason === "timeout-unsent"
}

/** The service itself says that it is asked too much. */
function isRefusalOfLoad(reason: Reason): boolean {
  return reason === "rate-limited" || reason === "busy" || reason === "refused-by-service"
}

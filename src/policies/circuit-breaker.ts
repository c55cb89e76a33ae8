import type { Clock } from "../base/clock.ts"
import type { BreakerSettings, BreakerState } from "../contract/policy.ts"

/** What `enter` answers instead of a ticket while calls are not let through. */
export const NO_ENTRY = -1

/**
 * Stops calling a service that keeps failing, then probes it again.
 *
 * Counts failed and slow attempts among the last `of`; opens at `failures`, rests for `restMs`, then lets exactly `probes` of them through:
 * it closes when all of them have found the service well, and opens at the first that has not. An attempt that began before the circuit
 * changed its state is not counted in the new one. Does not retry, does not call.
 * Source: Nygard, Release It!, "Circuit Breaker"; state names follow Polly v8.
 */
export class CircuitBreaker {
  /** `null`: it opens by hand only. */
  readonly #settings: BreakerSettings | null
  readonly #clock: Clock
  /** The last results, 1 for a failure, as a ring. */
  readonly #window: Uint8Array
  #next = 0
  #counted = 0
  #failures = 0
  #state: BreakerState = "closed"
  #openedAt = 0
  /** Probes that were let through since it is half-open, and how many of them have found the service well. */
  #probes = 0
  #probesGood = 0
  /** Moves on with every change of state: a ticket of an earlier one is void. */
  #generation = 0
  readonly #changed: (state: BreakerState) => void

  constructor(settings: BreakerSettings | null, clock: Clock, changed: (state: BreakerState) => void = () => {}) {
    this.#settings = settings
    this.#clock = clock
    this.#window = new Uint8Array(settings?.of ?? 0)
    this.#changed = changed
  }

  get state(): BreakerState {
    return this.#state
  }

  /** Milliseconds until a probe will be let through; 0 when one is now. */
  get retryAfterMs(): number {
    return this.#state === "open" ? Math.max(0, this.#openedAt + this.#settings!.restMs - this.#clock.now()) : 0
  }

  /** A ticket for one attempt, to be given back with `succeeded`, `failed` or `left`; or `NO_ENTRY`. */
  enter(): number {
    if (this.#state === "closed") return this.#generation
    if (this.#state === "open" && this.retryAfterMs === 0) this.#become("half-open")
    if (this.#state !== "half-open" || this.#probes >= this.#settings!.probes) return NO_ENTRY
    this.#probes++
    return this.#generation
  }

  /** Whether that ticket was given in the state that the circuit is in now; if not, it counts for nothing and lets nobody through. */
  isCurrent(ticket: number): boolean {
    return ticket === this.#generation
  }

  succeeded(ticket: number, tookMs: number): void {
    if (ticket !== this.#generation || this.#settings === null) return
    if (tookMs >= this.#settings.slowMs) this.failed(ticket)
    else if (this.#state === "half-open") this.#probed()
    else this.#count(0)
  }

  failed(ticket: number): void {
    if (ticket !== this.#generation || this.#settings === null) return
    if (this.#state === "half-open") return this.#become("open")
    this.#count(1)
    if (this.#failures >= this.#settings.failures) this.#become("open")
  }

  /** The service has replied, with nothing that can be used: it is there, so a probe has found it; otherwise not counted. */
  replied(ticket: number): void {
    if (ticket === this.#generation && this.#state === "half-open") this.#probed()
  }

  /** The attempt says nothing of the service: it was never made, or its caller gave up. */
  left(ticket: number): void {
    if (ticket === this.#generation && this.#state === "half-open") this.#probes--
  }

  /** Keeps the circuit open by hand until `release`. */
  isolate(): void {
    if (this.#state !== "isolated") this.#become("isolated")
  }

  /** Closes a circuit that `isolate` has opened; does nothing to one that opened by itself. */
  release(): void {
    if (this.#state === "isolated") this.#become("closed")
  }

  #probed(): void {
    this.#probesGood++
    if (this.#probesGood === this.#settings!.probes) this.#become("closed")
  }

  #count(failed: 0 | 1): void {
    if (this.#counted === this.#window.length) this.#failures -= this.#window[this.#next]!
    else this.#counted++
    this.#window[this.#next] = failed
    this.#failures += failed
    this.#next = (this.#next + 1) % this.#window.length
  }

  #become(state: BreakerState): void {
    this.#state = state
    this.#generation++
    this.#probes = this.#probesGood = 0
    if (state === "open") this.#openedAt = this.#clock.now()
    if (state === "closed") this.#next = this.#counted = this.#failures = 0
    this.#changed(state)
  }
}

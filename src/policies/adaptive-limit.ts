/** Answers that make up one measurement, at least: a single slow one says nothing of the load. */
const SAMPLES_MIN = 10
/** The long-term time of an answer is an average over about this many measurements. */
const LONG_TERM = 60
/** An answer may take so much longer than in the long term before places are taken away: times vary without any load. */
const TOLERANCE = 1.5
/** How much of a new limit is taken over at once. */
const SMOOTHING = 0.2
/** Taken away when the service itself says that it is asked too much. */
const BACK_OFF = 0.9
/** Where it begins, within its bounds. */
const START = 20

/**
 * How many attempts a service takes at once, found out from how long its answers take: while they take no longer than they use to, there
 * is room for the square root of the places more; as they take longer, there is a queue at the service, and places are taken away in
 * proportion. Only attempts in a number that has used at least half of the places say anything. What keeps being slow for long becomes
 * the new rule, so the bounds matter.
 * Source: Netflix concurrency-limits, "Gradient2" (gradient of a short-term and a long-term round trip time, after TCP Vegas).
 */
export class AdaptiveLimit {
  readonly #min: number
  readonly #max: number
  #limit: number
  /** Milliseconds; 0 as long as nothing has been measured. */
  #longTermMs = 0
  #sumMs = 0
  #samples = 0
  #activeMost = 0
  /** It has backed off in this measurement already: a burst of refusals is one piece of news. */
  #hasBackedOff = false

  constructor(min: number, max: number) {
    this.#min = min
    this.#max = max
    this.#limit = Math.min(max, Math.max(min, START))
  }

  /** As many attempts may be under way now. */
  get places(): number {
    return Math.floor(this.#limit)
  }

  /**
   * An answer came, or its time was over.
   *
   * @param tookMs of the attempt alone, in milliseconds
   * @param active attempts that were under way, this one included
   */
  sample(tookMs: number, active: number): void {
    this.#sumMs += tookMs
    this.#samples++
    if (active > this.#activeMost) this.#activeMost = active
    if (this.#samples >= Math.max(SAMPLES_MIN, this.#limit)) this.#measure()
  }

  /** The service has refused for the load alone. */
  backOff(): void {
    if (!this.#hasBackedOff) this.#become(this.#limit * BACK_OFF)
    this.#hasBackedOff = true
  }

  #measure(): void {
    const shortTermMs = Math.max(this.#sumMs / this.#samples, Number.MIN_VALUE)
    const isUsed = this.#activeMost * 2 >= this.#limit
    this.#longTermMs = this.#longTermMs === 0 ? shortTermMs : this.#longTermMs + (shortTermMs - this.#longTermMs) / LONG_TERM
    // After a long bad time the rule would stay too generous for long.
    if (this.#longTermMs > 2 * shortTermMs) this.#longTermMs *= 0.95
    if (isUsed && !this.#hasBackedOff) {
      const gradient = Math.max(0.5, Math.min(1, (TOLERANCE * this.#longTermMs) / shortTermMs))
      const next = this.#limit * gradient + Math.sqrt(this.#limit)
      this.#become(this.#limit + (next - this.#limit) * SMOOTHING)
    }
    this.#sumMs = this.#samples = this.#activeMost = 0
    this.#hasBackedOff = false
  }

  #become(limit: number): void {
    this.#limit = Math.min(this.#max, Math.max(this.#min, limit))
  }
}

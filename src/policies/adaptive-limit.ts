/** Answers that make up one measurement, at least: a single slow one says nothing of the load. */
const SAMPLES_MIN = 10
/** The time of an answer without a queue is forgotten by this much with each measurement: a service may have become slower for good. */
const FORGETTING = 1 / 600
/** An answer may take so much longer than without a queue before places are taken away: times vary without any load. */
const TOLERANCE = 1.5
/** How much of a new limit is taken over at once. */
const SMOOTHING = 0.2
/** Taken away when the service itself says that it is asked too much. */
const BACK_OFF = 0.9
/** Below it clocks tell nothing. */
const MS_MIN = 0.01
/** Where it begins, within its bounds. */
const START = 20

/**
 * How many attempts a service takes at once, found out from how long its answers take. The quickest of late is the time without a queue;
 * while answers keep near it there is room for the square root of the places more; as they take longer there is a queue at the service,
 * and places are taken away in proportion. Only attempts that have used at least half of the places say anything. What stays slow for
 * long becomes the new rule, so the bounds matter.
 * Source: TCP Vegas (Brakmo and Peterson, 1995), as a gradient like that of Netflix's concurrency-limits.
 */
export class AdaptiveLimit {
  readonly #min: number
  readonly #max: number
  #limit: number
  /** What an answer takes without a queue, in milliseconds. */
  #quickMs = Number.POSITIVE_INFINITY
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
    const tookMs = Math.max(this.#sumMs / this.#samples, MS_MIN)
    const isUsed = this.#activeMost * 2 >= this.#limit
    this.#quickMs = Math.min(tookMs, this.#quickMs * (1 + FORGETTING))
    if (isUsed && !this.#hasBackedOff) {
      const gradient = Math.max(0.5, Math.min(1, (TOLERANCE * this.#quickMs) / tookMs))
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

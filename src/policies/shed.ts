import type { Clock, Rings } from "../base/clock.ts"

/** How often the event loop's turns are measured, while calls come in; a turn that takes no longer is none to speak of. */
const LOOK_MS = 10
/** So long every turn must have taken too long before anything is refused: a burst, or one long piece of work, is no overload. */
export const STANDING_MS = 1_000
/** In an overload a turn takes in calls for so long. The loop must go round often: it accepts one connection each time round. */
const TAKES_IN_MS = 10
/** It is over when less than one call in so many had to be refused in a second. */
const REFUSED_MIN = 10

/**
 * Sheds load at the entrance, by the delay in the queue before it: what has been sent but not yet read waits for the event loop's next
 * turn, so a turn's length is that delay. While no turn was short for a whole second there is a standing queue, and only work that is not
 * begun makes it shorter: from then on a turn takes in calls for 10 ms, and refuses the rest of them. What is taken in is answered in time,
 * at the full speed of the process, and nobody waits long to be accepted. It ends when hardly anything had to be refused for a second. At
 * least one call a turn is taken in.
 *
 * Sees what keeps the process busy, not what keeps a service busy: that is the bulkhead's.
 * Source: K. Nichols and V. Jacobson, "Controlling Queue Delay" (CoDel, RFC 8289): act on a delay that stands, never on one that passes.
 */
export class Shedder implements Rings {
  readonly #turnMsMax: number
  readonly #clock: Clock
  readonly #changed: (isShedding: boolean) => void
  #isWatching = false
  #isShedding = false
  /** Whether a call came in this turn, and whether one was taken in. */
  #isAsked = false
  #hasAdmitted = false
  #turnAt = 0
  /** When the first of the long turns began that have followed each other since. */
  #lateSince = -1
  /** Of the present second of an overload: when it began, and what came in it. */
  #secondAt = 0
  #askedInSecond = 0
  #refusedBefore = 0
  #refused = 0

  /** @param turnMsMax Milliseconds that a turn of the event loop may take; more than 10. */
  constructor(turnMsMax: number, clock: Clock, changed: (isShedding: boolean) => void = () => {}) {
    this.#turnMsMax = turnMsMax
    this.#clock = clock
    this.#changed = changed
  }

  get isShedding(): boolean {
    return this.#isShedding
  }

  /** Calls refused so far. */
  get refused(): number {
    return this.#refused
  }

  /** Whether one more call is taken in. Costs a comparison as long as there is no overload. */
  admits(): boolean {
    this.#isAsked = true
    if (!this.#isWatching) this.#watch()
    if (!this.#isShedding) return true
    this.#askedInSecond++
    if (!this.#hasAdmitted || this.#clock.now() - this.#turnAt < TAKES_IN_MS) {
      this.#hasAdmitted = true
      return true
    }
    this.#refused++
    return false
  }

  /** A turn of the event loop has begun. */
  ring(): void {
    const now = this.#clock.now()
    const isOverloaded = this.#isShedding ? this.#isStill(now) : this.#isStanding(now)
    if (isOverloaded !== this.#isShedding) this.#become(isOverloaded, now)
    this.#turnAt = now
    this.#isWatching = this.#isAsked || this.#isShedding
    this.#isAsked = this.#hasAdmitted = false
    if (this.#isWatching) this.#clock.after(LOOK_MS, this)
  }

  #watch(): void {
    this.#isWatching = true
    this.#turnAt = this.#clock.now()
    this.#clock.after(LOOK_MS, this)
  }

  /** Without calls in it a turn is no turn of an overload, however long it was. */
  #isStanding(now: number): boolean {
    const isLate = this.#isAsked && now - this.#turnAt >= this.#turnMsMax
    if (!isLate) this.#lateSince = -1
    else if (this.#lateSince === -1) this.#lateSince = this.#turnAt
    return isLate && now - this.#lateSince >= STANDING_MS && this.#turnAt !== this.#lateSince
  }

  #isStill(now: number): boolean {
    if (now - this.#secondAt < STANDING_MS) return true
    const isStill = (this.#refused - this.#refusedBefore) * REFUSED_MIN > this.#askedInSecond
    this.#beginSecond(now)
    return isStill
  }

  #become(isShedding: boolean, now: number): void {
    this.#isShedding = isShedding
    this.#lateSince = -1
    this.#beginSecond(now)
    this.#changed(isShedding)
  }

  #beginSecond(now: number): void {
    this.#secondAt = now
    this.#askedInSecond = 0
    this.#refusedBefore = this.#refused
  }
}

import { assert } from "../base/assert.ts"
import type { Alarm, Clock, Rings } from "../base/clock.ts"
import { type Duration, parseDuration } from "../base/duration.ts"

/** Something that happens at its time. */
interface Due {
  readonly at: number
  readonly isPause: boolean
  happen(): void
}

/** One request over HTTP takes up to this many turns of the event loop to reach its backend. */
const TURNS = 6
/** More alarms than any honest end needs; a loop that arms new ones for ever must not hang a test. */
const EVENTS_MAX = 100_000

/**
 * A clock for tests: time stands still until it is moved.
 *
 * - Alarms (deadlines, timeouts) fire only while `advance` moves time over them, in the order of their times.
 * - A `pause` (the wait before a retry) ends by itself: once nothing else is running, time jumps to its end, so that a call with retries
 *   finishes without `advance`. An alarm that is due before that end fires on the way: time never goes round it.
 * - Between two events every promise that can settle does.
 *
 * So a call to a service that hangs hangs until somebody advances the clock, and every run goes alike.
 */
export class FakeClock implements Clock {
  readonly #startedAt: number
  #now = 0
  readonly #due = new Set<Due>()
  #pauses = 0
  #isJumping = false
  /** How many that were asked for have not ended yet; no jump comes before them. */
  #advances = 0
  /** Whoever moves time next waits for this. */
  #turn: Promise<unknown> = Promise.resolve()
  /** Time must not move before these have settled. */
  readonly #holds = new Set<Promise<unknown>>()

  /** @param startsAt What the calendar says at the beginning. */
  constructor(startsAt: Date | number = Date.UTC(2026, 0, 1)) {
    this.#startedAt = Number(startsAt)
  }

  // Bound, because those who only need one of them take it from the clock, as they may from the system's.
  readonly now = (): number => this.#now

  readonly epoch = (): number => this.#startedAt + this.#now

  readonly after = (delayMs: number, target: Rings): Alarm => this.#arm(delayMs, false, () => target.ring())

  readonly cancel = (alarm: Alarm): void => void this.#due.delete(alarm as Due)

  readonly pause = (delayMs: number): Promise<void> =>
    new Promise((resolve) => {
      this.#pauses++
      this.#arm(delayMs, true, () => {
        this.#pauses--
        resolve()
      })
      this.#jumpSoon()
    })

  /** Moves time on, event by event. Resolves when everything that this has set going has settled, or waits for a later time. */
  advance(duration: Duration): Promise<void> {
    const ms = parseDuration(duration)
    if (ms === null) throw new TypeError(`"${duration}" is not a duration such as "800ms" or "2s"`)
    this.#advances++
    return this.#take(() => this.#moveTo(this.#now + ms)).finally(() => void this.#advances--)
  }

  /** Moves time on until nothing is due any more: every call then has met its deadline at the latest. */
  runOut(): Promise<void> {
    return this.#take(async () => {
      await this.#settle()
      for (let events = 0; this.#due.size > 0; events++) {
        assert(events < EVENTS_MAX, "the test clock runs for ever")
        await this.#moveTo(earliest(this.#due)!.at)
      }
    })
  }

  /** Time stands still until `under` has settled: for real work, such as loading a module, that a turn of the event loop does not finish. */
  hold(under: Promise<unknown>): void {
    const release = (): void => void this.#holds.delete(under)
    this.#holds.add(under)
    under.then(release, release)
  }

  #arm(delayMs: number, isPause: boolean, happen: () => void): Due {
    const due: Due = { at: this.#now + Math.max(0, delayMs), isPause, happen }
    this.#due.add(due)
    return due
  }

  /** One jump is one turn, so that an `advance` in between gets its own. */
  #jumpSoon(): void {
    if (this.#isJumping) return
    this.#isJumping = true
    this.#take(async () => {
      await this.#settle()
      const next = this.#advances === 0 ? earliest(this.#due, true) : undefined
      if (next) await this.#moveTo(next.at)
    }).finally(() => {
      this.#isJumping = false
      if (this.#pauses > 0) this.#jumpSoon()
    })
  }

  async #moveTo(target: number): Promise<void> {
    await this.#settle()
    for (;;) {
      const next = earliest(this.#due)
      if (!next || next.at > target) break
      this.#now = Math.max(this.#now, next.at)
      this.#due.delete(next)
      next.happen()
      await this.#settle()
    }
    this.#now = Math.max(this.#now, target)
  }

  async #settle(): Promise<void> {
    while (this.#holds.size > 0) await Promise.allSettled(this.#holds)
    for (let turn = 0; turn < TURNS; turn++) await new Promise((resolve) => setImmediate(resolve))
  }

  #take(move: () => Promise<void>): Promise<void> {
    const turn = this.#turn.then(move)
    this.#turn = turn.catch(() => undefined)
    return turn
  }
}

/** The first of what is due; of two at one time the one that was armed first. */
function earliest(all: ReadonlySet<Due>, isPause = false): Due | undefined {
  let first: Due | undefined
  for (const due of all) {
    if (isPause && !due.isPause) continue
    if (!first || due.at < first.at) first = due
  }
  return first
}

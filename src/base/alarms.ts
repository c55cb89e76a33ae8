import type { Rings } from "./clock.ts"

/** One armed alarm, a link in the list of its delay. */
class Link {
  target: Rings | null
  readonly dueAt: number
  list: AlarmList | null
  earlier: Link | null = null
  later: Link | null = null

  constructor(target: Rings, dueAt: number, list: AlarmList) {
    this.target = target
    this.dueAt = dueAt
    this.list = list
  }
}

/** setTimeout treats anything above this as 1 ms; a longer delay is waited for in parts. */
const DELAY_MS_MAX = 2 ** 31 - 1

/** Alarms of one delay: armed one after the other, they ring in the same order, so one timer for the first is enough. */
class AlarmList {
  first: Link | null = null
  last: Link | null = null
  readonly #delayMs: number
  readonly #now: () => number
  readonly #forget: () => void
  #timer: NodeJS.Timeout | null = null

  constructor(delayMs: number, now: () => number, forget: () => void) {
    this.#delayMs = delayMs
    this.#now = now
    this.#forget = forget
  }

  add(target: Rings, nowMs: number): Link {
    const link = new Link(target, nowMs + this.#delayMs, this)
    link.earlier = this.last
    if (this.last) this.last.later = link
    else {
      this.first = link
      // An armed alarm keeps the process alive; a timer that is only waiting for the next one does not.
      if (this.#timer) this.#timer.ref()
      else this.#arm(this.#delayMs)
    }
    this.last = link
    return link
  }

  /** Cuts every reference: a link that was dropped while old must not keep its younger neighbours from being collected. */
  remove(link: Link): void {
    const { earlier, later } = link
    if (earlier) earlier.later = later
    else this.first = later
    if (later) later.earlier = earlier
    else this.last = earlier
    link.earlier = link.later = link.list = link.target = null
    if (this.first === null) this.#timer?.unref()
  }

  #arm(delayMs: number): void {
    this.#timer = setTimeout(ringDue, Math.min(DELAY_MS_MAX, Math.max(1, Math.ceil(delayMs))), this)
  }

  ringDue(): void {
    this.#timer = null
    const now = this.#now()
    try {
      for (let link = this.first; link && link.dueAt <= now; link = this.first) {
        const target = link.target!
        this.remove(link)
        target.ring()
      }
    } finally {
      // Also when one has thrown: the others must ring all the same. Something that rang may have armed the list again.
      if (this.#timer === null) {
        if (this.first) this.#arm(this.first.dueAt - now)
        else this.#forget()
      }
    }
  }
}

const ringDue = (list: AlarmList): void => list.ringDue()

/**
 * Alarms that are nearly always cancelled, as deadlines and timeouts are: arming and cancelling one touches a few fields, and there is
 * one timer of the platform for each delay in use, not one for each call. Rings at the delay, rounded up to whole milliseconds, or a
 * little later; never earlier.
 */
export class Alarms {
  readonly #lists = new Map<number, AlarmList>()
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  after(delayMs: number, target: Rings, nowMs = this.#now()): Link {
    const delay = Math.max(0, Math.ceil(delayMs))
    let list = this.#lists.get(delay)
    if (!list) {
      list = new AlarmList(delay, this.#now, () => this.#lists.delete(delay))
      this.#lists.set(delay, list)
    }
    return list.add(target, nowMs)
  }

  /** Does nothing when it has rung or was cancelled before. */
  cancel(alarm: unknown): void {
    const { list } = alarm as Link
    list?.remove(alarm as Link)
  }
}

import type { Alarm, Clock, Rings } from "../../src/base/clock.ts"

interface Due {
  readonly at: number
  readonly order: number
  readonly kind: "alarm" | "pause" | "world"
  readonly happen: () => void
}

/** Time that moves from event to event. Unlike the test kit's clock it tells alarms, pauses and the world's own events apart. */
export class VirtualClock implements Clock {
  #now = 0
  #order = 0
  readonly #due = new Set<Due>()
  /** Hears of every pause, with the time at which it would end. */
  paused: (endsAt: number) => void = () => {}

  readonly now = (): number => this.#now
  readonly epoch = (): number => 1_700_000_000_000 + this.#now
  readonly after = (delayMs: number, target: Rings): Alarm => this.#arm("alarm", delayMs, () => target.ring())
  readonly cancel = (alarm: Alarm): void => void this.#due.delete(alarm as Due)
  readonly pause = (delayMs: number): Promise<void> => {
    this.paused(this.#now + delayMs)
    return new Promise((resolve) => void this.#arm("pause", delayMs, resolve))
  }

  /** Something that the simulated world does. */
  at(delayMs: number, happen: () => void): void {
    this.#arm("world", delayMs, happen)
  }

  armed(kind: Due["kind"]): number {
    return [...this.#due].filter((due) => due.kind === kind).length
  }

  /** Runs until nothing is due any more; between two events everything that can settle does. */
  async run(settled: () => void = () => {}): Promise<void> {
    for (let events = 0; ; events++) {
      await new Promise((resolve) => setImmediate(resolve))
      settled()
      const next = this.#earliest()
      if (!next) return
      if (events > 20_000) throw new Error("the simulation runs for ever")
      this.#due.delete(next)
      this.#now = Math.max(this.#now, next.at)
      next.happen()
    }
  }

  /** Runs until `isOver` says so: for worlds that look at the clock for ever. */
  async runUntil(isOver: () => boolean): Promise<void> {
    while (true) {
      await new Promise((resolve) => setImmediate(resolve))
      if (isOver()) return
      const next = this.#earliest()
      if (!next) return
      this.#due.delete(next)
      this.#now = Math.max(this.#now, next.at)
      next.happen()
    }
  }

  #arm(kind: Due["kind"], delayMs: number, happen: () => void): Due {
    const due = { at: this.#now + Math.max(0, delayMs), order: this.#order++, kind, happen }
    this.#due.add(due)
    return due
  }

  #earliest(): Due | undefined {
    let first: Due | undefined
    for (const due of this.#due) if (!first || due.at < first.at || (due.at === first.at && due.order < first.order)) first = due
    return first
  }
}

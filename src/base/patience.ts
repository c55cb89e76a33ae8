import type { Alarm, Clock, Rings } from "./clock.ts"

/**
 * What is waited for, or `null` when it takes longer than that. Whatever it does goes on; nobody hears of its end any more.
 *
 * @param ms of that clock
 */
export function withPatience<T>(work: Promise<T>, ms: number, clock: Clock): Promise<T | null> {
  return new Patience(ms, clock).with(work)
}

class Patience implements Rings {
  readonly #clock: Clock
  readonly #over = Promise.withResolvers<null>()
  readonly #alarm: Alarm

  constructor(ms: number, clock: Clock) {
    this.#clock = clock
    this.#alarm = clock.after(ms, this)
  }

  ring(): void {
    this.#over.resolve(null)
  }

  async with<T>(work: Promise<T>): Promise<T | null> {
    try {
      return await Promise.race([work, this.#over.promise])
    } finally {
      this.#clock.cancel(this.#alarm)
    }
  }
}

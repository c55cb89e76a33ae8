import type { Alarm, Clock, Rings } from "../base/clock.ts"
import type { Jobs } from "./jobs.ts"

const EVERY_MS = 60_000
/** Between two batches, for whoever else writes to the store: 5,000 a second at most. */
const PAUSE_MS = 100

export interface ForgettingOptions {
  readonly jobs: Pick<Jobs, "forget">
  readonly clock: Clock
  /** The store did not answer. */
  readonly troubled: (what: string, error: unknown) => void
}

/** Removes jobs that were kept long enough, now and then, and then all of them: batch after batch, however busy the worker is. */
export class Forgetting implements Rings {
  readonly #options: ForgettingOptions
  #alarm: Alarm | null = null
  #isStopped = false

  constructor(options: ForgettingOptions) {
    this.#options = options
  }

  ring(): void {
    this.#alarm = null
    void this.#forget()
  }

  stop(): void {
    this.#isStopped = true
    if (this.#alarm !== null) this.#options.clock.cancel(this.#alarm)
    this.#alarm = null
  }

  async #forget(): Promise<void> {
    const { jobs, clock, troubled } = this.#options
    let isMore = false
    try {
      isMore = await jobs.forget()
    } catch (error) {
      troubled("what was kept long enough cannot be removed", error)
    }
    if (!this.#isStopped) this.#alarm = clock.after(isMore ? PAUSE_MS : EVERY_MS, this)
  }
}

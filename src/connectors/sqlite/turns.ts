import { failure } from "../../contract/failure.ts"
import type { Attempt } from "../../contract/service.ts"

/**
 * Who may write: one at a time, in order of arrival. SQLite has one writer a file; without a queue of our own, statements of one call would
 * slip into the open transaction of another, which shares the connection.
 */
export class Turns {
  #isTaken = false
  readonly #waiting = new Set<TakesTurn>()

  /** Takes the turn at once, or says that somebody has it. */
  tryTake(): boolean {
    if (this.#isTaken) return false
    this.#isTaken = true
    return true
  }

  /** Waits for a turn; given up when the attempt is stopped. */
  take(attempt: Attempt): Promise<void> {
    return new Promise((resolve, reject) => {
      const turn: Turn = {
        begin: resolve,
        stop: () => {
          if (this.#waiting.delete(turn)) reject(failure("timeout-unsent", attempt.call.effect))
        },
      }
      this.#waiting.add(turn)
      attempt.stoppable = turn
    })
  }

  /** Has the turn begin as soon as it can, perhaps at once. Not given up. */
  join(taker: TakesTurn): void {
    if (this.tryTake()) taker.begin()
    else this.#waiting.add(taker)
  }

  /** Gives the turn to the one who has waited longest. */
  leave(): void {
    for (const turn of this.#waiting) {
      this.#waiting.delete(turn)
      turn.begin()
      return
    }
    this.#isTaken = false
  }
}

/** Whose turn comes; it ends with `leave`. */
export interface TakesTurn {
  begin(): void
}

interface Turn extends TakesTurn {
  stop(): void
}

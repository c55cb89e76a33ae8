import type { Random } from "../base/random.ts"

/** Retries for each call that was answered. */
export const BUDGET_RATIO = 0.1
/** Retries that may be made before any answer has earned them, and the most that can be saved up. */
export const BUDGET_RESERVE = 10
/** A pause grows no longer than this, whatever the number of attempts. */
export const BACKOFF_MS_MAX = 10_000

/**
 * Bounds the extra load that retries put on a service in trouble: every answer earns a tenth of a retry, every retry costs one. What
 * fails earns nothing, so that a total outage gets the reserve and no more, however many calls there are: with three applications on
 * top of each other, a tenth of all calls at each of them would add a third at the bottom.
 * Source: Google SRE book, chapter 21, per-client retry budgets; gRPC proposal A6, "Throttling Retry Attempts".
 */
export class RetryBudget {
  #tokens = BUDGET_RESERVE

  earn(): void {
    this.#tokens = Math.min(BUDGET_RESERVE, this.#tokens + BUDGET_RATIO)
  }

  /** Takes a retry out of the budget, or says that it is spent. */
  trySpend(): boolean {
    if (this.#tokens < 1) return false
    this.#tokens -= 1
    return true
  }
}

/**
 * Exponential backoff with full jitter: anywhere between nothing and twice as long as the time before, so that clients who failed
 * together do not come back together.
 * Source: AWS Architecture Blog, "Exponential Backoff And Jitter" (2015).
 */
export function backoffMs(attempt: number, baseMs: number, random: Random): number {
  return random.next() * backoffCeilingMs(attempt, baseMs)
}

/** The longest that the pause after that attempt can be. */
export function backoffCeilingMs(attempt: number, baseMs: number): number {
  return Math.min(BACKOFF_MS_MAX, baseMs * 2 ** (attempt - 1))
}

/** What is known of the effect of a call that did not succeed. */
export type Outcome =
  /** The service, or the rules, gave a real answer. */
  | "answered"
  /** Nothing can have happened. */
  | "refused"
  /** It may have happened. */
  | "unknown"

interface Verdict {
  readonly outcome: Outcome
  /** Counts against the service in its circuit breaker. */
  readonly feedsBreaker: boolean
  /** Another attempt could go better. Whether it may be made is for the service's promise (`repeat`) and the budget to say. */
  readonly isTransient: boolean
}

/**
 * The one classifier: every failure of an attempt has one of these reasons, decided from the declaration and from the phase that
 * failed, never from a message. Retry, circuit breaker and fallback read their verdict here and nowhere else.
 */
export const REASONS = {
  answered: { outcome: "answered", feedsBreaker: false, isTransient: false },

  "not-connected": { outcome: "refused", feedsBreaker: true, isTransient: true },
  "timeout-unsent": { outcome: "refused", feedsBreaker: true, isTransient: true },
  "refused-by-service": { outcome: "refused", feedsBreaker: true, isTransient: true },
  "too-early": { outcome: "refused", feedsBreaker: false, isTransient: true },
  "rate-limited": { outcome: "refused", feedsBreaker: false, isTransient: true },
  "circuit-open": { outcome: "refused", feedsBreaker: false, isTransient: false },
  "bulkhead-full": { outcome: "refused", feedsBreaker: false, isTransient: false },
  "cancelled-unsent": { outcome: "refused", feedsBreaker: false, isTransient: false },
  "request-not-mapped": { outcome: "refused", feedsBreaker: false, isTransient: false },

  "timeout-sent": { outcome: "unknown", feedsBreaker: true, isTransient: true },
  "connection-lost": { outcome: "unknown", feedsBreaker: true, isTransient: true },
  "server-error": { outcome: "unknown", feedsBreaker: true, isTransient: true },
  "answer-too-large": { outcome: "unknown", feedsBreaker: false, isTransient: false },
  "answer-unreadable": { outcome: "unknown", feedsBreaker: false, isTransient: false },
  "answer-misfit": { outcome: "unknown", feedsBreaker: false, isTransient: false },
  "answer-not-mapped": { outcome: "unknown", feedsBreaker: false, isTransient: false },
  "output-misfit": { outcome: "unknown", feedsBreaker: false, isTransient: false },
  "cancelled-sent": { outcome: "unknown", feedsBreaker: false, isTransient: false },
  "own-conflict": { outcome: "unknown", feedsBreaker: false, isTransient: false },
  thrown: { outcome: "unknown", feedsBreaker: false, isTransient: false },
} as const satisfies Record<string, Verdict>

export type Reason = keyof typeof REASONS

export function verdictOf(reason: Reason): Verdict {
  return REASONS[reason]
}

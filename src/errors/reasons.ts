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
  /** A whole reply came, so the service is there. */
  readonly isReply: boolean
}

/**
 * The one classifier: every failure of an attempt has one of these reasons, decided from the declaration and from the phase that
 * failed, never from a message. Retry, circuit breaker and fallback read their verdict here and nowhere else.
 */
export const REASONS = {
  answered: { outcome: "answered", feedsBreaker: false, isTransient: false, isReply: true },
  "credential-rejected": { outcome: "answered", feedsBreaker: false, isTransient: false, isReply: true },

  "not-connected": { outcome: "refused", feedsBreaker: true, isTransient: true, isReply: false },
  "timeout-unsent": { outcome: "refused", feedsBreaker: true, isTransient: true, isReply: false },
  "refused-by-service": { outcome: "refused", feedsBreaker: true, isTransient: true, isReply: true },
  "too-early": { outcome: "refused", feedsBreaker: false, isTransient: true, isReply: true },
  "rate-limited": { outcome: "refused", feedsBreaker: false, isTransient: true, isReply: true },
  busy: { outcome: "refused", feedsBreaker: false, isTransient: true, isReply: true },
  "circuit-open": { outcome: "refused", feedsBreaker: false, isTransient: false, isReply: false },
  "bulkhead-full": { outcome: "refused", feedsBreaker: false, isTransient: false, isReply: false },
  shed: { outcome: "refused", feedsBreaker: false, isTransient: false, isReply: false },
  "cancelled-unsent": { outcome: "refused", feedsBreaker: false, isTransient: false, isReply: false },
  "body-spent": { outcome: "refused", feedsBreaker: false, isTransient: false, isReply: false },
  "request-not-mapped": { outcome: "refused", feedsBreaker: false, isTransient: false, isReply: false },

  "timeout-sent": { outcome: "unknown", feedsBreaker: true, isTransient: true, isReply: false },
  "connection-lost": { outcome: "unknown", feedsBreaker: true, isTransient: true, isReply: false },
  "server-error": { outcome: "unknown", feedsBreaker: true, isTransient: true, isReply: true },
  "answer-too-large": { outcome: "unknown", feedsBreaker: false, isTransient: false, isReply: false },
  "answer-unreadable": { outcome: "unknown", feedsBreaker: false, isTransient: false, isReply: true },
  "answer-misfit": { outcome: "unknown", feedsBreaker: false, isTransient: false, isReply: true },
  "answer-not-mapped": { outcome: "unknown", feedsBreaker: false, isTransient: false, isReply: true },
  "output-misfit": { outcome: "unknown", feedsBreaker: false, isTransient: false, isReply: true },
  "cancelled-sent": { outcome: "unknown", feedsBreaker: false, isTransient: false, isReply: false },
  "own-conflict": { outcome: "unknown", feedsBreaker: false, isTransient: false, isReply: true },
  thrown: { outcome: "unknown", feedsBreaker: false, isTransient: false, isReply: false },
} as const satisfies Record<string, Verdict>

/** Why an attempt failed. */
export type Reason = keyof typeof REASONS

export function verdictOf(reason: Reason): Verdict {
  return REASONS[reason]
}

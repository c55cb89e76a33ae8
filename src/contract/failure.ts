import type { Common } from "../errors/catalog.ts"
import { REASONS, type Reason } from "../errors/reasons.ts"
import { TrestleError } from "../errors/trestle-error.ts"

export interface FailureOptions {
  readonly cause?: unknown
  /** For the operator: names the service and what it did. */
  readonly note?: string
  readonly retryAfterMs?: number
}

/**
 * The error for a reason: what the caller may hear follows from the outcome and from whether the operation may have changed something.
 * A write that may have happened is `OUTCOME_UNKNOWN`, whatever went wrong; a read changes nothing, so to its caller nothing has
 * happened, whatever became of its attempts.
 */
export function failure(reason: Reason, effect: "read" | "write", options: FailureOptions = {}): TrestleError {
  const isHarmless = effect === "read" && REASONS[reason].outcome === "unknown"
  return new TrestleError(codeOf(reason, effect), undefined, { ...options, reason, ...(isHarmless ? { outcome: "refused" } : {}) })
}

function codeOf(reason: Reason, effect: "read" | "write"): Common {
  if (reason === "request-not-mapped") return "INTERNAL"
  const { outcome } = REASONS[reason]
  if (outcome === "unknown" && effect === "write") return "OUTCOME_UNKNOWN"
  switch (reason) {
    case "timeout-sent":
    case "timeout-unsent":
      return "TIMEOUT"
    case "cancelled-sent":
    case "cancelled-unsent":
      return "CANCELLED"
    case "answer-unreadable":
    case "answer-misfit":
    case "answer-not-mapped":
    case "answer-too-large":
    case "output-misfit":
    case "thrown":
    case "credential-rejected":
      return "INTERNAL"
    default:
      return "UNAVAILABLE"
  }
}

/** A real answer of the other side that is an error: declared by the contract (then with its status) or a common one. */
export function answered(
  code: string,
  errors: Readonly<Record<string, number>>,
  detail?: string,
  options: FailureOptions = {},
): TrestleError {
  const status = errors[code]
  return new TrestleError(code, detail, { ...options, reason: "answered", ...(status === undefined ? {} : { status }) })
}

/**
 * Only what failed may fall back: a real answer (a declared error, "not found") is never replaced by another one. For a write only what
 * was refused, because what is unknown may have happened.
 */
export function mayFallBack(error: unknown, effect: "read" | "write"): boolean {
  if (!TrestleError.is(error)) return effect === "read"
  if (error.reason === undefined || error.outcome === "answered" || error.code === "CANCELLED") return false
  return effect === "read" || error.outcome === "refused"
}

/** Reasons that time can mend, although no attempt would be repeated for them now. */
const PASSING: ReadonlySet<Reason> = new Set<Reason>(["circuit-open", "bulkhead-full"])

/**
 * Whether a failed write may be kept for later: nothing has happened and a later attempt could go better, or nobody knows what has happened.
 * Never after a real answer, nor when the caller gave up.
 */
export function mayDefer(error: unknown): boolean {
  if (!TrestleError.is(error) || error.reason === undefined || error.code === "CANCELLED") return false
  return REASONS[error.reason].outcome === "unknown" || isOfAMoment(error.reason)
}

/**
 * Whether nothing has happened because a service was not there for us: away, busy, or of another opinion on our credential. Whoever can wait
 * asks again when that is over.
 */
export function isOutage(error: TrestleError): boolean {
  return error.reason === "credential-rejected" || (error.reason !== undefined && isOfAMoment(error.reason))
}

function isOfAMoment(reason: Reason): boolean {
  const { outcome, isTransient } = REASONS[reason]
  return outcome === "refused" && (isTransient || PASSING.has(reason))
}

/** Real answers that are no errors of a moment: there is nothing here, or nothing for this caller any more. */
const DENIALS: ReadonlySet<string> = new Set<Common>(["NOT_FOUND", "FORBIDDEN", "UNAUTHENTICATED"])

/** Whether what was answered earlier must not be given again: a denial, or an error that the contract declares. */
export function isDenial(error: unknown, errors: Readonly<Record<string, number>>): boolean {
  if (!TrestleError.is(error)) return false
  // Refused by a rule, as a step of code can be, or answered by a service: to its caller it is the same.
  return DENIALS.has(error.code) || (error.outcome === "answered" && Object.hasOwn(errors, error.code))
}

import type { Random } from "../base/random.ts"
import type { Meta } from "../contract/call.ts"
import { isOutage } from "../contract/failure.ts"
import type { Delivery, JobEnd } from "../contract/job.ts"
import { TrestleError } from "../errors/trestle-error.ts"
import type { StoredEnd } from "./job-ends.ts"
import type { HeldJob } from "./job-record.ts"

/** What is known of a run when its call has ended. */
export interface RunEnd {
  readonly error: TrestleError | null
  readonly output: unknown
  /** How the answer was made. */
  readonly meta?: Meta
  /** What the backend has said of it. */
  readonly jobEnd: JobEnd | null
}

/** How an operation's jobs are repeated. */
export interface Repeating {
  /** How often one is run at most. */
  readonly times: number
  /** Pause before the second run, in milliseconds; it doubles from run to run. */
  readonly backoffMs: number
  /** It may be run again after a run that may have had its effect. */
  readonly mayRepeat: boolean
}

/** No pause between two runs is longer, before the service's own `Retry-After`. */
const BACKOFF_MS_MAX = 600_000

/** Rules that another run would meet again; a person may change them, then order another one. */
const FOR_A_PERSON: ReadonlySet<string> = new Set(["FORBIDDEN", "UNAUTHENTICATED"])
const PAUSE_MS = 1_000
/** So long a message waits for a service that is away before its runs count. */
const OUTAGE_MS_MAX = 86_400_000
/** Of the input itself. */
const NEVER_BETTER: ReadonlySet<string> = new Set(["INVALID", "TOO_LARGE"])

/**
 * What becomes of a job after one run, decided from the outcome and never from a message: a real answer that is an error is not asked for
 * again; what was refused is tried again; what may have happened is tried again only where that was promised, else a person decides.
 */
export function verdictOf({ error, output, meta, jobEnd }: RunEnd): JobEnd {
  if (jobEnd) return jobEnd
  if (error === null) return { is: "done", answer: output, ...(meta ? { made: meta } : {}) }
  const isOfNoFault = error.code === "PENDING" || (error.outcome !== "unknown" && error.code === "CANCELLED")
  // What it has asked for is still being made, or the process closes: neither is the job's fault.
  if (isOfNoFault) return { is: "suspended", delayMs: error.retryAfterMs ?? PAUSE_MS, why: error.message }
  if (error.outcome === "unknown") return { is: "failed", error }
  if (FOR_A_PERSON.has(error.code)) return { is: "parked", error }
  if (isOutage(error)) return { is: "failed", error }
  if (error.outcome === "answered" || NEVER_BETTER.has(error.code)) return { is: "dead", error }
  return { is: "failed", error }
}

export interface Bounds {
  readonly repeating: Repeating
  readonly random: Random
  /** Since the job was put. */
  readonly ageMs: number
}

/** The same, bounded: how often, and whether it may be repeated at all. That a service is away is no fault of the message that waits for it. */
export function boundedEnd(end: JobEnd, job: HeldJob, { repeating, random, ageMs }: Bounds): StoredEnd {
  if (end.is !== "failed") return end
  const { error } = end
  if (error.outcome === "unknown" && !repeating.mayRepeat) return { ...end, is: "parked" }
  const isOfNoFault = job.kind === "message" && ageMs < OUTAGE_MS_MAX && isOutage(error)
  if (!isOfNoFault && job.attempts >= repeating.times) return { ...end, is: "dead" }
  const longest = isOfNoFault ? Math.max(repeating.backoffMs, ageMs / 10) : repeating.backoffMs * 2 ** Math.min(job.attempts - 1, 30)
  const delayMs = Math.max(error.retryAfterMs ?? 0, jittered(longest, random))
  return { ...end, delayMs, ...(isOfNoFault ? { isOfNoFault } : {}) }
}

/** What must not be run at all is over before it begins. */
export function endBeforeRun(job: HeldJob, { times, mayRepeat }: Repeating): StoredEnd | null {
  const over = (is: "dead" | "parked", code: string, note: string): StoredEnd => ({
    is,
    error: new TrestleError(code, undefined, { note, outcome: job.followsUnknown ? "unknown" : "refused" }),
  })
  if (job.body === null) return over("dead", "INTERNAL", "what was stored of it cannot be read")
  if (job.isExpired) return over("dead", "TIMEOUT", "it expired before it could be done")
  if (job.isOrdered || !job.followsUnknown) return null
  if (!mayRepeat)
    return over("parked", "OUTCOME_UNKNOWN", "a run of it may have had its effect, and nothing promises that it may be repeated")
  return job.attempts > times ? over("dead", "OUTCOME_UNKNOWN", `none of its ${times} runs has come to an end`) : null
}

export function deliveryOf(job: HeldJob): Delivery {
  const { id, kind, attempts, followsUnknown, isOrdered, putAt, fence, history } = job
  return { id, kind, attempt: attempts, followsUnknown, isOrdered, isLook: history.at(-1)?.what === "suspended", putAt, fence }
}

/** Exponential, with full jitter. Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog. */
function jittered(longestMs: number, random: Random): number {
  return Math.min(BACKOFF_MS_MAX, longestMs) * random.next()
}

import { type Duration, parseDuration, whyNoDuration } from "../base/duration.ts"
import type { DeadlineField } from "./deadline-field.ts"

/** How patient, how persistent and how busy to be with a service. Absent fields come from the next wider place. */
export interface Policy {
  /** Longest one attempt may take. Default: 2 s for reads, 5 s for writes. */
  timeout?: Duration
  /** Attempts after the first, at most. Default 2. Whether a failed attempt may be repeated at all is decided by its outcome and by the call's `repeat`. */
  retry?: number | { times: number; backoff?: Duration }
  /**
   * For reads: when there is no answer after that time, a second attempt is begun beside the first; the first good answer wins, and the
   * other attempt is stopped. Once a call, within the retry budget, and only into a free place. A time that nine of ten answers keep is a
   * good one. Refused on a write; in a service's policy it holds for its reads. Default `false`: never.
   */
  hedge?: Duration | false
  /**
   * Opens after `failures` of the last `of` attempts failed, or took longer than `slow`; after `rest` lets `probes` attempts through (default
   * 1), and closes when all of them went well. One for each service, and so for each host. Default: 5 of 10, rest 10 s. `false`: by hand only.
   */
  breaker?: { failures: number; of: number; slow?: Duration; rest: Duration; probes?: number } | false
  /**
   * Attempts under way at once, for the whole service. Default 128. `{ adaptive: { min, max } }`: found out within these bounds, from how
   * long answers take; `"adaptive"`: from 4 to 128.
   */
  concurrency?: number | "adaptive" | { adaptive: { min: number; max: number } }
  /** Calls that may wait for one of those places, for the whole service. Default 512. */
  queue?: number
}

/** Application-wide defaults. */
export interface Defaults {
  /** For what changes nothing. What a service or a call says of itself comes before it. */
  reads?: Policy
  /** For what may change something; the same holds. */
  writes?: Policy
  /** When a whole call must end, retries, fallbacks and nested calls included. Default 10 s. */
  deadline?: Duration
  /**
   * The header field in which callers may shorten that of their call: `{ header: "Request-Timeout", unit: "s" }`. Never lengthens it; what
   * is no whole number greater than 0 is not heeded. Default: callers are not asked.
   */
  callerDeadline?: DeadlineField
  /** Largest request body. Default 256kb. */
  bodyLimit?: string
  /**
   * Load shedding at the HTTP entrance: when for a second every turn of the event loop has taken that long, calls beyond what a turn can
   * take in are refused with 503 and `Retry-After`, so that the others are answered in time. At least 20 ms. Default 100 ms; `false`: never.
   */
  shed?: Duration | false
}

export interface BreakerSettings {
  readonly failures: number
  readonly of: number
  readonly slowMs: number
  readonly restMs: number
  /** Attempts that are let through while it is half-open. */
  readonly probes: number
}

/** Of a circuit breaker: `closed` lets through, `open` does not, `half-open` lets probes through, `isolated` is held open by hand. */
export type BreakerState = "closed" | "open" | "half-open" | "isolated"

/** Settings of one service, shared by all its calls. */
export interface ServiceSettings {
  readonly breaker: BreakerSettings | null
  /** Attempts at once, at most. */
  readonly concurrency: number
  /** How few of them it may become; the same where the number is fixed. */
  readonly concurrencyMin: number
  readonly queueMax: number
}

/** Settings of one call of a service. */
export interface AttemptSettings {
  readonly timeoutMs: number
  readonly retries: number
  readonly backoffMs: number
  /** After how long without an answer a second attempt is begun beside the first; `null`: never. */
  readonly hedgeMs: number | null
}

export const DEADLINE_MS = 10_000
/** Of an operation that takes or answers a file, or answers a stream: until its last byte. */
export const BODY_DEADLINE_MS = 600_000
export const BODY_BYTES_MAX = 262_144
/** How long a turn of the event loop may take, in milliseconds, before it counts as an overload. */
export const SHED_MS = 100
export const SHED_MS_MIN = 20
export const DEFAULT_SERVICE: ServiceSettings = {
  breaker: { failures: 5, of: 10, slowMs: Infinity, restMs: 10_000, probes: 1 },
  concurrency: 128,
  concurrencyMin: 128,
  queueMax: 512,
}
/** What `concurrency: "adaptive"` stands for. */
export const ADAPTIVE_CONCURRENCY = { min: 4, max: 128 } as const
export const DEFAULT_ATTEMPTS: Readonly<Record<"read" | "write", AttemptSettings>> = {
  read: { timeoutMs: 2_000, retries: 2, backoffMs: 100, hedgeMs: null },
  write: { timeoutMs: 5_000, retries: 2, backoffMs: 100, hedgeMs: null },
}

/** The policies that speak for one call of a service, from the closest to the widest: `declared` with the call and with its service. */
export function callPolicies(
  effect: "read" | "write",
  declared: { readonly call: Policy | undefined; readonly service: Policy | undefined },
  defaults: Defaults,
): readonly (Policy | undefined)[] {
  return [declared.call, declared.service, effect === "read" ? defaults.reads : defaults.writes]
}

/** The policies that speak for a service as a whole, from the closest to the widest. */
export function servicePolicies(service: Policy | undefined, defaults: Defaults): readonly (Policy | undefined)[] {
  return [service, defaults.reads, defaults.writes]
}

/** Which of these policies decides a field: the index of the closest that names it; -1 where none does, and the built-in default holds. */
export function sourceOf(field: keyof Policy, policies: readonly (Policy | undefined)[]): number {
  return policies.findIndex((policy) => policy?.[field] !== undefined)
}

/** The closest policy that says something wins: pass them from the closest to the widest. */
export function attemptSettings(effect: "read" | "write", ...policies: readonly (Policy | undefined)[]): AttemptSettings {
  const base = DEFAULT_ATTEMPTS[effect]
  const retry = closest("retry", policies)
  const times = typeof retry === "object" ? retry.times : retry
  const backoff = typeof retry === "object" ? retry.backoff : undefined
  return {
    timeoutMs: parseDuration(closest("timeout", policies)) ?? base.timeoutMs,
    retries: times ?? base.retries,
    backoffMs: parseDuration(backoff) ?? base.backoffMs,
    hedgeMs: effect === "read" ? hedgeMs(closest("hedge", policies)) : null,
  }
}

function hedgeMs(hedge: Policy["hedge"]): number | null {
  return hedge === undefined || hedge === false ? null : parseDuration(hedge)
}

export function serviceSettings(...policies: readonly (Policy | undefined)[]): ServiceSettings {
  const breaker = closest("breaker", policies)
  return {
    breaker: breaker === false ? null : breaker === undefined ? DEFAULT_SERVICE.breaker : breakerSettings(breaker),
    ...concurrencySettings(closest("concurrency", policies)),
    queueMax: closest("queue", policies) ?? DEFAULT_SERVICE.queueMax,
  }
}

function concurrencySettings(concurrency: Policy["concurrency"]): Pick<ServiceSettings, "concurrency" | "concurrencyMin"> {
  if (concurrency === undefined) return concurrencySettings(DEFAULT_SERVICE.concurrency)
  if (typeof concurrency === "number") return { concurrency, concurrencyMin: concurrency }
  const { min, max } = concurrency === "adaptive" ? ADAPTIVE_CONCURRENCY : concurrency.adaptive
  return { concurrency: max, concurrencyMin: min }
}

function breakerSettings(breaker: Exclude<Policy["breaker"], false | undefined>): BreakerSettings {
  return {
    failures: breaker.failures,
    of: breaker.of,
    slowMs: parseDuration(breaker.slow) ?? Infinity,
    restMs: parseDuration(breaker.rest) ?? DEFAULT_SERVICE.breaker!.restMs,
    probes: breaker.probes ?? 1,
  }
}

function closest<F extends keyof Policy>(field: F, policies: readonly (Policy | undefined)[]): Policy[F] | undefined {
  return policies[sourceOf(field, policies)]?.[field]
}

/** What is wrong with a policy, in words that name the field; empty when nothing is. */
export function policyMistakes(policy: Policy): string[] {
  const { timeout, retry, breaker, hedge } = policy
  const mistakes = [
    ...notDuration("timeout", timeout),
    ...notCount("retry", typeof retry === "object" ? retry.times : retry, 0),
    ...(typeof retry === "object" ? notDuration("retry.backoff", retry.backoff) : []),
    ...(hedge === false ? [] : notDuration("hedge", hedge)),
    ...concurrencyMistakes(policy.concurrency),
    ...notCount("queue", policy.queue, 0),
    ...(breaker ? breakerMistakes(breaker) : []),
  ]
  const [hedgeAfterMs, timeoutMs] = [hedge === false ? null : parseDuration(hedge), parseDuration(timeout)]
  if (hedgeAfterMs != null && timeoutMs != null && hedgeAfterMs >= timeoutMs)
    mistakes.push("hedge is not shorter than timeout, so no second attempt would ever be begun")
  return mistakes
}

function breakerMistakes(breaker: Exclude<Policy["breaker"], false | undefined>): string[] {
  const mistakes = [
    ...notCount("breaker.failures", breaker.failures, 1),
    ...notCount("breaker.of", breaker.of, 1),
    ...notDuration("breaker.slow", breaker.slow),
    ...notDuration("breaker.rest", breaker.rest),
    ...notCount("breaker.probes", breaker.probes, 1),
  ]
  if (breaker.failures > breaker.of) mistakes.push("breaker.failures is larger than breaker.of, so it would never open")
  return mistakes
}

function concurrencyMistakes(concurrency: Policy["concurrency"]): string[] {
  if (concurrency === "adaptive" || concurrency === undefined) return []
  if (typeof concurrency !== "object") return notCount("concurrency", concurrency, 1)
  const { min, max } = (concurrency?.adaptive ?? {}) as Partial<typeof concurrency.adaptive>
  if (min === undefined || max === undefined) return ['concurrency is a number, "adaptive", or { adaptive: { min: 4, max: 64 } }']
  const mistakes = [...notCount("concurrency.adaptive.min", min, 1), ...notCount("concurrency.adaptive.max", max, 1)]
  if (min >= max) mistakes.push("concurrency.adaptive.min is not below max, so nothing could adapt")
  return mistakes
}

function notDuration(name: string, value: Duration | undefined): string[] {
  return value === undefined || parseDuration(value) !== null ? [] : [`${name} ${whyNoDuration(value, "800ms")}`]
}

function notCount(name: string, value: number | undefined, min: number): string[] {
  const isCount = value === undefined || (Number.isInteger(value) && value >= min)
  return isCount ? [] : [`${name} must be a whole number of at least ${min}`]
}

import { type Duration, parseDuration } from "../base/duration.ts"

/** How patient, how persistent and how busy to be with a service. Absent fields come from the next wider place. */
export interface Policy {
  /** Longest one attempt may take. Default: 2 s for reads, 5 s for writes. */
  timeout?: Duration
  /** Attempts after the first, at most. Default 2. Whether a failed attempt may be repeated at all is decided by its outcome and by the call's `repeat`. */
  retry?: number | { times: number; backoff?: Duration }
  /** Opens after `failures` of the last `of` attempts failed, or took longer than `slow`; probes again after `rest`. Default: 5 of 10, rest 10 s. */
  breaker?: { failures: number; of: number; slow?: Duration; rest: Duration } | false
  /** Attempts under way at once, for the whole service. Default 128. */
  concurrency?: number
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
  /** Largest request body. Default 256kb. */
  bodyLimit?: string
}

export interface BreakerSettings {
  readonly failures: number
  readonly of: number
  readonly slowMs: number
  readonly restMs: number
}

/** Settings of one service, shared by all its calls. */
export interface ServiceSettings {
  readonly breaker: BreakerSettings | null
  readonly concurrency: number
  readonly queueMax: number
}

/** Settings of one call of a service. */
export interface AttemptSettings {
  readonly timeoutMs: number
  readonly retries: number
  readonly backoffMs: number
}

export const DEADLINE_MS = 10_000
/** Of an operation that takes or answers a file, or answers a stream: until its last byte. */
export const BODY_DEADLINE_MS = 600_000
export const BODY_BYTES_MAX = 262_144
export const DEFAULT_SERVICE: ServiceSettings = {
  breaker: { failures: 5, of: 10, slowMs: Infinity, restMs: 10_000 },
  concurrency: 128,
  queueMax: 512,
}
export const DEFAULT_ATTEMPTS: Readonly<Record<"read" | "write", AttemptSettings>> = {
  read: { timeoutMs: 2_000, retries: 2, backoffMs: 100 },
  write: { timeoutMs: 5_000, retries: 2, backoffMs: 100 },
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
  }
}

export function serviceSettings(...policies: readonly (Policy | undefined)[]): ServiceSettings {
  const breaker = closest("breaker", policies)
  return {
    breaker: breaker === false ? null : breaker === undefined ? DEFAULT_SERVICE.breaker : breakerSettings(breaker),
    concurrency: closest("concurrency", policies) ?? DEFAULT_SERVICE.concurrency,
    queueMax: closest("queue", policies) ?? DEFAULT_SERVICE.queueMax,
  }
}

function breakerSettings(breaker: Exclude<Policy["breaker"], false | undefined>): BreakerSettings {
  return {
    failures: breaker.failures,
    of: breaker.of,
    slowMs: parseDuration(breaker.slow) ?? Infinity,
    restMs: parseDuration(breaker.rest) ?? DEFAULT_SERVICE.breaker!.restMs,
  }
}

function closest<F extends keyof Policy>(field: F, policies: readonly (Policy | undefined)[]): Policy[F] | undefined {
  return policies[sourceOf(field, policies)]?.[field]
}

/** What is wrong with a policy, in words that name the field; empty when nothing is. */
export function policyMistakes(policy: Policy): string[] {
  const mistakes: string[] = []
  const durationIn = (name: string, value: unknown): void => {
    if (value !== undefined && parseDuration(value) === null) mistakes.push(`${name} is not a duration such as "800ms" or "2s"`)
  }
  const countIn = (name: string, value: number | undefined, min: number): void => {
    if (value !== undefined && !(Number.isInteger(value) && value >= min))
      mistakes.push(`${name} must be a whole number of at least ${min}`)
  }
  const { retry, breaker } = policy
  durationIn("timeout", policy.timeout)
  countIn("concurrency", policy.concurrency, 1)
  countIn("queue", policy.queue, 0)
  countIn("retry", typeof retry === "object" ? retry.times : retry, 0)
  if (typeof retry === "object") durationIn("retry.backoff", retry.backoff)
  if (breaker) {
    countIn("breaker.failures", breaker.failures, 1)
    countIn("breaker.of", breaker.of, 1)
    durationIn("breaker.slow", breaker.slow)
    durationIn("breaker.rest", breaker.rest)
    if (breaker.failures > breaker.of) mistakes.push("breaker.failures is larger than breaker.of, so it would never open")
  }
  return mistakes
}

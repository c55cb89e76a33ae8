/** A number of milliseconds, or a number with its unit: `500`, `"800ms"`, `"2s"`, `"10m"`, `"24h"`, `"7d"`. At most 3,650 days. */
export type Duration = number | `${number}${"ms" | "s" | "m" | "h" | "d"}`

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Ten years: the end of what lasts longer could be no date, or no number that a database holds. */
const DAYS_MAX = 3_650

/** Milliseconds of a duration, or `null` when it is none: negative, longer than 3,650 days, not finite, unknown unit. */
export function parseDuration(duration: unknown): number | null {
  const ms = msOf(duration)
  return ms !== null && ms <= DAYS_MAX * UNIT_MS.d! ? ms : null
}

/** Why it is none, to follow its name: `is not a duration such as "2s"`. */
export function whyNoDuration(duration: unknown, example: Duration): string {
  return msOf(duration) === null ? `is not a duration such as "${example}"` : `is longer than ${DAYS_MAX} days`
}

function msOf(duration: unknown): number | null {
  if (typeof duration === "number") return Number.isFinite(duration) && duration >= 0 ? duration : null
  if (typeof duration !== "string") return null
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(duration)
  return match ? Number(match[1]) * UNIT_MS[match[2]!]! : null
}

/** For people, of what was measured: `0.4 ms`, `12 ms`, `1500 ms`. */
export function showMs(ms: number): string {
  return `${ms < 9.95 ? ms.toFixed(1) : Math.round(ms)} ms`
}

/** For people: `340ms`, `2.5s`, `3m`. */
export function showDuration(ms: number): string {
  // The limits are where rounding would reach the next unit: 999.7 is "1s", not "1000ms".
  if (ms < 999.5) return `${Math.round(ms)}ms`
  if (ms < 59_950) return `${Math.round(ms / 100) / 10}s`
  if (ms < 3_597_000) return `${Math.round(ms / 6_000) / 10}m`
  return `${Math.round(ms / 360_000) / 10}h`
}

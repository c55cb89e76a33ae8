import type { Duration } from "../base/duration.ts"

const UNIT_MS: Readonly<Record<string, number>> = { s: 1e3, m: 6e4, h: 36e5, d: 864e5 }

/**
 * Like `parseDuration` of the server, in a third of its bytes; a test compares the two. What is no duration gives NaN or a negative
 * number, which `AbortSignal.timeout` refuses.
 */
export function millisecondsOf(duration: Duration): number {
  // One letter after a digit: the "s" of "ms" has none before it.
  return Math.ceil(parseFloat(duration as string) * (UNIT_MS[/\d(.)$/.exec(duration as string)?.[1] as string] ?? 1))
}

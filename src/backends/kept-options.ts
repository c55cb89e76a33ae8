import { type Duration, parseDuration, whyNoDuration } from "../base/duration.ts"

/** Answers of one `cache` or `lastGood` in memory. */
export const KEPT_ENTRIES_MAX = 1_000

/** What `cache` and `lastGood` have in common. */
export interface KeptOptions {
  readonly for: Duration
  readonly entries?: number | undefined
  readonly key?: unknown
  readonly shared?: true
}

/** What is wrong with them, in words that name the field. */
export function keptMistakes({ for: goodFor, entries, key, shared }: KeptOptions): string[] {
  const mistakes: string[] = []
  const forMs = parseDuration(goodFor)
  if (forMs === null) mistakes.push(`for ${whyNoDuration(goodFor, "30s")}`)
  if (forMs === 0) mistakes.push('for is not a duration above 0 such as "30s"')
  if (entries !== undefined && !(Number.isInteger(entries) && entries >= 1)) mistakes.push("entries must be a whole number of at least 1")
  return [...mistakes, ...sharingMistakes({ key, shared })]
}

/** What is wrong with how answers are shared. */
export function sharingMistakes({ key, shared }: { readonly key?: unknown; readonly shared?: true | undefined }): string[] {
  const mistakes: string[] = []
  if (key !== undefined && typeof key !== "function") mistakes.push("key must be a function of the input that gives a text")
  // `shared: false` in plain JavaScript must not come to mean the opposite.
  if (shared !== undefined && shared !== true) mistakes.push("shared is true or absent")
  return mistakes
}

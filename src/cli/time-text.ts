const UNITS = [
  [86_400_000, "day"],
  [3_600_000, "h"],
  [60_000, "min"],
  [1_000, "s"],
] as const

/** As people say it, in one unit: `12 s`, `3 min`, `5 h`, `1 day`, `4 days`. What is under a second is `0 s`. */
export function spanText(ms: number): string {
  const [unit, word] = UNITS.find(([unit]) => ms >= unit) ?? UNITS.at(-1)!
  const count = Math.max(0, Math.floor(ms / unit))
  return `${count} ${word}${word === "day" && count > 1 ? "s" : ""}`
}

/** How long ago that was, or how soon it will be. */
export function fromNow(epoch: number, now: number): string {
  return epoch > now ? `in ${spanText(epoch - now)}` : `${spanText(now - epoch)} ago`
}

/** UTC, to the second: `2026-11-22T17:20:11Z`. */
export function momentText(epoch: number): string {
  return `${new Date(epoch).toISOString().slice(0, 19)}Z`
}

// @ts-check
// Scores that are still to come are looked for now and then, for a while.

/** Pauses between looks, in milliseconds: each longer than the one before, about six minutes in all. */
const PAUSES = [1_000, 1_000, 2_000, 3_000, 5_000, 8_000, 12_000, 20_000, 30_000, 60_000, 60_000, 60_000, 60_000]

/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer

/**
 * Calls `look` until it says that nothing is to come any more, or for as long as it is worth it. A tab that nobody sees asks nothing.
 * @param {() => Promise<boolean>} look
 */
export function lookForScores(look, pauses = PAUSES) {
  stopLooking()
  const [pauseMs, ...rest] = pauses
  if (pauseMs === undefined) return
  timer = setTimeout(async () => {
    if (document.hidden) return lookForScores(look, pauses)
    if (await look()) lookForScores(look, rest)
  }, pauseMs)
}

export function stopLooking() {
  clearTimeout(timer)
}

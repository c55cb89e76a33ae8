import type { KeptWork } from "../contract/kept-work.ts"
import type { EventLog } from "../contract/ports.ts"

const NAMED_MAX = 10
const FIX = "unless another version of the application runs them: give the operation back its path with `was`, or trestle jobs drop"

/** Work of operations that the application has no more waits for ever, and nobody would hear of it. */
export function warnOfStrangers(work: KeptWork | null, events: EventLog): void {
  const strangers = (work?.jobs ?? [])
    .filter(({ isKnown }) => !isKnown)
    .map(({ operation, waiting, parked }) => ({ operation, jobs: waiting + parked }))
    .filter(({ jobs }) => jobs > 0)
  if (strangers.length === 0) return
  const named = strangers.slice(0, NAMED_MAX).map(({ operation, jobs }) => `${operation} (${jobs})`)
  const more = strangers.length > NAMED_MAX ? ` and ${strangers.length - NAMED_MAX} more` : ""
  events.warn(`jobs of operations that are not here wait for ever: ${named.join(", ")}${more}; ${FIX}`, {
    jobs: strangers.reduce((sum, { jobs }) => sum + jobs, 0),
    seeThem: "trestle jobs list",
  })
}

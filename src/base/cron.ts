import { createRequire } from "node:module"
import type { Cron as Croner } from "croner"

/** The times of a cron expression, in milliseconds since 1970. */
export interface CronTimes {
  /** The first after that moment; `null`: there is none any more. */
  next(after: number): number | null
  /** The last up to that moment; `null`: there was none. */
  last(until: number): number | null
}

/**
 * Reads a cron expression of five fields, or of six with seconds first, in a time zone of the IANA database. Where clocks are set, a time
 * that does not exist runs at the next one that does.
 */
export function parseCron(expression: string, zone: string): CronTimes | { readonly why: string } {
  // Loaded when the first expression is read: most applications have none, and the check of declarations cannot wait.
  const { Cron } = createRequire(import.meta.url)("croner") as { Cron: new (pattern: string, options: object) => Croner }
  const fields = expression.trim().split(/\s+/).length
  if (fields !== 5 && fields !== 6) return { why: `it has ${fields} fields, not the five of "minute hour day month weekday"` }
  try {
    const cron = new Cron(expression, { timezone: zone, paused: true })
    // A zone is looked up when it is first needed.
    if (cron.nextRun(new Date(0)) === null) return { why: "there is no such day" }
    return {
      next: (after) => cron.nextRun(new Date(after))?.getTime() ?? null,
      // It knows whole seconds, and gives what lies before the one that is named.
      last: (until) => cron.previousRuns(1, new Date(Math.floor(until / 1_000) * 1_000 + 1_000))[0]?.getTime() ?? null,
    }
  } catch (error) {
    return { why: (error as Error).message }
  }
}

import type { Clock } from "../base/clock.ts"
import type { CallRecord, EventLog } from "../contract/ports.ts"

/** A kind of drift is worth a line this often, however many calls meet it. */
const INTERVAL_MS = 10 * 60_000
const KINDS_MAX = 1_000

interface Said {
  saidAt: number
  /** Met since it was said last. */
  count: number
}

/**
 * Warns of data that have drifted from what a mapping declares, for operations with `drift: "warn"`: each kind at once, and then every ten
 * minutes with the number of times. Knows 1,000 kinds at most; declarations have far fewer.
 */
export class DriftWarnings {
  readonly #said = new Map<string, Said>()
  readonly #events: EventLog
  readonly #clock: Clock
  readonly #isWarned: (operation: string) => boolean

  constructor(events: EventLog, clock: Clock, isWarned: (operation: string) => boolean) {
    this.#events = events
    this.#clock = clock
    this.#isWarned = isWarned
  }

  record({ operation, ownRepairs, meta }: CallRecord): void {
    if (ownRepairs === undefined || !this.#isWarned(operation)) return
    for (const [what, count] of ownRepairs) this.#meet(operation, what, { count, servedBy: meta.servedBy })
  }

  #meet(operation: string, what: string, { count, servedBy }: { count: number; servedBy: string }): void {
    const now = this.#clock.now()
    const key = `${operation}\n${what}`
    const said = this.#said.get(key)
    if (said && now - said.saidAt < INTERVAL_MS) {
      said.count += count
      return
    }
    if (!said && this.#said.size >= KINDS_MAX) return
    const times = (said?.count ?? 0) + count
    this.#said.set(key, { saidAt: now, count: 0 })
    this.#events.warn(`data of ${servedBy} have drifted: ${what}`, { by: operation, times })
  }
}

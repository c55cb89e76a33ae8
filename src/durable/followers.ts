import type { Alarm, Clock, Rings } from "../base/clock.ts"
import type { BegunJob, JobEnd } from "../contract/job.ts"
import { TrestleError } from "../errors/trestle-error.ts"
import type { Jobs } from "./jobs.ts"

/** Jobs may run in another process, which tells nobody here. */
const LOOK_MS = 500

interface Follower {
  readonly tell: (end: JobEnd) => void
  /** It wants to hear too that the job will be run again later. */
  readonly isHurried: boolean
}

/** Those who wait for the end of a job: told at once of one that runs here, a little later of one that runs elsewhere. */
export class Followers implements Rings {
  readonly #jobs: Jobs
  readonly #clock: Clock
  readonly #waiting = new Map<string, Set<Follower>>()
  /** Being put at this moment, each as often as it is: not to find one of these says nothing. */
  readonly #beingPut = new Map<string, number>()
  readonly #looksElsewhere: boolean
  #alarm: Alarm | null = null

  /** @param looksElsewhere other processes may run jobs of this store */
  constructor(jobs: Jobs, clock: Clock, looksElsewhere: boolean) {
    this.#jobs = jobs
    this.#clock = clock
    this.#looksElsewhere = looksElsewhere
  }

  /**
   * Follows a job that is about to be put; `stored` says that it is.
   *
   * @param isHurried hears too that the job will be run again later: nothing happens until then
   */
  follow(id: string, isHurried = false): BegunJob {
    const waiting = this.#waiting.get(id) ?? new Set()
    this.#waiting.set(id, waiting)
    const { promise: end, resolve: tell } = Promise.withResolvers<JobEnd>()
    const follower = { tell, isHurried }
    waiting.add(follower)
    this.#beingPut.set(id, (this.#beingPut.get(id) ?? 0) + 1)
    if (this.#looksElsewhere) this.#alarm ??= this.#clock.after(LOOK_MS, this)
    return { end, leave: () => this.#leave(id, waiting, follower) }
  }

  /** It is there, or could not be put: from here on it can be looked for. */
  stored(id: string): void {
    const left = this.#beingPut.get(id)! - 1
    if (left === 0) this.#beingPut.delete(id)
    else this.#beingPut.set(id, left)
  }

  tell(id: string, end: JobEnd): void {
    const waiting = this.#waiting.get(id)
    if (!waiting) return
    this.#waiting.delete(id)
    for (const follower of waiting) follower.tell(end)
  }

  /** It will be run again later. */
  pause(id: string, end: JobEnd): void {
    const waiting = this.#waiting.get(id)
    if (!waiting) return
    for (const follower of waiting) {
      if (!follower.isHurried) continue
      waiting.delete(follower)
      follower.tell(end)
    }
    if (waiting.size === 0) this.#waiting.delete(id)
  }

  ring(): void {
    this.#alarm = null
    void this.#lookAll()
  }

  /** Looks whether one has ended already. */
  async look(id: string): Promise<void> {
    const end = await this.#jobs.endOf(id)
    if (end) this.tell(id, end)
    else if (end === undefined) this.tell(id, { is: "ended", error: forgotten(id) })
  }

  #leave(id: string, waiting: Set<Follower>, follower: Follower): void {
    waiting.delete(follower)
    if (waiting.size === 0 && this.#waiting.get(id) === waiting) this.#waiting.delete(id)
  }

  stop(): void {
    if (this.#alarm !== null) this.#clock.cancel(this.#alarm)
    this.#alarm = null
    this.#waiting.clear()
  }

  async #lookAll(): Promise<void> {
    // A store that does not answer now is asked again.
    for (const id of [...this.#waiting.keys()]) if (!this.#beingPut.has(id)) await this.look(id).catch(() => undefined)
    if (this.#waiting.size > 0) this.#alarm ??= this.#clock.after(LOOK_MS, this)
  }
}

function forgotten(id: string): TrestleError {
  return new TrestleError("OUTCOME_UNKNOWN", undefined, {
    outcome: "unknown",
    note: `the job ${id} is over, and what became of it is not kept`,
  })
}

import type { Alarm, Clock, Rings } from "../base/clock.ts"
import type { Stoppable } from "../contract/call.ts"
import type { NewJob } from "../contract/job.ts"
import type { EventLog } from "../contract/ports.ts"
import { Forgetting } from "./forgetting.ts"
import type { StoredEnd } from "./job-ends.ts"
import type { HeldJob } from "./job-record.ts"
import type { Jobs } from "./jobs.ts"
import { Runs } from "./runs.ts"
import { Shares } from "./shares.ts"

export interface WorkerOptions {
  readonly jobs: Jobs
  readonly clock: Clock
  readonly events: EventLog
  /** Runs one job; `ended` is called exactly once, before this returns where nothing has to be waited for. Gives what stops the run. */
  readonly run: (job: HeldJob, ended: (end: StoredEnd) => void) => Stoppable | null
  /** Hears of every end that was stored. Must not throw. */
  readonly ended: (job: HeldJob, end: StoredEnd) => void
  /** Jobs that are run at once, 1 and more. Default 64. */
  readonly slots?: number
  /** Jobs of several operations may come, so that none may take all slots. Default `false`. */
  readonly isShared?: boolean
  /** How long a lease holds before it must be renewed, in milliseconds. Default 30,000. */
  readonly leaseMs?: number
}

const SLOTS = 64
const LEASE_MS = 30_000
/** Nothing that is put by another process waits longer to be seen, where the store gives no hint. */
const LOOK_MS_MAX = 1_000
const LOOK_MS_MIN = 50
/** After a store that did not answer. */
const TROUBLE_MS = 500

/**
 * Runs the jobs of the store in this process, so many at a time.
 *
 * Looks for work when it is told that there is some, when something falls due, and now and then. One alarm renews all leases; a run whose
 * lease could not be renewed is stopped before it ends. Runs of jobs end in the store in batches: all ends of one turn of the event loop are
 * one unit.
 */
export class Worker implements Rings {
  readonly leaseMs: number
  readonly #options: WorkerOptions
  /** Of what runs, and of what is being put for a run here. */
  readonly #shares: Shares
  readonly #runs: Runs
  readonly #forgetting: Forgetting
  /** They hold their share of the slots, and had to be passed over. */
  #passedOver: ReadonlySet<string> = new Set()
  #isAwake = false
  #isClosed = false
  #isLooking = false
  #mustLookAgain = false
  #lookMs = LOOK_MS_MIN
  #look: Alarm | null = null
  #isHungry = false
  #ends: [HeldJob, StoredEnd][] = []
  #isTroubled = false

  constructor(options: WorkerOptions) {
    this.#options = options
    this.#shares = new Shares(options.slots ?? SLOTS, options.isShared ?? false)
    this.leaseMs = options.leaseMs ?? LEASE_MS
    const { jobs, clock } = options
    const troubled = (what: string, error: unknown): void => this.#troubled(what, error)
    this.#runs = new Runs({ jobs, clock, leaseMs: this.leaseMs, troubled })
    this.#forgetting = new Forgetting({ jobs, clock, troubled })
  }

  /** From here on it looks for work by itself. */
  start(): void {
    this.#isAwake = true
    this.poke()
    this.#forgetting.ring()
  }

  /** There may be something to do. */
  poke(): void {
    this.#lookMs = LOOK_MS_MIN
    if (this.#isAwake) void this.#claimAll()
  }

  /** It is time to look. */
  ring(): void {
    this.#look = null
    void this.#claimAll(true)
  }

  /** Runs everything that is due, and what comes of it, until nothing is due and nothing runs. For tests, in the place of `start`. */
  async work(): Promise<void> {
    do await this.#runs.idle()
    while ((await this.#claimOnce()) || this.#runs.size > 0)
  }

  /** Whether a job of that operation that is put now could begin at once. */
  hasRoomFor(operation: string): boolean {
    return this.#isAwake && this.#shares.mayTake(operation)
  }

  /** Puts a job and runs it here, without asking the store for it again. `"waits"`, `"known"`: it was not begun. */
  async putAndRun(job: NewJob): Promise<"begun" | "waits" | "known"> {
    const { jobs, clock } = this.#options
    const leaseEndsAt = clock.now() + this.leaseMs
    this.#shares.take(job.operation)
    let put: Awaited<ReturnType<Jobs["putLeased"]>> = "known"
    try {
      put = await jobs.putLeased(job, this.leaseMs)
    } finally {
      if (put === "known" || put === "waits") this.#shares.leave(job.operation)
    }
    if (put === "known" || put === "waits") return put
    this.#begin(put, leaseEndsAt)
    return "begun"
  }

  /** Claims nothing any more. What runs goes on. */
  stop(): void {
    this.#isAwake = false
    this.#isClosed = true
    this.#forgetting.stop()
    if (this.#look !== null) this.#options.clock.cancel(this.#look)
    this.#look = null
  }

  /** Resolves when nothing runs any more and every end is stored. */
  async drained(): Promise<void> {
    this.stop()
    await this.#runs.idle()
    this.#runs.stop()
  }

  // -- looking for work ---------------------------------------------------------------------------

  /** @param asksFirst reads, which is cheaper, whether anything is due at all */
  async #claimAll(asksFirst = false): Promise<void> {
    if (this.#isLooking) {
      this.#mustLookAgain = true
      return
    }
    this.#isLooking = true
    if (this.#look !== null) this.#options.clock.cancel(this.#look)
    this.#look = null
    try {
      let isDue = !asksFirst || (await this.#options.jobs.nextDueMs(this.#passedOver)) === 0
      while (isDue && !this.#isClosed) {
        this.#mustLookAgain = false
        isDue = ((await this.#claimOnce()) || this.#mustLookAgain) && !this.#isHungry
      }
      this.#isTroubled = false
      await this.#lookLater()
    } catch (error) {
      this.#troubled("the store cannot be asked for work", error)
      this.#lookIn(TROUBLE_MS)
    } finally {
      this.#isLooking = false
      if (this.#mustLookAgain) this.#lookIn(0)
    }
  }

  /** Whether there may be more. */
  async #claimOnce(): Promise<boolean> {
    const { jobs, clock } = this.#options
    this.#isHungry = this.#shares.isFull
    if (this.#isHungry) return false
    const { limit, without } = this.#shares.claimable()
    this.#passedOver = without
    const leaseEndsAt = clock.now() + this.leaseMs
    const claimed = await jobs.claim(limit, this.leaseMs, { operations: without, running: this.#runs.ids() })
    if (this.#isClosed) {
      await jobs.giveBack(claimed.jobs)
      return false
    }
    if (claimed.jobs.length > 0) this.#lookMs = LOOK_MS_MIN
    for (const job of claimed.jobs) this.#shares.take(job.operation)
    for (const job of claimed.jobs) this.#begin(job, leaseEndsAt)
    return claimed.isMore || claimed.jobs.length > 0
  }

  async #lookLater(): Promise<void> {
    const { jobs } = this.#options
    // Whoever ends makes room, and looks then.
    if (!this.#isAwake || this.#isHungry) return
    const dueMs = await jobs.nextDueMs(this.#passedOver)
    // What is due and was not to be had is somebody else's.
    this.#lookIn(dueMs ? Math.min(this.#lookMs, dueMs) : this.#lookMs)
    this.#lookMs = Math.min(LOOK_MS_MAX, this.#lookMs * 2)
  }

  #lookIn(ms: number): void {
    if (!this.#isAwake || this.#look !== null) return
    this.#look = this.#options.clock.after(ms, this)
  }

  // -- running ------------------------------------------------------------------------------------

  /** Its slot is taken. */
  #begin(job: HeldJob, leaseEndsAt: number): void {
    this.#runs.add(job, leaseEndsAt, () => this.#options.run(job, (end) => this.#end(job, end)))
  }

  #leave(job: HeldJob): void {
    if (this.#runs.remove(job)) this.#shares.leave(job.operation)
  }

  #end(job: HeldJob, end: StoredEnd): void {
    this.#ends.push([job, end])
    if (this.#ends.length === 1) queueMicrotask(() => void this.#store(this.#ends.splice(0)))
  }

  /** Again and again until the store has taken them, or the leases are over, or the process ends: then others do the work again. */
  async #store(ends: readonly [HeldJob, StoredEnd][]): Promise<void> {
    const { jobs, clock } = this.#options
    for (let left = ends; left.length > 0; ) {
      try {
        this.#stored(left, await jobs.end(left))
        return
      } catch (error) {
        this.#troubled("what became of jobs cannot be stored", error)
      }
      left = left.filter(([job]) => !this.#isLost(job))
      if (left.length > 0) await clock.pause(TROUBLE_MS)
    }
  }

  #isLost(job: HeldJob): boolean {
    if (this.#runs.isHeld(job) && !this.#isClosed) return false
    this.#leave(job)
    return true
  }

  #stored(ends: readonly [HeldJob, StoredEnd][], lost: readonly HeldJob[]): void {
    this.#isTroubled = false
    for (const job of lost) this.#options.events.warn(`the lease of ${job.operation} was lost: another run of it counts`, { job: job.id })
    for (const [job, end] of ends) {
      if (!lost.includes(job)) this.#options.ended(job, end)
      this.#leave(job)
    }
    // What comes next of a key, or again after a while, is due at another time than was known.
    if (
      this.#isHungry ||
      this.#canTakeUp() ||
      ends.some(([{ orderKey }, { is }]) => orderKey !== null || is === "failed" || is === "suspended")
    )
      this.poke()
  }

  /** Room has been made for an operation that had to be passed over. */
  #canTakeUp(): boolean {
    for (const operation of this.#passedOver) if (this.#shares.mayTake(operation)) return true
    return false
  }

  #troubled(what: string, error: unknown): void {
    if (this.#isTroubled) return
    this.#isTroubled = true
    this.#options.events.warn(what, { error })
  }
}

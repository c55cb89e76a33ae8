import type { Alarm, Clock, Rings } from "../base/clock.ts"
import type { CronTimes } from "../base/cron.ts"
import type { Random } from "../base/random.ts"
import type { NewJob } from "../contract/job.ts"
import type { Operation } from "../contract/operation.ts"
import type { EventLog } from "../contract/ports.ts"
import { scheduleOf } from "../contract/schedule.ts"
import { nothing } from "../contract/schema.ts"
import type { Store, StoreStatement } from "../contract/store.ts"
import { IN_LINE } from "./job-statements.ts"

export interface SchedulesOptions {
  readonly operations: readonly Operation[]
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
  readonly events: EventLog
  readonly putting: (job: NewJob) => readonly StoreStatement[]
  /** A job was put. */
  readonly woken: () => void
}

interface Scheduled {
  readonly operation: Operation
  readonly times: CronTimes
}

/** The calendar may be set, and a store may be away for a while. */
const LOOK_MS_MAX = 30_000
/** Clocks of nodes differ by less than this: a day. */
const AHEAD_MS_MAX = 86_400_000
/** A difference that somebody should hear of. */
const AHEAD_MS_TOLD = 60_000

const KNOWN = "select operation, at from trestle_schedules"
const BEGIN = "insert into trestle_schedules (operation, at) values (?, ?) on conflict (operation) do nothing"
const TAKE = "update trestle_schedules set at = ? where operation = ? and at < ?"
const SET_BACK = "update trestle_schedules set at = ? where operation = ? and at = ?"
const WAITS = `select 1 as waits from trestle_jobs
  where operation = ? and order_key = '' and kind = 'schedule' and state = 'waiting' and ${IN_LINE} limit 1`

/**
 * Puts the jobs of scheduled operations at their times: for each time one, whichever node is first. After times that nobody was there for,
 * one job for the last of them; while one waits, none. The first start of an operation waits for its next time.
 */
export class Schedules implements Rings {
  readonly #options: SchedulesOptions
  readonly #scheduled: readonly Scheduled[]
  /** Time of the last job of each operation, as far as this node knows. */
  readonly #putAt = new Map<string, number>()
  #alarm: Alarm | null = null
  #isStopped = false
  #hasWarned = false
  /** Paths of those that were last put by a clock that was ahead, which has been told. */
  readonly #ahead = new Set<string>()

  constructor(options: SchedulesOptions) {
    this.#options = options
    this.#scheduled = options.operations.flatMap((operation) => {
      const { every } = operation.declaration.contract
      const times = every === undefined ? null : scheduleOf(every)
      return times === null || "why" in times ? [] : [{ operation, times }]
    })
  }

  /** Learns what was done before this start. */
  async open(): Promise<void> {
    if (this.#scheduled.length === 0) return
    const { store, clock } = this.#options
    const now = clock.epoch()
    await store.unit(this.#scheduled.map(({ operation, times }) => ({ text: BEGIN, values: [operation.path, times.last(now) ?? now] })))
    for (const { operation, at } of await store.read({ text: KNOWN, values: [] })) this.#putAt.set(operation as string, at as number)
  }

  /** From here on it puts them by itself. */
  start(): void {
    if (this.#scheduled.length > 0) this.ring()
  }

  ring(): void {
    this.#alarm = null
    this.putDue()
      .catch((error: unknown) => this.#warn(error))
      .finally(() => this.#later())
  }

  /** Puts what is due by now. */
  async putDue(): Promise<void> {
    const now = this.#options.clock.epoch()
    for (const { operation, times } of this.#scheduled) {
      const at = times.last(now)
      const aheadMs = this.#putAt.get(operation.path)! - now
      if (aheadMs > AHEAD_MS_MAX) await this.#setBack(operation, at ?? now)
      else this.#tellAhead(operation, aheadMs)
      if (at !== null && at > this.#putAt.get(operation.path)!) await this.#put(operation, at)
    }
    this.#hasWarned = false
  }

  stop(): void {
    this.#isStopped = true
    if (this.#alarm !== null) this.#options.clock.cancel(this.#alarm)
  }

  /** The clock was ahead when it was last put, and has been set right: without this, nothing would be put until it is that time again. */
  async #setBack({ path }: Operation, at: number): Promise<void> {
    const { store, events } = this.#options
    const wrong = this.#putAt.get(path)!
    await store.unit([{ text: SET_BACK, values: [at, path, wrong] }])
    this.#putAt.set(path, at)
    events.warn(`${path} was last put for ${new Date(wrong).toISOString()}, by a clock that was ahead: it is put by the present one again`)
  }

  /** Of a clock that was ahead by less nobody knows whether it was right: its times are not run twice, and somebody hears why nothing runs. */
  #tellAhead({ path }: Operation, aheadMs: number): void {
    if (aheadMs <= AHEAD_MS_TOLD) this.#ahead.delete(path)
    else if (!this.#ahead.has(path)) {
      this.#ahead.add(path)
      const last = new Date(this.#putAt.get(path)!).toISOString()
      this.#options.events.warn(
        `${path} was last put for ${last}, by a clock that was ahead of this one: it is not put again before that time`,
      )
    }
  }

  async #put(operation: Operation, at: number): Promise<void> {
    const { store, putting, woken } = this.#options
    const { path } = operation
    const taking: StoreStatement = { text: TAKE, values: [at, path, at], expects: 1 }
    // One run makes up for all times that have passed before it begins.
    const [waiting] = await store.read({ text: WAITS, values: [path] })
    const isOurs = (await store.unit(waiting ? [taking] : [taking, ...putting(this.#jobOf(operation, at))])) !== null
    this.#putAt.set(path, at)
    if (isOurs && !waiting) woken()
  }

  #jobOf({ path, contractHash, declaration }: Operation, at: number): NewJob {
    const id = `schedule/${path}/${new Date(at).toISOString()}`
    return {
      id,
      kind: "schedule",
      operation: path,
      input: declaration.contract.input === nothing ? undefined : {},
      // A run that takes longer than the time between two of them is waited for.
      orderKey: "",
      blocks: false,
      principal: null,
      isOwnAuthority: true,
      trace: this.#options.random.hex(16),
      idempotencyKey: id,
      contractHash,
    }
  }

  #later(): void {
    if (this.#isStopped) return
    const now = this.#options.clock.epoch()
    const next = Math.min(...this.#scheduled.map(({ times }) => times.next(now) ?? Number.POSITIVE_INFINITY))
    this.#alarm = this.#options.clock.after(Math.min(LOOK_MS_MAX, Math.max(1, next - now)), this)
  }

  #warn(error: unknown): void {
    if (!this.#hasWarned) this.#options.events.warn("scheduled operations cannot be put", { error })
    this.#hasWarned = true
  }
}

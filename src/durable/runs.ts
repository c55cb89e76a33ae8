import type { Alarm, Clock, Rings } from "../base/clock.ts"
import type { Stoppable } from "../contract/call.ts"
import { TrestleError } from "../errors/trestle-error.ts"
import type { HeldJob } from "./job-record.ts"
import type { Jobs } from "./jobs.ts"

/** Leases are renewed so often while they last; a run whose lease has less than a third left is stopped. */
const BEATS = 6

/** A job that runs here. */
class Run {
  readonly job: HeldJob
  stoppable: Stoppable | null = null
  /** On our own clock, counted from before it was asked for: the store's lease ends later. */
  leaseEndsAt: number
  isStopped = false

  constructor(job: HeldJob, leaseEndsAt: number) {
    this.job = job
    this.leaseEndsAt = leaseEndsAt
  }
}

export interface RunsOptions {
  readonly jobs: Pick<Jobs, "renew">
  readonly clock: Clock
  readonly leaseMs: number
  /** The store did not answer. */
  readonly troubled: (what: string, error: unknown) => void
}

/** What runs in this process, and its leases: one alarm renews them all. */
export class Runs implements Rings {
  readonly #options: RunsOptions
  /** By the job as it was claimed: a later claim of the same one has another fence. */
  readonly #runs = new Map<HeldJob, Run>()
  #heartbeat: Alarm | null = null
  #whenIdle: (() => void)[] = []

  constructor(options: RunsOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#runs.size
  }

  /** Of the jobs that run. */
  ids(): string[] {
    return Array.from(this.#runs.keys(), ({ id }) => id)
  }

  /** @param start runs the job; gives what stops the run */
  add(job: HeldJob, leaseEndsAt: number, start: () => Stoppable | null): void {
    const { clock, leaseMs } = this.#options
    const run = new Run(job, leaseEndsAt)
    this.#runs.set(job, run)
    this.#heartbeat ??= clock.after(leaseMs / BEATS, this)
    run.stoppable = start()
  }

  /** `false`: it was not there. */
  remove(job: HeldJob): boolean {
    const wasThere = this.#runs.delete(job)
    if (this.#runs.size === 0) for (const resolve of this.#whenIdle.splice(0)) resolve()
    return wasThere
  }

  /** Whether it is still ours to run, as far as this process can know. */
  isHeld(job: HeldJob): boolean {
    const run = this.#runs.get(job)
    return run !== undefined && run.leaseEndsAt > this.#options.clock.now()
  }

  /** Resolves when nothing runs any more. */
  idle(): Promise<void> {
    if (this.#runs.size === 0) return Promise.resolve()
    return new Promise((resolve) => void this.#whenIdle.push(resolve))
  }

  /** Renews no lease any more. */
  stop(): void {
    if (this.#heartbeat !== null) this.#options.clock.cancel(this.#heartbeat)
    this.#heartbeat = null
  }

  ring(): void {
    this.#heartbeat = null
    if (this.#runs.size === 0) return
    const { clock, leaseMs } = this.#options
    this.#heartbeat = clock.after(leaseMs / BEATS, this)
    for (const run of this.#runs.values()) if (run.leaseEndsAt - clock.now() <= leaseMs / 3) this.#stopRun(run)
    void this.#renew()
  }

  async #renew(): Promise<void> {
    const { jobs, clock, leaseMs, troubled } = this.#options
    const now = clock.now()
    const runs = [...this.#runs.values()].filter(({ isStopped }) => !isStopped)
    if (runs.length === 0) return
    const held = runs.map(({ job }) => job)
    try {
      const lost = new Set(await jobs.renew(held, leaseMs))
      for (const run of runs) {
        if (lost.has(run.job)) this.#stopRun(run)
        else run.leaseEndsAt = now + leaseMs
      }
    } catch (error) {
      troubled("leases cannot be renewed", error)
    }
  }

  /** What it has begun must be over before anybody else can begin it again. */
  #stopRun(run: Run): void {
    if (run.isStopped) return
    run.isStopped = true
    run.stoppable?.stop(new TrestleError("CANCELLED", undefined, { note: "the lease of its job could not be renewed" }))
  }
}

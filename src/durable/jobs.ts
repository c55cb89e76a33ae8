import type { JobEnd, JobEvent, JobProgress, NewJob } from "../contract/job.ts"
import type { SqlRow } from "../contract/sql-session.ts"
import type { Store, StoreResult, StoreStatement, StoreValue } from "../contract/store.ts"
import { JobEnds, nextOf, type StoredEnd } from "./job-ends.ts"
import { bodyOf, endOf, type FollowedJob, followedOf, type HeldJob, heldOf, historyText } from "./job-record.ts"
import * as SQL from "./job-statements.ts"
import { storedOrderKey } from "./order-key.ts"
import { PLAIN, type Seal } from "./seal.ts"
import { SealedText } from "./sealed-text.ts"

export interface JobsOptions {
  readonly store: Store
  /** Paths of the operations that this process can run, former ones included. */
  readonly operations: readonly string[]
  /** Milliseconds since 1970, for histories. */
  readonly epoch: () => number
  /** Default: plain text. */
  readonly seal?: Seal
}

const NONE: ReadonlySet<string> = new Set()

/** What a claim leaves out. */
export interface LeftOut {
  /** All of these operations. */
  readonly operations?: ReadonlySet<string>
  /** Ids of jobs that run in this process: they are not run twice, though their leases seem to be over. */
  readonly running?: readonly string[]
}

/** What a claim has found. */
export interface Claimed {
  readonly jobs: readonly HeldJob[]
  /** As much as was asked for was due, so there may be more. */
  readonly isMore: boolean
}

/**
 * The jobs in the store. Each has a lease while it runs, on the store's clock; every change by its holder carries the fence of that lease,
 * and changes nothing once somebody else holds a newer one.
 */
export class Jobs {
  readonly #store: Store
  readonly #operations: readonly string[]
  readonly #epoch: () => number
  readonly #text: SealedText
  readonly #ends: JobEnds
  readonly #claim: string
  readonly #nextDue: string

  constructor({ store, operations, epoch, seal = PLAIN }: JobsOptions) {
    this.#store = store
    this.#operations = operations
    this.#epoch = epoch
    this.#text = new SealedText(seal)
    this.#ends = new JobEnds(this.#text, epoch)
    this.#claim = SQL.claimText(store.dialect, operations.length)
    this.#nextDue = SQL.nextDueText(operations.length)
  }

  // -- putting ------------------------------------------------------------------------------------

  putting(job: NewJob): StoreStatement {
    const { id, kind, operation, blocks, isParked = false } = job
    const head = [id, kind, operation, storedOrderKey(job.orderKey), blocks ? 1 : 0, isParked ? "parked" : "waiting"]
    const dueMs = isParked ? null : Math.round(job.delayMs ?? 0)
    return { text: SQL.PUT, values: [...head, dueMs, expiryOf(job), ...this.#tailOf(job)], rowId: id }
  }

  /** `false`: one of that id is known. */
  async put(job: NewJob): Promise<boolean> {
    const [result] = await this.#unit([this.putting(job)])
    return result!.changes === 1
  }

  /** Puts a job with a lease of this process. `"waits"`: an earlier one of its key stands before it. `"known"`: one of its id is there. */
  async putLeased(job: NewJob, leaseMs: number): Promise<HeldJob | "waits" | "known"> {
    const [result] = await this.#unit([this.#puttingLeased(job, leaseMs)])
    const [row] = result!.rows
    if (row === undefined) return "known"
    return row.state === "waiting" ? "waits" : this.#justPut(job, row.put_at as number)
  }

  #puttingLeased(job: NewJob, leaseMs: number): StoreStatement {
    const { id, kind, operation, blocks } = job
    const orderKey = storedOrderKey(job.orderKey)
    const tail = [blocks ? 1 : 0, leaseMs, expiryOf(job), ...this.#tailOf(job)]
    if (orderKey === null) return { text: SQL.PUT_LEASED_FREE, values: [id, kind, operation, ...tail], rowId: id }
    return { text: SQL.PUT_LEASED, values: [id, kind, operation, orderKey, ...tail, operation, orderKey] }
  }

  /** What all ways of putting say last. */
  #tailOf(job: NewJob): StoreValue[] {
    const { id, trace, contractHash, why, followsUnknown = false } = job
    const history = why === undefined ? null : historyText([], this.#putEvent(why))
    return [followsUnknown ? 1 : 0, trace, contractHash, this.#text.write(bodyOf(job), id), history]
  }

  #justPut(job: NewJob, putAt: number): HeldJob {
    const { id, kind, operation, blocks, trace, contractHash, why, followsUnknown = false } = job
    return {
      id,
      kind,
      operation,
      orderKey: storedOrderKey(job.orderKey),
      blocks,
      attempts: 1,
      fence: 1,
      followsUnknown,
      isOrdered: false,
      putAt,
      isExpired: false,
      trace,
      contractHash,
      body: bodyOf(job),
      history: why === undefined ? [] : [this.#putEvent(why)],
    }
  }

  #putEvent(why: string): JobEvent {
    return { at: this.#epoch(), what: "put", why }
  }

  // -- running ------------------------------------------------------------------------------------

  /** Takes what is due, with a lease. */
  async claim(limit: number, leaseMs: number, { operations = NONE, running = [] }: LeftOut = {}): Promise<Claimed> {
    if (this.#operations.length === 0) return { jobs: [], isMore: false }
    const here = ` ${running.join(" ")} `
    const [result] = await this.#unit([{ text: this.#claim, values: [...this.#asked(operations), here, here, limit, leaseMs] }])
    const rows = result!.rows.filter(({ state }) => state === "running").sort((one, other) => (one.seq as number) - (other.seq as number))
    return { jobs: rows.map((row) => heldOf(row, this.#text)), isMore: result!.rows.length >= limit }
  }

  /** Milliseconds until something may be due, 0 and more; `null`: nothing is. */
  async nextDueMs(without: ReadonlySet<string> = NONE): Promise<number | null> {
    if (this.#operations.length === 0) return null
    const [row] = await this.#store.read({ text: this.#nextDue, values: this.#asked(without) })
    return row === undefined ? null : Math.max(0, row.delay as number)
  }

  /** Always as many, so that one text serves; no operation has an empty path. */
  #asked(without: ReadonlySet<string>): readonly string[] {
    return without.size === 0 ? this.#operations : this.#operations.map((path) => (without.has(path) ? "" : path))
  }

  /** Begins the leases anew. Gives those that have been lost. */
  async renew(jobs: readonly HeldJob[], leaseMs: number): Promise<readonly HeldJob[]> {
    const results = await this.#unit(jobs.map(({ id, fence }) => ({ text: SQL.RENEW, values: [leaseMs, id, fence], rowId: id })))
    return jobs.filter((_, i) => results[i]!.changes === 0)
  }

  /** Writes ends, all in one unit. Gives those that no longer were this process's to write. */
  async end(ends: readonly (readonly [HeldJob, StoredEnd])[]): Promise<readonly HeldJob[]> {
    const statements = ends.map(([job, end]) => this.#ends.statementsOf(job, end))
    // What is done to the jobs themselves stands together, for a store can do it to many at once.
    const results = await this.#unit([...statements.map(([first]) => first), ...statements.flatMap(([, ...others]) => others)])
    return ends.flatMap(([job], i) => (results[i]!.changes === 0 ? [job] : []))
  }

  /** Gives claimed jobs back that were not begun. */
  async giveBack(jobs: readonly HeldJob[]): Promise<void> {
    if (jobs.length > 0) await this.#unit(jobs.map(({ id, fence }) => ({ text: SQL.GIVE_BACK, values: [id, fence], rowId: id })))
  }

  /** Its unit is undone when somebody else holds the job by now. */
  stillHeld({ id, fence }: { readonly id: string; readonly fence: number }): StoreStatement {
    return { text: SQL.STILL_HELD, values: [id, fence], expects: 1 }
  }

  async progressed({ id, fence }: { readonly id: string; readonly fence: number }, progress: JobProgress): Promise<void> {
    await this.#unit([{ text: SQL.PROGRESS, values: [JSON.stringify(progress), id, fence] }])
  }

  // -- what is known ------------------------------------------------------------------------------

  /** How it has ended: `null` while it has not; `undefined`: nothing is known of it, or no more. */
  async endOf(id: string): Promise<JobEnd | null | undefined> {
    const row = await this.#row(id)
    return row === undefined ? undefined : endOf(row, this.#text)
  }

  /** `null` where there is none of that id. */
  async find(id: string): Promise<FollowedJob | null> {
    const row = await this.#row(id)
    return row === undefined ? null : followedOf(row, this.#text)
  }

  /** Whether some job of that key is open, or holds up the later ones. */
  async isQueued(operation: string, orderKey: string): Promise<boolean> {
    const rows = await this.#store.read({ text: SQL.IS_QUEUED, values: [operation, storedOrderKey(orderKey)] })
    return rows.length > 0
  }

  /** Takes back what cannot have had its effect; the later ones of its key go on. */
  async cancel(id: string): Promise<boolean> {
    const row = await this.#row(id)
    if (row === undefined) return false
    const job = { operation: row.operation as string, orderKey: row.order_key as string | null }
    const [result] = await this.#unit([{ text: SQL.CANCEL, values: [id] }, ...nextOf(job)])
    return result!.changes === 1
  }

  /** Removes what was kept long enough, some of it at a time. Gives whether there may be more. */
  async forget(): Promise<boolean> {
    const [result] = await this.#unit([{ text: SQL.FORGET, values: [] }])
    return result!.changes === SQL.FORGET_MAX
  }

  /** Gives what was put under former paths to the present ones. */
  async rename(former: readonly (readonly [was: string, is: string])[]): Promise<void> {
    if (former.length > 0) await this.#unit(former.map(([was, is]) => ({ text: SQL.RENAME, values: [is, was] })))
  }

  async #row(id: string): Promise<SqlRow | undefined> {
    const [row] = await this.#store.read({ text: SQL.FIND, values: [id] })
    return row
  }

  async #unit(statements: readonly StoreStatement[]): Promise<readonly StoreResult[]> {
    const results = await this.#store.unit(statements)
    // Nothing here expects a number of rows.
    return results!
  }
}

function expiryOf({ expiresMs }: NewJob): number | null {
  return expiresMs === undefined ? null : Math.round(expiresMs)
}

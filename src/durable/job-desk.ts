import type { JobReport, JobState } from "../contract/job.ts"
import type { Operation } from "../contract/operation.ts"
import type { SqlRow } from "../contract/sql-session.ts"
import type { Store, StoreStatement } from "../contract/store.ts"
import { workRemoved } from "./claims.ts"
import { nextOf } from "./job-ends.ts"
import { historyText, reportOf } from "./job-record.ts"
import * as SQL from "./job-statements.ts"
import { type JournalStep, journalStepsOf } from "./job-steps.ts"
import { FORGET_STEPS_OF_GONE, stepsOf } from "./journal.ts"
import { PLAIN, type Seal } from "./seal.ts"
import { SealedText } from "./sealed-text.ts"
import { type Settled, type Settlement, Settling, type Undecided } from "./settling.ts"

/** A job as it stands on the desk of a person. */
export interface DeskJob extends JobReport {
  /** Nobody has changed it since as long as this is the same. */
  readonly fence: number
  /** Its place in the order in which jobs were put. */
  readonly seq: number
  /** It, or of a flow something in it, may have had its effect. */
  readonly followsUnknown: boolean
  /** The job of its key that it has to wait for; of several one that waits for a person. */
  readonly heldUpBy: { readonly id: string; readonly state: JobState } | null
}

export interface DroppedJob extends DeskJob {
  /** Ids of deferred writes of a flow that could not be taken back: they may have been sent, or are sent later. */
  readonly left: readonly string[]
}

export interface JobDeskOptions {
  readonly store: Store
  /** Milliseconds since 1970, for histories. */
  readonly epoch: () => number
  /** Of the application, present. */
  readonly operations: readonly Operation[]
  /** Default: plain text. */
  readonly seal?: Seal
}

const PAGE = 200

/** What people do with jobs, while the application runs or not. */
export class JobDesk {
  readonly #store: Store
  readonly #epoch: () => number
  readonly #text: SealedText
  readonly #settling: Settling

  constructor({ store, epoch, operations, seal = PLAIN }: JobDeskOptions) {
    this.#store = store
    this.#epoch = epoch
    this.#text = new SealedText(seal)
    this.#settling = new Settling({ store, epoch, operations, text: this.#text })
  }

  async find(id: string): Promise<DeskJob | null> {
    const [row] = await this.#store.read({ text: SQL.SEE, values: [id] })
    return row === undefined ? null : this.#deskJob(row)
  }

  /** In the order in which they were put; read in pages, so what changes meanwhile may be seen or not. */
  async *all(state: JobState | "*" = "*"): AsyncGenerator<DeskJob> {
    for (let after = -1; ; ) {
      const rows = await this.#store.read({ text: SQL.LIST, values: [after, state, state, PAGE] })
      for (const row of rows) yield this.#deskJob(row)
      if (rows.length < PAGE) return
      after = rows.at(-1)!.seq as number
    }
  }

  /** The last first, of those in either state; read in pages. */
  async *newest([one, other]: readonly [JobState, JobState]): AsyncGenerator<DeskJob> {
    for (let before = Number.MAX_SAFE_INTEGER; ; ) {
      const rows = await this.#store.read({ text: SQL.LIST_NEWEST, values: [before, one, other, PAGE] })
      for (const row of rows) yield this.#deskJob(row)
      if (rows.length < PAGE) return
      before = rows.at(-1)!.seq as number
    }
  }

  /** The work that a suspended one waits for; `null` where it waits for none, or that is not there. */
  async workOf({ state, history }: DeskJob): Promise<DeskJob | null> {
    const work = state === "waiting" ? history.at(-1)?.work : undefined
    return work === undefined ? null : this.find(work)
  }

  /** The journal of a flow, in its order; nothing of what is no flow, or is over: then it is forgotten. */
  async steps({ id, kind }: DeskJob): Promise<readonly JournalStep[]> {
    return kind === "flow" ? journalStepsOf(await stepsOf(this.#store, id, this.#text)) : []
  }

  /**
   * Orders another run of each, as if it were the first: of those that wait, are parked or dead. Gives those that were changed; the others
   * run, are done, or have been changed by somebody else.
   */
  retry(jobs: readonly DeskJob[]): Promise<readonly DeskJob[]> {
    return this.#change(jobs, ({ id, fence, history }) => {
      const told = historyText(history, { at: this.#epoch(), what: "retried" })
      return [{ text: SQL.ORDER, values: [told, id, fence] }]
    })
  }

  /**
   * Removes them for good, of those that wait, are parked or dead, so that the later ones of their keys go on; with a flow also the deferred
   * writes that it waits for, as far as they cannot have been sent. Gives those that were. What is asked for again under their idempotency keys is
   * `OUTCOME_UNKNOWN` from then on.
   */
  async drop(jobs: readonly DeskJob[]): Promise<readonly DroppedJob[]> {
    const waitedFor = new Map<string, readonly SqlRow[]>()
    for (const job of jobs) if (job.kind === "flow") waitedFor.set(job.id, await this.#deferredBy(job))
    const removing = (job: DeskJob): StoreStatement[] => droppingOf(job, waitedFor.get(job.id) ?? [])
    const dropped = await this.#change(jobs, removing, (some) => [workRemoved(some.map(({ id }) => id))])
    return Promise.all(dropped.map(async (job) => ({ ...job, left: await this.#stillThere(waitedFor.get(job.id) ?? []) })))
  }

  /** The writes of a flow that are kept for later. */
  async #deferredBy({ id }: DeskJob): Promise<readonly SqlRow[]> {
    const found: SqlRow[] = []
    for (const { state, value } of await stepsOf(this.#store, id, this.#text))
      if (state === "deferred") found.push(...(await this.#store.read({ text: SQL.FIND, values: [value as string] })))
    return found
  }

  async #stillThere(work: readonly SqlRow[]): Promise<readonly string[]> {
    const found = await Promise.all(work.map(({ id }) => this.find(id as string)))
    return found.flatMap((job) => (job === null || job.state === "done" ? [] : [job.id]))
  }

  /** What of a job nobody knows: of a parked or dead flow its steps that may have happened, of another one the job itself. */
  undecided(job: DeskJob): Promise<readonly Undecided[]> {
    return this.#settling.undecided(job)
  }

  /**
   * Writes down what a person has found out of something undecided, and lets the job go on where nothing else of it is. What has happened is
   * done, with its answer; what has not is done now, or by a flow that fails never. Stands in the history.
   *
   * @throws {TrestleError} `CONFLICT`: it is neither parked nor dead, or has changed since it was looked at. `INVALID`: nothing of that name is
   * undecided, or the answer does not fit the output of its operation. Nothing is changed then.
   */
  settle(job: DeskJob, settlement: Settlement): Promise<Settled> {
    return this.#settling.settle(job, settlement)
  }

  /** So many in one unit; whoever runs the jobs hears of it. */
  async #change(
    jobs: readonly DeskJob[],
    change: (job: DeskJob) => readonly StoreStatement[],
    inTheEnd: (some: readonly DeskJob[]) => readonly StoreStatement[] = () => [],
  ): Promise<readonly DeskJob[]> {
    const changed: DeskJob[] = []
    for (let from = 0; from < jobs.length; from += PAGE) {
      const some = jobs.slice(from, from + PAGE)
      const statements = some.map(change)
      const results = (await this.#store.unit([...statements.flat(), ...inTheEnd(some)]))!
      let at = 0
      for (const [i, job] of some.entries()) {
        if (results[at]!.changes === 1) changed.push(job)
        at += statements[i]!.length
      }
    }
    if (changed.length > 0) this.#store.wake()
    return changed
  }

  #deskJob(row: SqlRow): DeskJob {
    const { fence, seq, follows_unknown, held_up_by } = row
    return {
      ...reportOf(row, this.#text),
      fence: fence as number,
      seq: seq as number,
      followsUnknown: follows_unknown === 1,
      heldUpBy: heldUpBy(held_up_by as string | null),
    }
  }
}

function droppingOf({ id, fence, operation, orderKey, kind }: DeskJob, waitedFor: readonly SqlRow[]): StoreStatement[] {
  const cancelling = waitedFor.flatMap((work) => [
    { text: SQL.CANCEL_WITH, values: [work.id as string, id] },
    ...nextOf({ operation: work.operation as string, orderKey: work.order_key as string | null }),
  ])
  return [
    { text: SQL.DROP, values: [id, fence] },
    ...nextOf({ operation, orderKey }),
    ...(kind === "flow" ? [{ text: FORGET_STEPS_OF_GONE, values: [id, id] }, ...cancelling] : []),
  ]
}

function heldUpBy(text: string | null): DeskJob["heldUpBy"] {
  if (text === null) return null
  const end = text.lastIndexOf(" ")
  return { id: text.slice(0, end), state: text.slice(end + 1) as JobState }
}

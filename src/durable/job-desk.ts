import type { JobReport, JobState } from "../contract/job.ts"
import type { SqlRow } from "../contract/sql-session.ts"
import type { Store, StoreStatement } from "../contract/store.ts"
import { historyText, reportOf } from "./job-record.ts"
import * as SQL from "./job-statements.ts"
import { FORGET_STEPS } from "./journal.ts"
import { PLAIN, type Seal } from "./seal.ts"
import { SealedText } from "./sealed-text.ts"

/** A job as it stands on the desk of a person. */
export interface DeskJob extends JobReport {
  /** Nobody has changed it since as long as this is the same. */
  readonly fence: number
  /** Its place in the order in which jobs were put. */
  readonly seq: number
}

export interface JobDeskOptions {
  readonly store: Store
  /** Milliseconds since 1970, for histories. */
  readonly epoch: () => number
  /** Default: plain text. */
  readonly seal?: Seal
}

const PAGE = 200

/** What people do with jobs, while the application runs or not. */
export class JobDesk {
  readonly #store: Store
  readonly #epoch: () => number
  readonly #text: SealedText

  constructor({ store, epoch, seal = PLAIN }: JobDeskOptions) {
    this.#store = store
    this.#epoch = epoch
    this.#text = new SealedText(seal)
  }

  async find(id: string): Promise<DeskJob | null> {
    const [row] = await this.#store.read({ text: SQL.FIND, values: [id] })
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

  /** Removes them for good, of those that wait, are parked or dead, so that the later ones of their keys go on. Gives those that were. */
  drop(jobs: readonly DeskJob[]): Promise<readonly DeskJob[]> {
    return this.#change(jobs, ({ id, fence, operation, orderKey, kind }) => [
      { text: SQL.DROP, values: [id, fence] },
      ...(orderKey === null ? [] : [{ text: SQL.NEXT_OF_KEY, values: [operation, orderKey] }]),
      ...(kind === "flow" ? [{ text: FORGET_STEPS, values: [id] }] : []),
    ])
  }

  /** So many in one unit; whoever runs the jobs hears of it. */
  async #change(jobs: readonly DeskJob[], change: (job: DeskJob) => readonly StoreStatement[]): Promise<readonly DeskJob[]> {
    const changed: DeskJob[] = []
    for (let from = 0; from < jobs.length; from += PAGE) {
      const some = jobs.slice(from, from + PAGE)
      const statements = some.map(change)
      const results = (await this.#store.unit(statements.flat()))!
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
    return { ...reportOf(row, this.#text), fence: row.fence as number, seq: row.seq as number }
  }
}

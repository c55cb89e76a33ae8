import type { JobEnd, JobEvent } from "../contract/job.ts"
import type { StoreStatement } from "../contract/store.ts"
import type { TrestleError } from "../errors/trestle-error.ts"
import { type HeldJob, historyText, outcomeText } from "./job-record.ts"
import * as SQL from "./job-statements.ts"
import { FORGET_STEPS } from "./journal.ts"
import type { SealedText } from "./sealed-text.ts"

/** A run's end, with how long to wait where it is to be run again. */
export type StoredEnd =
  | Exclude<JobEnd, { is: "failed" }>
  | {
      readonly is: "failed"
      readonly error: TrestleError
      readonly delayMs: number
      readonly step?: string
      /** Not one of its times. */
      readonly isOfNoFault?: boolean
    }

/** Between two runs, whatever a service asks for: 30 days. What cannot be counted any more could not be stored either. */
const PAUSE_MS_MAX = 2_592_000_000

/** What is written when a run has ended, by whoever still holds the job. */
export class JobEnds {
  readonly #text: SealedText
  readonly #epoch: () => number

  constructor(text: SealedText, epoch: () => number) {
    this.#text = text
    this.#epoch = epoch
  }

  /** The first of them tells by its changes whether the job was still its holder's. */
  statementsOf(job: HeldJob, end: StoredEnd): [StoreStatement, ...StoreStatement[]] {
    switch (end.is) {
      case "done":
      case "ended":
        return [this.#over(job, end), ...nextOf(job), ...(job.kind === "flow" ? [{ text: FORGET_STEPS, values: [job.id] }] : [])]
      case "suspended":
        return [this.#again(job, { told: suspensionOf(end), delayMs: end.delayMs, isCounted: false })]
      case "failed":
        return [this.#again(job, { told: failureOf(end), delayMs: end.delayMs, isCounted: !end.isOfNoFault, error: end.error })]
      case "parked":
      case "dead":
        // Behind one that has expired others may have, and they wait for no person.
        return job.blocks && !job.isExpired ? [this.#stopped(job, end)] : [this.#stopped(job, end), ...nextOf(job)]
    }
  }

  #over(job: HeldJob, end: Extract<StoredEnd, { is: "done" | "ended" }>): StoreStatement {
    const { id, fence, body } = job
    if (body === null || body.keepMs === 0) return { text: SQL.REMOVE, values: [id, fence], rowId: id }
    const left = this.#text.write({ ...body, input: undefined }, id)
    const kept = [body.keepMs, outcomeText(end, id, this.#text), left]
    if (end.is === "done") return { text: SQL.KEEP, values: [...kept, id, fence], rowId: id }
    return { text: SQL.KEEP_FAILED, values: [...kept, this.#told(job, failureOf(end)), id, fence], rowId: id }
  }

  #again(job: HeldJob, { told, delayMs, isCounted, error }: Again): StoreStatement {
    const delay = Math.min(Math.round(delayMs), PAUSE_MS_MAX)
    const counted = isCounted ? 0 : 1
    return {
      text: SQL.AGAIN,
      values: [counted, unknownAfter(job, error), this.#told(job, told), delay, delay, job.id, job.fence],
      rowId: job.id,
    }
  }

  #stopped(job: HeldJob, end: Extract<StoredEnd, { is: "parked" | "dead" }>): StoreStatement {
    const { id, fence } = job
    const outcome = outcomeText(end, id, this.#text)
    const told = this.#told(job, failureOf(end))
    return { text: SQL.STOPPED, values: [end.is, unknownAfter(job, end.error), outcome, told, id, fence], rowId: id }
  }

  #told({ history }: HeldJob, told: Told): string {
    return historyText(history, { at: this.#epoch(), ...told })
  }
}

type Told = Omit<JobEvent, "at">

interface Again {
  readonly told: Told
  readonly delayMs: number
  /** It counts as one of its times. */
  readonly isCounted: boolean
  readonly error?: TrestleError
}

function failureOf({ is, error, step }: { readonly is: JobEvent["what"]; readonly error: TrestleError; readonly step?: string }): Told {
  return { what: is, code: error.code, why: error.message, ...(step === undefined ? {} : { step }) }
}

function suspensionOf({ why, work }: Extract<StoredEnd, { is: "suspended" }>): Told {
  return { what: "suspended", why, ...(work === undefined ? {} : { work }) }
}

/** What may have happened once may have happened for good. */
function unknownAfter({ followsUnknown }: HeldJob, error: TrestleError | undefined): 0 | 1 {
  return followsUnknown || error?.outcome === "unknown" ? 1 : 0
}

/** Calls the one whose turn it is after that job. */
export function nextOf({ operation, orderKey }: Pick<HeldJob, "operation" | "orderKey">): StoreStatement[] {
  return orderKey === null ? [] : [{ text: SQL.NEXT_OF_KEY, values: [operation, orderKey] }]
}

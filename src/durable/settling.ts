import { answered } from "../contract/failure.ts"
import type { JobReport } from "../contract/job.ts"
import type { JournalEntry } from "../contract/journal.ts"
import type { Operation } from "../contract/operation.ts"
import { isDecidedByAnotherRun } from "../contract/repeatable.ts"
import type { SqlRow } from "../contract/sql-session.ts"
import type { Store, StoreStatement } from "../contract/store.ts"
import { invalid } from "../errors/trestle-error.ts"
import type { DeskJob } from "./job-desk.ts"
import { nextOf } from "./job-ends.ts"
import { endOf, historyText, type JobBody, outcomeText } from "./job-record.ts"
import * as SQL from "./job-statements.ts"
import { stepSettled, stepsOf, stepUnbegun } from "./journal.ts"
import type { SealedText } from "./sealed-text.ts"

/** Something of which nobody knows whether it has happened: a job, or a step of a flow. */
export interface Undecided {
  /** The step of a flow: its name, or its number where it has none. `null`: the job itself. */
  readonly step: string | null
  /** Path of the operation that may have had its effect. */
  readonly operation: string
  /** It answers with nothing, so no answer has to be told. */
  readonly isSilent: boolean
}

/** What a person has found out. */
export type Settlement = {
  /** Of a flow: which of its undecided steps. */
  readonly step?: string
  /** Who says so, for the history. */
  readonly by: string
  /** How they know, for the history. */
  readonly why: string
} & (
  | { readonly hasHappened: true /** What it gave: JSON, as its operation's output wants it. */; readonly answer?: unknown }
  | { readonly hasHappened: false }
)

/** What comes of it. */
export interface Settled {
  /** `again`: the job, a flow from where it stands, runs now. `done`: it is over. `parked`: something else of it is undecided. */
  readonly then: "again" | "done" | "parked"
  readonly left: readonly Undecided[]
}

export interface SettlingParts {
  readonly store: Store
  readonly epoch: () => number
  readonly text: SealedText
  /** Of the application: their outputs say which answers fit. */
  readonly operations: readonly Operation[]
}

/** An undecided one, and where it is kept. */
interface Found extends Undecided {
  readonly declared: Operation | undefined
  readonly entry: JournalEntry | null
  /** Of a deferred step: its work, where that is still there, given up on. */
  readonly work: SqlRow | null
  /** The flow would park for it again. */
  readonly holdsUp: boolean
}

/** What people have found out about work of which nobody knows whether it has happened. */
export class Settling {
  readonly #parts: SettlingParts

  constructor(parts: SettlingParts) {
    this.#parts = parts
  }

  /** What of a job is undecided: something only where it is parked or dead. */
  async undecided(job: DeskJob): Promise<readonly Undecided[]> {
    return (await this.#found(job)).map(told)
  }

  /** As `JobDesk.settle` says. */
  async settle(job: DeskJob, settlement: Settlement): Promise<Settled> {
    if (!isStopped(job)) throw answered("CONFLICT", {}, `it is ${job.state}; only what is parked or dead can be settled`)
    const all = await this.#found(job)
    const one = meantBy(settlement, all, job)
    const answer = settlement.hasHappened ? await checkedAnswer(settlement.answer, one) : undefined
    const left = all.filter((other) => other !== one && other.holdsUp)
    const change = one.entry
      ? this.#stepSettled(job, { ...one, entry: one.entry }, { settlement, answer, left })
      : await this.#jobSettled(job, settlement, answer)
    const { store } = this.#parts
    if ((await store.unit(change)) === null) throw answered("CONFLICT", {}, "it has changed at this moment; look at it again")
    store.wake()
    if (left.length > 0) return { then: "parked", left: left.map(told) }
    return { then: one.entry || !settlement.hasHappened ? "again" : "done", left: [] }
  }

  async #found(job: DeskJob): Promise<readonly Found[]> {
    if (!isStopped(job)) return []
    const { store, text } = this.#parts
    if (job.kind !== "flow") return job.followsUnknown ? [this.#one(job.operation, null, null)] : []
    const found: Found[] = []
    for (const entry of await stepsOf(store, job.id, text)) {
      const work = entry.state === "deferred" ? await this.#givenUp(entry.value as string) : undefined
      if (entry.state === "begun" || work !== undefined) found.push(this.#one(pathOf(entry), entry, work ?? null))
    }
    return found
  }

  #one(path: string, entry: JournalEntry | null, work: SqlRow | null): Found {
    const { operations } = this.#parts
    const declared = operations.find((one) => one.path === path || one.declaration.contract.was?.includes(path))
    const isDecidedByItself = entry?.state === "begun" && declared !== undefined && isDecidedByAnotherRun(declared)
    const operation = declared?.path ?? path
    const step = entry && nameOf(entry)
    return { step, operation, isSilent: declared?.isSilent ?? false, declared, entry, work, holdsUp: !isDecidedByItself }
  }

  /** The work of a deferred step of which nothing more will be heard: `null` where it was removed; `undefined`: more will be, or is known. */
  async #givenUp(id: string): Promise<SqlRow | null | undefined> {
    const { store, text } = this.#parts
    const [row] = await store.read({ text: SQL.FIND, values: [id] })
    if (row === undefined) return null
    const end = endOf(row, text)
    return end?.is === "dead" && end.error.outcome === "unknown" ? row : undefined
  }

  #stepSettled(
    job: DeskJob,
    one: Found & { readonly entry: JournalEntry },
    { settlement, answer, left }: { readonly settlement: Settlement; readonly answer: unknown; readonly left: readonly Found[] },
  ): StoreStatement[] {
    const { entry, work } = one
    const history = this.#told(job, `step ${one.step}`, settlement)
    const text = left.length > 0 ? SQL.SETTLED_IN_PART : SQL.SETTLED_AGAIN
    return [
      { text, values: [history, job.id, job.fence], expects: 1 },
      settlement.hasHappened ? stepSettled(job.id, entry, answer, this.#parts.text) : stepUnbegun(job.id, entry),
      // Nobody may send any more what has been decided.
      ...(work === null ? [] : removed(work)),
    ]
  }

  async #jobSettled(job: DeskJob, settlement: Settlement, answer: unknown): Promise<StoreStatement[]> {
    const { store, text } = this.#parts
    const history = this.#told(job, "it", settlement)
    const { id, fence } = job
    if (!settlement.hasHappened) return [{ text: SQL.SETTLED_AGAIN, values: [history, id, fence], expects: 1 }]
    const [row] = await store.read({ text: SQL.FIND, values: [id] })
    const body = row === undefined ? null : (text.read(row.body as string, id) as JobBody | null)
    if (body === null || body.keepMs === 0) return [{ text: SQL.DROP, values: [id, fence], expects: 1 }, ...nextOf(job)]
    const left = text.write({ ...body, input: undefined }, id)
    const outcome = outcomeText({ is: "done", answer }, id, text)
    return [{ text: SQL.SETTLED_DONE, values: [body.keepMs, outcome, left, history, id, fence], expects: 1 }, ...nextOf(job)]
  }

  #told({ history }: JobReport, what: string, { hasHappened, by, why }: Settlement): string {
    const said = `${what} has ${hasHappened ? "" : "not "}happened: ${why}`
    return historyText(history, { at: this.#parts.epoch(), what: "settled", by, why: said })
  }
}

function removed({ id, fence, operation, order_key }: SqlRow): StoreStatement[] {
  const drop = { text: SQL.DROP, values: [id as string, fence as number], expects: 1 }
  return [drop, ...nextOf({ operation: operation as string, orderKey: order_key as string | null })]
}

function isStopped({ state }: JobReport): boolean {
  return state === "parked" || state === "dead"
}

function told({ step, operation, isSilent }: Undecided): Undecided {
  return { step, operation, isSilent }
}

/** @throws {TrestleError} `INVALID` that names what is undecided. */
function meantBy({ step }: Settlement, all: readonly Found[], { kind }: JobReport): Found {
  const refuse = (message: string): never => {
    throw invalid([{ path: "step", message }])
  }
  if (all.length === 0) return refuse("nothing of it is undecided")
  const named = all.map((one) => one.step ?? "").join(", ")
  if (kind !== "flow") return step === undefined ? all[0]! : refuse("it is no flow, so it has no steps")
  if (step === undefined) return refuse(`which one? Undecided: ${named}`)
  return all.find((one) => one.entry!.key === step || one.step === step) ?? refuse(`"${step}" is not undecided; these are: ${named}`)
}

/** @throws {TrestleError} `INVALID` with what does not fit, never with the value. */
async function checkedAnswer(answer: unknown, { declared, operation }: Found): Promise<unknown> {
  if (declared === undefined) throw invalid([{ path: "answer", message: `${operation} is not in the application any more` }])
  const checked = await declared.output.check(answer)
  if ("value" in checked) return checked.value
  const at = (path: string): string => (path === "" ? "answer" : `answer.${path}`)
  throw invalid(checked.issues.map(({ path, message }) => ({ path: at(path), message })))
}

/** Of `orders.pay 1f0c...`. */
function pathOf({ what }: JournalEntry): string {
  return what.slice(0, what.indexOf(" "))
}

/** As it was given in the code, where nothing else could be meant by that. */
function nameOf({ key }: JournalEntry): string {
  return /^:(?!undo |\d)/.test(key) ? key.slice(1) : key
}

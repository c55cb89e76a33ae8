import { failure } from "../contract/failure.ts"
import type { Delivery } from "../contract/job.ts"
import type { Journal, JournalEntry } from "../contract/journal.ts"
import type { Store, StoreStatement, StoreTables } from "../contract/store.ts"
import { TrestleError } from "../errors/trestle-error.ts"
import { STILL_HELD } from "./job-statements.ts"
import type { SealedText } from "./sealed-text.ts"

/** Steps of one flow; a flow of more is a loop that should be several flows. */
const STEPS_MAX = 10_000

/** What flows have done. `body` holds a step's answer or error. */
export const FLOW_TABLES: StoreTables = {
  version: 3,
  statements: () => [
    `create table trestle_steps (
      flow text not null, step text not null, position integer not null, what text not null, state text not null, body text not null,
      primary key (flow, step)
    )`,
  ],
}

const READ = `select step, what, state, body from trestle_steps where flow = ? order by position limit ${STEPS_MAX + 1}`
const WRITE = `insert into trestle_steps (flow, step, position, what, state, body) values (?, ?, ?, ?, ?, ?)
  on conflict (flow, step) do update set state = excluded.state, body = excluded.body`
/** For whoever removes the job. */
export const FORGET_STEPS = "delete from trestle_steps where flow = ?"
/** The same, unless the job is still there. */
export const FORGET_STEPS_OF_GONE = `${FORGET_STEPS} and not exists (select 1 from trestle_jobs where id = ?)`

/** What a person has found out of a step that had begun or was deferred: it is done, or was never begun. Undone with its unit when that is not so any more. */
const SETTLE = "update trestle_steps set state = 'done', body = ? where flow = ? and step = ? and state = ?"
const UNBEGIN = "delete from trestle_steps where flow = ? and step = ? and state = ?"

/** Everything that a flow has done so far, in the order in which it was first written. */
export async function stepsOf(store: Store, flow: string, seal: SealedText): Promise<readonly JournalEntry[]> {
  const rows = await store.read({ text: READ, values: [flow] })
  return rows.map((row) => entryOf(row as unknown as StepRow, flow, seal))
}

/** Says of a step that it is done, with its answer. */
export function stepSettled(flow: string, { key, state }: JournalEntry, value: unknown, seal: SealedText): StoreStatement {
  return { text: SETTLE, values: [seal.writeAny(value === undefined ? {} : { value }, sealKey(flow, key)), flow, key, state], expects: 1 }
}

/** Says of a step that it has not begun. */
export function stepUnbegun(flow: string, { key, state }: JournalEntry): StoreStatement {
  return { text: UNBEGIN, values: [flow, key, state], expects: 1 }
}

/** Reads what a flow has done so far. */
export async function openJournal(store: Store, delivery: Delivery, seal: SealedText): Promise<Journal> {
  return new StoreJournal(store, delivery, { seal, entries: await stepsOf(store, delivery.id, seal) })
}

interface StepRow {
  readonly step: string
  readonly what: string
  readonly state: JournalEntry["state"]
  readonly body: string
}

function entryOf({ step, what, state, body }: StepRow, flow: string, seal: SealedText): JournalEntry {
  const kept = seal.readAny(body, sealKey(flow, step)) as Pick<JournalEntry, "value" | "error" | "servedBy"> | null
  if (kept !== null) return { key: step, what, state, ...kept }
  throw new TrestleError("INTERNAL", undefined, { outcome: "unknown", note: `step ${step} of flow ${flow} cannot be read` })
}

/** An encrypting seal binds it, so that no step can be passed off as another. */
function sealKey(flow: string, step: string): string {
  return `${flow}/${step}`
}

class StoreJournal implements Journal {
  readonly #store: Store
  readonly #delivery: Delivery
  readonly #seal: SealedText
  readonly #entries: Map<string, JournalEntry>

  constructor(
    store: Store,
    delivery: Delivery,
    { seal, entries }: { readonly seal: SealedText; readonly entries: readonly JournalEntry[] },
  ) {
    this.#store = store
    this.#delivery = delivery
    this.#seal = seal
    this.#entries = new Map(entries.map((entry) => [entry.key, entry]))
  }

  get keys(): readonly string[] {
    return [...this.#entries.keys()]
  }

  find(key: string): JournalEntry | undefined {
    return this.#entries.get(key)
  }

  async write(entries: readonly JournalEntry[], also: readonly StoreStatement[] = []): Promise<void> {
    const { id, fence } = this.#delivery
    const statements: StoreStatement[] = [{ text: STILL_HELD, values: [id, fence], expects: 1 }]
    for (const [i, entry] of entries.entries()) statements.push(this.#writing(entry, this.#entries.size + i))
    const results = await this.#store.unit([...statements, ...also])
    if (results === null) throw failure("not-connected", "write", { note: `flow ${id} is run by somebody else now` })
    for (const entry of entries) this.#entries.set(entry.key, entry)
  }

  #writing(entry: JournalEntry, position: number): StoreStatement {
    const { key, what, state, value, error, servedBy } = entry
    const kept = { ...(error && { error }), ...(value !== undefined && { value }), ...(servedBy !== undefined && { servedBy }) }
    return {
      text: WRITE,
      values: [this.#delivery.id, key, position, what, state, this.#seal.writeAny(kept, sealKey(this.#delivery.id, key))],
    }
  }
}

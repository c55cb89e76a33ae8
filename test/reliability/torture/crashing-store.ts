import type { Store, StoreStatement } from "../../../src/contract/store.ts"

/** Where the process can be made to die: before a unit of the store, or after it was committed and before anybody hears of it. */
export interface CrashPoint {
  readonly name: string
  readonly when: "before" | "after"
  /** Which units it stands at. */
  readonly at: (statements: readonly StoreStatement[]) => boolean
}

const has = (words: RegExp) => (statements: readonly StoreStatement[]) => statements.some(({ text }) => words.test(text))
const putsJob = has(/^\s*insert into trestle_jobs/)
const writesStep = has(/insert into trestle_steps/)
/** A journal entry's state is the fifth of its values. */
const writesState = (state: string) => (statements: readonly StoreStatement[]) =>
  writesStep(statements) && statements.some(({ text, values }) => text.includes("trestle_steps") && values[4] === state)

export const CRASH_POINTS: readonly CrashPoint[] = [
  { name: "jobs put", when: "after", at: putsJob },
  { name: "outbox delivered", when: "after", at: has(/delete from trestle_outbox/) },
  { name: "job claimed", when: "after", at: has(/is_held_up/) },
  { name: "job's end not stored", when: "before", at: has(/^delete from trestle_jobs|set state = '(done|failed)'/) },
  { name: "job's end stored", when: "after", at: has(/^delete from trestle_jobs|set state = '(done|failed)'/) },
  { name: "step begun", when: "after", at: writesState("begun") },
  { name: "step's answer not stored", when: "before", at: writesState("done") },
  { name: "key's answer not stored", when: "before", at: has(/update trestle_claims/) },
]

/** A store in whose process somebody pulls the plug at the `count`th unit of a kind. */
export class CrashingStore implements Store {
  readonly #store: Store
  readonly #point: CrashPoint
  #left: number

  constructor(store: Store, point: CrashPoint, count: number) {
    this.#store = store
    this.#point = point
    this.#left = count
  }

  get name(): string {
    return this.#store.name
  }

  get dialect(): Store["dialect"] {
    return this.#store.dialect
  }

  async unit(statements: readonly StoreStatement[]): ReturnType<Store["unit"]> {
    const { when, at } = this.#point
    const isHere = at(statements) && --this.#left === 0
    if (isHere && when === "before") die()
    const results = await this.#store.unit(statements)
    if (isHere) die()
    return results
  }

  read(statement: StoreStatement): ReturnType<Store["read"]> {
    return this.#store.read(statement)
  }

  watch(listener: () => void): () => void {
    return this.#store.watch(listener)
  }

  wake(): void {
    this.#store.wake()
  }

  close(): Promise<void> {
    return this.#store.close()
  }
}

/** At once: no handler runs, nothing is flushed. */
function die(): never {
  process.kill(process.pid, "SIGKILL")
  // The signal comes within a moment; until then this thread does nothing more.
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_000)
}

import type { StoreStatement } from "./store.ts"

/** One thing that a flow has done, or has begun to do. */
export interface JournalEntry {
  /** Unique within the flow: a name, or a number that counts its unnamed steps. */
  readonly key: string
  /** What was asked for: the operation's path and the hash of its input. A resumed flow that asks for something else has drifted. */
  readonly what: string
  /** `begun`: it may have happened. `deferred`: the work of the id `value` does it. `failed`: it has not happened, and `error` says why. */
  readonly state: "begun" | "done" | "failed" | "deferred"
  /** Anything that can be cloned; of `done` its answer. */
  readonly value?: unknown
  readonly error?: JournaledError
  /** Of `done`, where several services could have: the one that has served it. */
  readonly servedBy?: string | undefined
}

/** An error as it is kept: what its caller may know of it, and what the operator may. */
export interface JournaledError {
  readonly code: string
  readonly detail: string
  readonly status: number
  readonly outcome: "answered" | "refused" | "unknown"
  readonly note?: string
}

/** What one flow has done so far. Read once, when a run begins. */
export interface Journal {
  find(key: string): JournalEntry | undefined
  /** In the order in which they were first written. */
  readonly keys: readonly string[]
  /**
   * Writes entries, those of known keys in the place of the old ones, together with the statements of `also`. Resolves when they are durable.
   *
   * @throws {TrestleError} when the flow is no longer this process's to run, or the store does not answer: nothing more may be done.
   */
  write(entries: readonly JournalEntry[], also?: readonly StoreStatement[]): Promise<void>
}

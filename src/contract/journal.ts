import type { StoreStatement } from "./store.ts"

/** Key of the entry that says that the flow has failed, and is being undone. No step has such a key. */
export const FAILURE = "failure"
/** Begins the keys of what an undo runs: `undo :charge/:refund`, where `:` stands before a name that the code has given. */
export const UNDO = "undo "

/** A step as its code names it, "" where it does not. */
export function nameOfStep(key: string): string {
  return key.startsWith(":") ? key.slice(1) : ""
}

/** The same for people: its number where it has no name. */
export function labelOfStep(key: string): string {
  return nameOfStep(key) || key
}

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
  /** Hears of each undo that is begun, in whatever run, by the key of its step: for those who watch. */
  undoing?(step: string): void
}

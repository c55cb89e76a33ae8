import type { StoreValue } from "../../contract/store.ts"
import type { Reason } from "../../errors/reasons.ts"

/**
 * Units on their way to the connection that writes, perhaps in another thread: few objects and long flat lists, because what is copied
 * between threads is paid by the object. Texts are sent once, and have numbers from then on, in the order of their coming.
 */
export interface GroupMessage {
  readonly newTexts: readonly NumberedText[]
  /** One unit after the other: how many statements; for each of them the number of its text, what it expects or `ANY`, its values. */
  readonly units: readonly StoreValue[]
}

export interface NumberedText {
  readonly text: string
  /** How many values it takes. */
  readonly valueCount: number
}

/** Nothing is expected of how many rows a statement changes. */
export const ANY = -1

/** What became of a group. */
export interface GroupReply {
  /** `kept`: its commit has returned. What single units have met with stands in `results` then. */
  readonly outcome: "kept" | "refused" | "unknown"
  /** Why it was not kept. */
  readonly fault: Fault | null
  /** Names of what texts give, of those that give rows and were prepared for this group: number, names. */
  readonly newColumns: readonly (readonly [number, readonly string[]])[]
  /**
   * One unit after the other: `MET`, then for each statement the rows that it changed or gave, and the values of those it gave; or `UNMET`;
   * or `FAILED`, then its place in `faults`.
   */
  readonly results: readonly unknown[]
  readonly faults: readonly Fault[]
}

export const MET = 0
export const UNMET = 1
export const FAILED = 2

/** What was thrown, in a form that can be handed over to another thread. */
export interface Fault {
  readonly message: string
  /** SQLite's result code. */
  readonly errcode?: number | undefined
  /** The driver's own code. */
  readonly code?: string | undefined
  /** Where it is known already what it means. */
  readonly reason?: Reason | undefined
}

/** Whoever writes groups: this thread, or one of its own. One group at a time. Never rejects. */
export interface GroupWriter {
  /** @param texts all that there are; it sees to it that those it has not seen are handed over. */
  write(texts: readonly NumberedText[], units: readonly StoreValue[]): Promise<GroupReply>
  close(): Promise<void>
}

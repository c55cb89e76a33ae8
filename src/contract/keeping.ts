import type { TrestleError } from "../errors/trestle-error.ts"
import type { Meta } from "./call.ts"
import type { EventLog } from "./ports.ts"
import type { Principal } from "./principal.ts"

/** Whose kept answers must go: all of a principal, or only what one credential of it has brought. */
export interface Revocation {
  readonly id: string
  readonly kind: Principal["kind"]
  /** `Principal.credential`. Default: all of them. */
  readonly credential?: string
}

/** Whose a kept answer is; `null`: it is shared, or of callers without credentials. */
export type Owner = Revocation | null

/** Whether what is kept for that owner goes with what was revoked. */
export function isRevoked(owner: Owner, revoked: Revocation): boolean {
  if (owner === null || owner.id !== revoked.id || owner.kind !== revoked.kind) return false
  return revoked.credential === undefined || revoked.credential === owner.credential
}

/** What keeps answers: hears of every revocation, and has forgotten when it returns. */
export interface Keeps {
  forget(revoked: Revocation): void
}

/** What became of one call at a `cache`. */
export type CacheResult = "hit" | "stale" | "miss" | "coalesced"

/** One answer as it is kept beyond the process. */
export interface ShelvedAnswer {
  readonly value: unknown
  /** When it was given, in milliseconds since 1970. */
  readonly at: number
  /** Its version, without quotes. */
  readonly etag: string | null
}

/** One answer on its way there. */
export interface AnswerToShelve extends ShelvedAnswer {
  /** When it is too old for any use, in milliseconds since 1970: it is removed then, so that nothing stays longer than was declared. */
  readonly until: number
  /** About what it takes in memory. */
  readonly bytes: number
}

/** Answers of one operation that outlive the process. Neither method throws: what cannot be read is not there, what cannot be written is lost. */
export interface Shelf {
  find(owner: Owner, key: string): ShelvedAnswer | null
  /** Written a little later, together with others; a crash may lose the last seconds. `null` removes. */
  put(owner: Owner, key: string, answer: AnswerToShelve | null): void
}

/** What the application gives to the backends that keep answers. */
export interface Keeping {
  /** Grows with every revocation: what was asked before one is not kept after it. */
  readonly revocations: number
  /** For what cannot be kept. */
  readonly events: EventLog
  add(keeps: Keeps): void
  /** Of that operation and contract; `null` where nothing outlives the process, as in tests. Holds `entriesMax` answers at most. */
  shelf(name: string, entriesMax: number): Shelf | null
  /** Counts what became of a call. */
  count(operation: string, result: CacheResult): void
}

const nothing = (): void => {}

/** For backends that keep nothing. */
export const KEEPS_NOTHING: Keeping = {
  revocations: 0,
  events: { info: nothing, warn: nothing, error: nothing },
  add: nothing,
  shelf: () => null,
  count: nothing,
}

/** What a service has marked an answer with, and the declared call that it belongs to. Source: RFC 9110, section 8.8. */
export interface Validator {
  readonly of: object
  readonly etag: string | undefined
  readonly lastModified: string | undefined
}

/** Lets a service say "unchanged" of an answer that is kept already. */
export interface Revalidation {
  readonly validator: Validator | null
  /** The kept answer, for a leaf whose service says that it holds. */
  readonly kept: unknown
  /** Of the answer that was given instead; `null` where the service has not marked it. */
  note(validator: Validator | null): void
}

/** How a call ended that was made for several callers, or for none. */
export interface Landed {
  readonly output: unknown
  readonly error: TrestleError | null
  readonly meta: Meta
  readonly ownRepairs: ReadonlyMap<string, number> | undefined
}

/** What a call apart is made for. */
export interface Passage extends Revalidation {
  /** `flight`: callers wait, and their records tell of it. `refresh`: nobody does, so it has a record of its own. */
  readonly entrance: "flight" | "refresh"
  /** Called exactly once; where nothing has to be waited for, before the call is handed out. */
  landed(landed: Landed): void
}

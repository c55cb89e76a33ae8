import type { SourcePlace } from "../base/source-place.ts"
import type { Outcome } from "../errors/reasons.ts"

/** What the caller of one operation gets when one service fails in one way. */
export interface FaultRow {
  readonly operation: string
  /** The service that fails; `null` where it is not known which it would be. */
  readonly service: string | null
  /** How: `refuses connections`; `null` for whatever could happen to it. */
  readonly fault: string | null
  /** Services that cannot be reached meanwhile, because this one is asked only when they have failed. */
  readonly after: readonly string[]
  /** Nothing broken was seen; a promise was broken; it could not be tried. */
  readonly result: "held" | "broken" | "untried"
  /** Code of the caller's error; `null` for an answer. */
  readonly code: string | null
  readonly outcome: "ok" | Outcome | null
  /** Who answered; `null` for an error. */
  readonly servedBy: string | null
  readonly isDegraded: boolean
  /** Tries made at services, over all of them. */
  readonly attempts: number
  readonly ms: number
  /** Effects that the call may have had at services, all counted at the receiving side. */
  readonly effects: number
  /** What broke, why it was not tried, or what else is to be said. */
  readonly why: string | null
  readonly trouble: FaultTrouble | null
}

/** What is wrong, for a finding. */
export interface FaultTrouble {
  readonly kind: "fallback not reached" | "write doubled" | "not tried" | "nothing to try it on"
  readonly message: string
  readonly fix: string
  readonly place: SourcePlace | null
}

/** A row of nothing: the fields that are the same for all that could not be tried. */
export const UNTRIED = {
  after: [],
  result: "untried",
  code: null,
  outcome: null,
  servedBy: null,
  isDegraded: false,
  attempts: 0,
  ms: 0,
  effects: 0,
} as const satisfies Partial<FaultRow>

import type { SourcePlace } from "../base/source-place.ts"
import type { Outcome } from "../errors/reasons.ts"

/** What the caller of one operation gets when one service fails in one way. */
export interface FaultRow {
  readonly operation: string
  /** The service that fails; `null` where it is not known which it would be. */
  readonly service: string | null
  /** How: `refuses connections`; `null` for whatever could happen to it. */
  readonly fault: string | null
  /** It fails in its n-th write alone, of a flow of several; `null`: in everything, from the first request on. */
  readonly nth: number | null
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
  /** Of a flow: the step that has failed, or of which nobody knows whether it has happened; `null` for none. */
  readonly step: string | null
  /** Of a flow: the steps that were taken back, the last first. */
  readonly undone: readonly string[]
  /** Effects that the call may have had at services, all counted at the receiving side. */
  readonly effects: number
  /** What broke, why it was not tried, or what else is to be said. */
  readonly why: string | null
  readonly trouble: FaultTrouble | null
}

/** What is wrong, for a finding. */
export interface FaultTrouble {
  readonly kind: "fallback not reached" | "write doubled" | "step not undone" | "not tried" | "nothing to try it on"
  readonly message: string
  readonly fix: string
  readonly place: SourcePlace | null
}

/** A row of nothing: the fields that are the same for all that could not be tried. */
export const UNTRIED = {
  nth: null,
  after: [],
  result: "untried",
  code: null,
  outcome: null,
  servedBy: null,
  isDegraded: false,
  attempts: 0,
  ms: 0,
  step: null,
  undone: [],
  effects: 0,
} as const satisfies Partial<FaultRow>

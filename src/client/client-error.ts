import type { Outcome } from "../errors/reasons.ts"
import type { Issue } from "../errors/trestle-error.ts"

/** What a failed call is known by. */
export interface ClientFailure {
  code: string
  detail: string
  issues: Issue[]
  trace: string
  outcome: Outcome
  /** HTTP status of the answer; 0 when none came. */
  status: number
  retryAfterMs?: number | undefined
  /** Of `PENDING`: id of the work that goes on. */
  work?: string | undefined
  cause?: unknown
}

/**
 * What a call of the client throws, and nothing else. `trace` is the support id; `outcome` says whether it may have happened all the
 * same. `cause` is set only where the program itself failed (token, network), never to what somebody answered.
 * The members come with `Object.assign`, which takes fewer bytes than a constructor.
 */
export class ClientError extends Error implements ClientFailure {
  declare readonly code: string
  declare readonly detail: string
  declare readonly issues: Issue[]
  declare readonly trace: string
  declare readonly outcome: Outcome
  declare readonly status: number
  declare readonly retryAfterMs?: number | undefined
  declare readonly work?: string | undefined

  // On the prototype's side: what is the object's own is the failure, and `.safe` spreads it.
  override get name(): string {
    return "ClientError"
  }
}

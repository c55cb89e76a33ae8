import type { Delivery, JobKind } from "../contract/job.ts"
import type { Revalidation } from "../contract/keeping.ts"
import type { Entry } from "../contract/ports.ts"
import type { Principal } from "../contract/principal.ts"
import type { Call } from "./call.ts"

/**
 * How a call begins. A class, not a literal, for the same reason as every other per-call object that refers to the call's world: see
 * `Listener` in the REST connector.
 */
export class CallStart {
  readonly entrance: "http" | "rpc" | "in-process" | "nested" | "flight" | "refresh" | JobKind
  readonly principal: Principal | null
  input: unknown
  entry: Entry | null = null
  /** 32 hexadecimal digits. Default: the parent's, or new. */
  trace: string | undefined
  idempotencyKey: string | undefined
  ifMatch: string | undefined
  /** Milliseconds; shortens the operation's deadline, never lengthens it. */
  deadlineMs: number | undefined
  /** Milliseconds that a job of a flow may last, in the place of the operation's deadline, which is its caller's patience. */
  lastsMs: number | undefined
  /** Milliseconds that its caller wants to wait for work that goes on anyway. */
  patienceMs: number | undefined
  /** Set for a job that is run from the store. */
  delivery: Delivery | null = null
  /** An earlier run of the same intent may have had its effect. */
  followsUnknown = false
  /** The service that must take it, where others could too. Default: that of the parent. */
  onlyAt: string | undefined
  /** The call that runs this one. */
  parent: Call | undefined
  revalidation: Revalidation | null = null
  /** Called when an answer that comes piece by piece is there to be read; the call goes on until it has been. */
  handedOver: ((call: Call) => void) | undefined
  /** Called by the application itself: rules about callers do not apply. */
  isOwnAuthority = false
  /** The caller had already given it up. */
  isCancelled = false

  constructor(entrance: CallStart["entrance"], principal: Principal | null) {
    this.entrance = entrance
    this.principal = principal
  }
}

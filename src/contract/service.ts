import type { Clock } from "../base/clock.ts"
import type { SourcePlace } from "../base/source-place.ts"
import type { TrestleError } from "../errors/trestle-error.ts"
import type { CallContext } from "./call.ts"
import type { DiagnosisHost, Step } from "./diagnosis.ts"
import type { BreakerState, Policy } from "./policy.ts"
import type { OpenTransport } from "./ports.ts"
import type { Ref, References } from "./reference.ts"
import type { Rehearsal } from "./stand-in.ts"

/** One configured external system, as its connector describes it. Nothing is opened until the application starts. */
export interface Service {
  readonly kind: string
  /** For logs, `servedBy` and messages. */
  readonly name: string
  readonly at: SourcePlace | null
  /** Where it is, for people: a URL, a file. Never with a credential in it. */
  readonly address?: Ref | string
  readonly references: readonly Ref[]
  readonly policy: Policy | undefined
  /** Same records and same ids as that one: a write may fall back to this service. */
  readonly replicaOf: Service | undefined
  /** What is wrong with the declaration itself, found without opening anything. */
  readonly mistakes: readonly string[]
  readonly isProbed: boolean
  readonly capabilities?: Capabilities
  /** Its database keeps messages on their way out, and remembers what was done, beside the application's own tables. */
  readonly outbox?: boolean
  open(host: ServiceHost): Connection | Promise<Connection>
  /**
   * Looks at everything that a request needs, in the order in which it needs it, up to the first that fails. Changes nothing at the service.
   * Without it `trestle doctor` opens the service and asks its health probe.
   */
  diagnose?(host: DiagnosisHost): Promise<readonly Step[]>
  /** How `trestle faults` puts something in its place that fails on demand. Without it, it tries nothing with this service, and says so. */
  readonly rehearsal?: Rehearsal
}

/** What a connector's driver can do, as flags, so that nobody asks for its kind. An absent flag has its default. */
export interface Capabilities {
  /** What is under way can be stopped: the socket is closed, the query cancelled. Default `true`. */
  readonly cancel?: boolean
}

export interface ServiceHost {
  readonly references: References
  readonly clock: Clock
  /** Most connections that can be of use at once. */
  readonly concurrency: number
  /** Opens the network; a test puts its own in its place. `null`: the connector's own. */
  readonly openTransport: OpenTransport | null
  /** A test's: what keeps data keeps it in memory, and begins with its tables made. */
  readonly isEphemeral: boolean
}

/** An opened service. */
export interface Connection {
  /** Resolves when the service answers its health probe, rejects with the reason when it does not. */
  probe?(): Promise<void>
  /** Idempotent. */
  close(): Promise<void>
}

/** How a running application stands with one of its services. */
export interface ServiceStatus {
  readonly service: string
  /** Its connector: `rest`. */
  readonly kind: string
  /** State of its circuit breaker. */
  readonly circuit: BreakerState
  /** Attempts under way. */
  readonly active: number
  /** Calls that wait for a place. */
  readonly waiting: number
  /** How many attempts may be under way now. */
  readonly places: number
}

/** Anything an application holds that stands for a service. */
export interface HasService {
  readonly "~service": Service
}

/** One try at a service, as its connector sees it. */
export interface Attempt {
  readonly call: CallContext
  /** 1 for the first. */
  readonly number: number
  /** Longest time in which nothing moves. */
  readonly timeoutMs: number
  /** An earlier attempt of this call may have had its effect: a conflict may then be with ourselves. */
  readonly followsUnknown: boolean
  /** Set by the connector when the first byte of the request may have left. Decides between `refused` and `unknown`. */
  isSent: boolean
  /** What to stop when the attempt's time is over. */
  stoppable: { stop(): void } | null
  /** Something of a long body has moved: the attempt's time begins anew. */
  moved(): void
  /** As long as it is `true` no time runs: what is waited for is on our side, such as the next piece of a file. */
  isWaitingForUs: boolean
  /**
   * Keeps the attempt's place when `send` resolves before the answer's last byte. Call what it returns exactly once, at that byte or with
   * what went wrong before it.
   */
  hold(): (error: TrestleError | null) => void
}

/** How a connector carries one declared call. */
export interface Exchange {
  /** Encodes the request, once per call: every attempt sends the same bytes. */
  prepare(input: unknown, call: CallContext): unknown
  /** Whether the same request can be sent once more; default yes. Asked after a failure only. */
  canRepeat?(request: unknown): boolean
  /** One attempt: send, read, check, map. Resolves with an answer that fits the contract. Rejects with a classified TrestleError. */
  send(request: unknown, attempt: Attempt): Promise<unknown>
}

/** What the service promises about one of its calls. */
export type Repeat = "none" | "natural" | { readonly key: string }

import type { Clock } from "../base/clock.ts"
import type { Duration } from "../base/duration.ts"
import type { Random } from "../base/random.ts"
import type { Common } from "../errors/catalog.ts"
import type { TrestleError } from "../errors/trestle-error.ts"
import type { Delivery, JobEnd } from "./job.ts"
import type { Revalidation } from "./keeping.ts"
import type { Drift } from "./mapping.ts"
import type { Op } from "./op.ts"
import type { Principal } from "./principal.ts"

/** What every result says of its making. */
export interface Meta {
  /** The service, or the kind of backend, that gave the answer. */
  readonly servedBy: string
  /** Tries made at services, over all of them. */
  readonly attempts: number
  readonly ms: number
  /** `false`, or why this is not the first choice's answer; `ageMs` where it is an older one. */
  readonly degraded: false | { readonly why: string; readonly ageMs?: number }
  /** How old the answer is, in milliseconds, where it was kept by a `cache` or `lastGood`; absent for a new one. */
  readonly ageMs?: number
  /** Trace id, also the support id of an error. */
  readonly trace: string
  /** Version of the answer, quoted as in its header field; absent where nobody named one. Source: RFC 9110, section 8.8.3. */
  readonly etag?: string
  /** Id of the work that goes on after this call, where its answer is provisional. */
  readonly work?: string
  /** What the mapping had to repair in the service's data: never a value. */
  readonly repaired?: Repaired
}

/** What only those may see who may `meta:read`. */
type Inside = "servedBy" | "attempts" | "ms"

/** The same as a remote caller is told it: who answered, after how many attempts and how long, only to those who may see that. */
export interface ToldMeta extends Omit<Meta, Inside>, Partial<Pick<Meta, Inside>> {}

/** Repairs of one answer: how many, and each kind of them once, at most 20 of those: `reg_dt → registeredOn: date`. */
export interface Repaired {
  readonly count: number
  readonly fields: readonly string[]
}

/** What a caller may say of one call. */
export interface CallOptions {
  /** Gives the call up. What has already reached a service may have happened. */
  signal?: AbortSignal
  /** The caller's token for "the same intent": handed on to services that take one. Default: a new one for each call. */
  idempotencyKey?: string
  /** Shortens the operation's own deadline; never lengthens it. */
  deadline?: Duration
  /** Only if the object is still of this version, as an earlier answer's `meta.etag` named it; else `PRECONDITION_FAILED`. */
  ifMatch?: string
}

/** What the code of a backend gets: the public face of a call. */
export interface Ctx<E extends string = string> {
  /** `null` for callers without credentials. */
  readonly user: Principal | null
  /** Aborts when the call ends early: its deadline, or its caller gave up. */
  readonly signal: AbortSignal
  /** Ends the call with a declared or common error. */
  fail(code: E | Common, detail?: string): never
  /**
   * Runs another operation of the application within this call: same caller, same deadline, same trace, its own access rules.
   * Its failure, if not caught, is this call's failure.
   */
  run<I, V, O, X extends E | Common, H>(operation: Op<I, V, O, X, H>, input: NoInfer<I>): Promise<O>
  /** What the contract says of drift: `person.read(row, ctx)` heeds it. */
  readonly drift: Drift
  /** Says what was repaired in data, by the names of the fields on both sides, never by the value. Goes to log, metrics and `meta`. */
  noteRepair(what: string): void
}

/** How an operation is run as a step of a flow. */
export interface StepOptions {
  /** With the authority of the application instead of the caller's. */
  readonly isOwnAuthority?: boolean
  /** The token of the step's own intent. */
  readonly idempotencyKey?: string
  /** An earlier run of the step may have had its effect. */
  readonly followsUnknown?: boolean
  /** As `CallContext.onlyAt`. */
  readonly onlyAt?: string | undefined
  /** Hears how its answer was made. */
  readonly heard?: (meta: Meta) => void
}

/** Something under way that a call can stop. */
export interface Stoppable {
  stop(why: TrestleError): void
  /** Of no use after the call, however it ends: an answer that nobody has read. */
  readonly endsWithCall?: boolean
}

/**
 * What combinators, policies and connectors get: the internal face of a call. One object per call, handed down, never copied.
 */
export interface CallContext {
  readonly operation: string
  readonly effect: "read" | "write"
  readonly principal: Principal | null
  readonly trace: string
  readonly clock: Clock
  readonly random: Random
  /** On the clock of `clock.now()`. */
  readonly deadlineAt: number
  /** Its caller has shortened the deadline. */
  readonly isHurried: boolean
  /** Made by the application itself: rules about callers do not apply. */
  readonly isOwnAuthority: boolean
  /** What is kept already and may still hold; `null` for most calls. */
  readonly revalidation: Revalidation | null
  /** Age of the answer so far; `null` for a new one. */
  readonly ageMs: number | null
  /** Version that the answer was given, without quotes. */
  readonly etag: string | null
  /** Whether, so far, the answer is not the first choice's. */
  readonly isDegraded: boolean
  /** Set once the call has ended early; nothing new may be begun. */
  readonly stopped: TrestleError | null
  readonly public: Ctx
  /** What the contract says of data that is not as its mapping declares it. */
  readonly drift: Drift
  /** Version that the caller expects the object to have; for the backend to compare. */
  readonly ifMatch: string | undefined
  /** The input as it was before validation: JSON. What is stored of a call, and compared. */
  readonly received: unknown
  /** How it came, where it is run from the store. */
  readonly delivery: Delivery | null
  /** An earlier run of the same intent may have had its effect: it ended as `unknown`, or its process died. */
  readonly followsUnknown: boolean
  /** Of an undo: the service that has served what it takes back. A write that this one and others could take goes to no other. */
  readonly onlyAt: string | undefined
  /** It, or a call that runs it, is run from the store, and so may be run again. */
  readonly isDelivered: boolean
  /** `idempotencyKey()` outlives the process: if the same intent is run again, after a crash too, it has the same one. */
  readonly isDurable: boolean
  /** For work that goes on after it: random, and the same again where the intent is called again under its claimed key. */
  newWorkId(): string
  /** The token of the caller's intent; the same for all attempts. */
  idempotencyKey(): string
  /** Asks to be stopped with the call. Detach when done. */
  attach(target: Stoppable): void
  detach(target: Stoppable): void
  /** From here on it cannot be ruled out that the call has had an effect. */
  noteSent(): void
  noteAttempt(): void
  noteServedBy(name: string): void
  noteDegraded(why: string, ageMs?: number): void
  /** Runs an operation within this call as `public.run` does, under a token of its own intent, and perhaps with the application's authority. */
  nest(operation: unknown, input: unknown, how?: StepOptions): Promise<unknown>
  /** How long its caller wants to wait for work that goes on anyway, in milliseconds. Default: to the deadline. */
  readonly patienceMs: number | undefined
  /** From here on its answer is provisional: the work of that id goes on, and the end of the deadline is `PENDING`. `null`: no more. */
  noteWork(id: string | null): void
  /** What its steps have done has been taken back: nothing has happened. */
  noteUndone(): void
  /** How the job ends that runs this call, where its answer or error does not say so. */
  noteJobEnd(end: JobEnd): void
  /** The answer was kept, and is that old. */
  noteAge(ageMs: number): void
  /**
   * Takes over what another call says of the making of an answer that this one gives too; `ownRepairs` where that call has no record in
   * which they could be counted.
   */
  adopt(made: Meta, ownRepairs?: ReadonlyMap<string, number>): void
  /** Names the version of the answer, without quotes. */
  noteEtag(tag: string): void
  /** Says what was repaired in a service's data, by the names of the fields on both sides, never by the value. */
  noteRepair(what: string): void
}

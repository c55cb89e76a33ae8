import type { References } from "./reference.ts"
import type { Std } from "./schema.ts"
import type { Connection, ServiceHost } from "./service.ts"

/** Values that fit what one operation declares, always the same ones. Each rejects, with an error that says why, where none is found. */
export interface Samples {
  /** What the operation's backend may answer: of its first example, else made from its schema. */
  answer(): Promise<unknown>
  /** One item of it, where it is a list or a stream. */
  item(): Promise<unknown>
  /** A value that a schema takes. */
  of(schema: Std): Promise<unknown>
}

/** One declared call of a service, as its stand-in has to know it. */
export interface RehearsedCall {
  /** In the form that `Service.rehearsal` of the same connector takes. */
  readonly call: unknown
  /** Why no healthy answer of it is known; absent where one is. */
  readonly unknown?: string
}

/** The same, and what its operation says of it. */
export interface PlacedCall {
  readonly call: unknown
  readonly effect: "read" | "write"
  /** Longest that one attempt may take. */
  readonly timeoutMs: number
}

/** One way in which a service can fail, as its stand-in makes it. */
export interface Fault {
  /** For people, the service being the subject: `refuses connections`. */
  readonly name: string
  /** The effect of the operations to which it can happen. Default: both. */
  readonly of?: "read" | "write"
  /** In the end it answers well, so what callers get can be told only where a healthy answer is known. */
  readonly isMild?: true
  /**
   * It can strike a single write and be over after it, as `StandIn.fail` is asked to then: so later steps of a flow are tried. Give it to few,
   * and clear ones: a refusal, and one after which the outcome is unknown.
   */
  readonly canPass?: true
}

/** What has come to a stand-in as a whole: a request, a commit. */
export interface Arrival {
  /** What was asked, in the words of its declaration: `POST /people`. */
  readonly asked: string
  /**
   * The effect that it may have had. Two arrivals with the same one have it once, because the service promises so: under the same key, or
   * because repeating has no further effect. `null`: it had none.
   */
  readonly effect: string | null
}

/** Stands in the place of a service, on this machine only, and fails as it is told. */
export interface StandIn {
  readonly arrivals: readonly Arrival[]
  /** In the place of `Service.open`: opens what the application would, towards the stand-in. */
  open(host: ServiceHost): Connection | Promise<Connection>
  /**
   * From now on it fails; before, it is well.
   *
   * @param nth only what would have the n-th effect from now on fails, and after it all is well again; asked of faults that `canPass`
   */
  fail(nth?: number): void | Promise<void>
  /** Closes it, and leaves nothing behind. */
  close(): Promise<void>
}

/** Why nothing can stand in the place of a service, and what would change that. */
export interface Lack {
  readonly why: string
  readonly fix: string
}

/** How `trestle faults` tries the services of a connector without the real ones. */
export interface Rehearsal {
  /** The ways in which they can fail, in the order in which they are shown. */
  readonly faults: readonly Fault[]
  /**
   * Sees to what its stand-ins need beside this process, once, before anything is tried; gives what lacks, or `null`. Default: nothing does.
   *
   * @param references that give nothing real but variables whose names begin with `TRESTLE_FAULTS_`
   */
  prepare?(references: References): Promise<Lack | null>
  /**
   * @param calls of the service, those of the operation that is tried first
   * @param fault what `fail` begins; `null` for one that stays well
   */
  standIn(calls: readonly PlacedCall[], fault: Fault | null): Promise<StandIn>
}

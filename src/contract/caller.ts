import type { Common } from "../errors/catalog.ts"
import type { Outcome } from "../errors/reasons.ts"
import type { Issue } from "../errors/trestle-error.ts"
import type { CallOptions, Meta, ToldMeta } from "./call.ts"
import type { Op } from "./op.ts"

/** A call that has failed, as `.safe` gives it: what a caller may know of it. */
export type Failure<C> = {
  ok: false
  code: C
  detail: string
  issues: readonly Issue[]
  trace: string
  retryAfterMs?: number
  /** Of `PENDING`: id of the work that goes on. */
  work?: string
  outcome: Outcome
}

/** A call that was answered, as `.safe` gives it. */
export type Success<O, M = Meta> = { ok: true; value: O; meta: M }

/** How an operation is called: for its value, as a result that never throws, or with the story of its making. */
export type Fn<I, O, E extends string, M = Meta> = {
  (input: I, options?: CallOptions): Promise<O>
  safe(input: I, options?: CallOptions): Promise<Success<O, M> | Failure<E | Common>>
  detailed(input: I, options?: CallOptions): Promise<{ value: O; meta: M }>
}

/** Every operation of an application, callable: in process, with the application's own authority. */
export type Callers<T> = { readonly [K in keyof T]: T[K] extends Op<infer I, any, infer O, infer E, any> ? Fn<I, O, E> : Callers<T[K]> }

/** An operation without `http` is not callable by remote callers. */
export interface NotExposed {
  readonly "~internal": "this operation has no http entrance"
}

/** What of an application others may call. One lazy mapped type: filtering keys instead made completions six times slower at 600 operations. */
export type Remote<T, M = ToldMeta> = {
  readonly [K in keyof T]: T[K] extends Op<infer I, any, infer O, infer E, infer H>
    ? H extends undefined
      ? NotExposed
      : Fn<I, O, E, M>
    : Remote<T[K], M>
}

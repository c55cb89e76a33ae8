import type { SourcePlace } from "../base/source-place.ts"
import type { TrestleError } from "../errors/trestle-error.ts"
import type { CallContext, Ctx } from "./call.ts"
import type { Policy } from "./policy.ts"
import type { Connection, Exchange, Service } from "./service.ts"

/**
 * The value that answers an operation: a service call, a placeholder, or a combination. Built-in and third-party backends are alike:
 * a kind, and a plan.
 */
export interface Backend<V, O, E extends string = never> {
  readonly kind: string
  readonly plan: Plan
  /** Carries the types only; never set. */
  readonly "~run"?: (input: V, ctx: Ctx<E>) => Promise<O>
  readonly "~e"?: E
}

/** Answers one call, with a value that has passed `site.accept`. */
export type Answer = (input: any, call: CallContext) => unknown

export interface Plan {
  /** Why there is no real backend yet; `allowInProduction` where that is accepted, with the reason. */
  readonly placeholder?: { readonly why: string; readonly allowInProduction?: string }
  /** Refuses to start on a write: its answer may be old or made up. */
  readonly isForReadsOnly?: boolean
  /** The service whose answer this is, for a leaf. */
  readonly service?: Service
  /** Backends inside this one. */
  readonly parts?: readonly Backend<any, any, any>[]
  /** Its parts are alternatives, tried in their order when the one before failed. */
  readonly fallsBack?: true
  /** Answers known before any call, to be checked against the contract before the start. */
  readonly samples?: readonly unknown[]
  /** Makes one sample from an input of the contract's examples. */
  readonly sampleFor?: (input: unknown) => unknown
  readonly policy?: Policy | undefined
  /** Where it was declared, for people. */
  readonly at?: SourcePlace | null
  /** What a leaf asks its service, for people: `GET /people/{id}`. */
  readonly asks?: string
  /** The ways in which a leaf's service can fail it, for `trestle explain`; without it those that every service has. */
  readonly failures?: (site: Pick<Site, "effect" | "errors">) => readonly KnownFailure[]
  /** What is wrong with the declaration itself. */
  readonly mistakes?: readonly string[]
  /** Called once, when the application starts. */
  bind(site: Site): Answer
}

/** One way in which an attempt can fail, with the very error that the connector makes of it. */
export interface KnownFailure {
  /** For people, the service being the subject: `says 503`. */
  readonly name: string
  /** Part of the request had left. */
  readonly isSent: boolean
  error(): TrestleError
}

/** Where a backend has been put: what it gets from the operation and the application round it. */
export interface Site {
  readonly operation: string
  readonly effect: "read" | "write"
  readonly errors: Readonly<Record<string, number>>
  /** Validates an answer against the contract, and notes who gave it. Throws the classified error when it does not fit. */
  accept(answer: unknown, call: CallContext, servedBy: string): unknown
  bind(part: Backend<any, any, any>): Answer
  connection(service: Service): Connection
  /** Puts the service's policies round an exchange, in their fixed order. */
  guard(service: Service, exchange: Exchange, options: { readonly policy: Policy | undefined; readonly mayRepeatUnknown: boolean }): Answer
}

/** Makes a backend value; the cast is here so that it is nowhere else. */
export function backend<V, O, E extends string = never>(kind: string, plan: Plan): Backend<V, O, E> {
  return { kind, plan }
}

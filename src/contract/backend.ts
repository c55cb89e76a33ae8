import type { SourcePlace } from "../base/source-place.ts"
import type { Common } from "../errors/catalog.ts"
import type { TrestleError } from "../errors/trestle-error.ts"
import type { CallContext, Ctx, Stoppable } from "./call.ts"
import type { Durable } from "./job.ts"
import type { Keeping, Passage } from "./keeping.ts"
import type { Drift, MappingFace } from "./mapping.ts"
import type { Operation } from "./operation.ts"
import type { Policy } from "./policy.ts"
import type { Connection, Exchange, Repeat, Service } from "./service.ts"
import type { RehearsedCall, Samples } from "./stand-in.ts"

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
export interface Answer {
  (input: any, call: CallContext): unknown
  /**
   * The same answer, given `rescue` in the place of each of its failures. For makers of promises that can settle them so: whoever handles the
   * failures then needs no second promise for the answers that are good. Absent: not offered.
   */
  readonly rescuedBy?: (rescue: Rescue) => Answer
}

/** What follows a failure: an answer after all, or a rejection. Never throws. */
export type Rescue = (failure: unknown, input: unknown, call: CallContext) => Promise<unknown>

/** What can be said of a backend before it is bound, and how it is bound to its operation. */
export interface Plan {
  /** Why there is no real backend yet; `allowInProduction` where that is accepted, with the reason. */
  readonly placeholder?: { readonly why: string; readonly allowInProduction?: string }
  /** Refuses to start on a write: its answer may be old or made up. */
  readonly isForReadsOnly?: boolean
  /** The service whose answer this is, for a leaf. */
  readonly service?: Service
  /** Databases in which it does something beside what its parts do. */
  readonly databases?: readonly Service[]
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
  /** What the stand-in of a leaf's service has to know of this call, for `trestle faults`. Default: nothing. */
  readonly rehearsed?: (samples: Samples) => RehearsedCall | Promise<RehearsedCall>
  /** How long a kept answer is given without asking for a new one, in milliseconds. */
  readonly freshMs?: number
  /** Common codes that it may give as real answers of its service, for documents. */
  readonly answers?: readonly Common[]
  /** Names the version of each answer, and compares `call.ifMatch` with that of the stored object. */
  readonly comparesVersion?: true
  /** What is wrong with the declaration itself. */
  readonly mistakes?: readonly string[]
  /** Those of its functions that are mappings. */
  readonly mappings?: readonly MappingFace[]
  /** The drifts of a contract that change anything for it. Default: any may. */
  readonly heedsDrift?: readonly Drift[]
  /** Of the last part of a `fallback`: it finds out what became of a write that may have had its effect, before that is sent again. */
  readonly reconciles?: true
  /** Operations that it may run although its caller may not. */
  readonly grants?: readonly unknown[]
  /** Of a leaf: what its service promises about being asked again. Default: nothing. */
  readonly repeat?: Repeat
  /** How long what it keeps for later may wait, in milliseconds. Default: it keeps nothing. */
  readonly expiresMs?: number
  /** Keeps work that outlives the call, so the application needs its store. */
  readonly isDurable?: true
  /** Keeps answers: while the process lives, or beyond it. */
  readonly keeps?: "memory" | "file"
  /** One answer of it is handed to several callers, so it must be whole. */
  readonly handsOutWhole?: true
  /** What it keeps for one caller is given to all. */
  readonly isShared?: boolean
  /** Its answer comes piece by piece, and is what the operation answers: a file, or items. */
  readonly gives?: "file" | "items"
  /** Refuses to start on a read, which changes nothing. */
  readonly isForWritesOnly?: boolean
  /** It keeps writes for later, and in no order. */
  readonly isUnordered?: boolean
  /** Called once, when the application starts. */
  bind(site: Site): Answer
  /** Of a part of a `fallback` that remembers what the parts before it answered; called in the place of `bind`. */
  readonly bindMemory?: (site: Site) => Memory
  /** Of the last part of a `fallback` that decides itself when it takes over from those before it, `first`; called in the place of `bind`. */
  readonly bindLast?: (site: Site, before: readonly Backend<any, any, any>[], first: Answer) => Answer
}

/** Says that nothing is remembered which still may be used. */
export const NOTHING_KEPT: unique symbol = Symbol("nothing kept")

/** A part of a fallback that remembers. */
export interface Memory {
  /** The remembered answer, or `NOTHING_KEPT`. */
  recall(input: unknown, call: CallContext): unknown
  /** Hears of a good answer. Never throws. `revocations` is what `Keeping.revocations` was when it was asked for. */
  hear(input: unknown, call: CallContext, answer: unknown, revocations: number): void
  /** Hears that a real answer was an error: what it remembers holds no longer. Never throws. */
  deny(input: unknown, call: CallContext): void
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
  /** What is done once in its database, or at its services, is known there by this: the first path of the operation. */
  readonly origin: string
  readonly effect: "read" | "write"
  readonly errors: Readonly<Record<string, number>>
  /** Validates an answer against the contract, and notes who gave it. Throws the classified error when it does not fit. */
  accept(answer: unknown, call: CallContext, servedBy: string): unknown
  bind(part: Backend<any, any, any>): Answer
  /**
   * Prepares an answer to be given in calls of its own, made for several callers or for none: of the same operation and principal and with
   * the same authority as the call they are `like`, with the operation's whole deadline. Stop one when nobody wants it any more.
   */
  apart(answer: Answer): (input: unknown, like: CallContext, passage: Passage) => Stoppable
  readonly keeping: Keeping
  /** The operation of the application that was declared so; `undefined`: it is not among its `ops`. */
  find(operation: unknown): Operation | undefined
  /** Work that outlives the call; `null` in an application that keeps none. */
  readonly durable: Durable | null
  /** SHA-256 of what callers depend on: what was kept under another one no longer holds. */
  readonly contractHash: string
  /** The operation answers a stream of items, so the answer may be given while it is still being made. */
  readonly isStream?: boolean
  connection(service: Service): Connection
  /** Puts the service's policies round an exchange, in their fixed order. */
  guard(service: Service, exchange: Exchange, options: { readonly policy: Policy | undefined; readonly mayRepeatUnknown: boolean }): Answer
}

/** Makes a backend value; the cast is here so that it is nowhere else. */
export function backend<V, O, E extends string = never>(kind: string, plan: Plan): Backend<V, O, E> {
  return { kind, plan }
}

import type { Duration } from "../base/duration.ts"
import { callerPlace, type SourcePlace } from "../base/source-place.ts"
import type { Backend } from "./backend.ts"
import type { Drift } from "./mapping.ts"
import type { Principal, Rule } from "./principal.ts"
import type { AnswerIn, AnswerOut, ExampleOut, In, Out, Std } from "./schema.ts"
import type { Topic } from "./topic.ts"

export type Verb = "GET" | "POST" | "PUT" | "PATCH" | "DELETE"
/** Method and path; a parameter in braces fills a whole segment: `GET /users/{id}`. */
export type Route = `${Verb} /${string}`

/** What only the server needs to know; in the contract, or with the backend when the contract is shared with a browser. */
export interface Server<V, Row> {
  /** Any one rule that holds lets the caller in. Required with `http`. */
  allow?: Rule<V> | readonly Rule<V>[]
  /** Ownership of the stored object: missing and foreign both answer 404. */
  owner?: { load: Op<any, any, Row, any, any>; by?: (input: V) => unknown; is: (row: NonNullable<Row>, who: Principal) => boolean }
  /** Waiver of the ownership rule, with the reason, for an input that names an object. */
  anyObject?: string
}

/** What an operation promises. `Contract<Input schema, output schema, error codes, route, row of the owner>`. */
export interface Contract<S, R, K extends string, H extends string | undefined, Row> extends Server<Out<S>, Row> {
  /** "POST /users", "GET /users/{id}". Without it the operation is internal: reachable in process only. */
  http?: H
  /**
   * Runs for every message of that topic, at least once; its input is the topic's payload. A write must say that it may be repeated:
   * `repeat`. With several consumers of one topic each gets every message.
   */
  on?: Topic<Out<S>, any>
  /**
   * Runs by itself: every so often (`"15m"`), or by a cron expression in a time zone (`{ cron: "0 3 * * 1-5", zone: "Europe/Berlin" }`,
   * default UTC). On several nodes once each time. Its input is `nothing`, or an object of which every field may be missing.
   */
  every?: Duration | { cron: string; zone?: string }
  /** How often a message or a scheduled run is tried before it is given up on, and the pause before the second try. Default 10 times, 1 s. */
  delivery?: { times?: number; backoff?: Duration }
  /** One line for the documentation. Default: none. */
  summary?: string
  /** A Standard Schema that gives JSON Schema, `file({ ... })`, or `nothing`. */
  input: S
  /** The same, or `stream(Item)`; every answer is checked against it. */
  output: R
  /** Declared error codes and their HTTP status. */
  errors?: { [P in K]: number }
  /** Whether it may change something. Default from the verb of `http` (GET reads); required without `http`. */
  effect?: "read" | "write"
  /**
   * What OUR callers may repeat. `"key"`: calls with one `Idempotency-Key` have their effect once, and the same answer. Default: GET, PUT,
   * DELETE natural; POST, PATCH none.
   */
  repeat?: "none" | "natural" | "key"
  /** When a call must end. Default: that of `trestle({ defaults })`, 10 s; 10 minutes with `file()` and `stream()`, last byte included. */
  deadline?: Duration
  /** HTTP status of a success. Default 200, 201 for POST, 204 for `nothing`. */
  status?: number
  /**
   * What to do when a service's data drifts from what the mapping of this operation declares: refuse the answer, pass what can be passed
   * and warn, or put it right where that is certain, and say so in `meta.repaired`. Default `"strict"`.
   */
  drift?: Drift
  /** Gives each answer a version (`ETag`) made from its bytes, so that a client that holds it already is answered 304. Reads only. */
  etag?: boolean
  /** Earlier paths of this operation, the first one first: old clients, queued work and journals keep working. */
  was?: readonly string[]
  /** On its way out: when it ends, as a date `2027-01-31`; the path of what replaces it; since when that is known, if not since today. */
  deprecated?: { sunset: string; use?: string; since?: string }
  /**
   * How `trestle verify --writes` may try it against the real service: an input that does no harm, and what takes its effect back.
   * Reads need none, they are tried with the inputs of `examples`.
   */
  verify?: { input: In<S>; cleanup?: (answer: Out<R>, run: Run) => unknown }
  /** Checked against the contract before the start; shown in the documentation. */
  examples?: readonly { input: In<S>; output: ExampleOut<R> }[]
}

/** Runs another operation of the application, with the application's own authority. */
export type Run = <I, O>(operation: Op<I, any, O, any, any>, input: NoInfer<I>) => Promise<O>

/** A declared operation; the property carries its types, and at run time its declaration. */
export interface Op<I, V, O, E extends string, H> {
  readonly "~op": { in: I; valid: V; out: O; err: E; http: H }
}

/** A contract that can be shared, and answers from its `examples` as a placeholder; `via` gives it its backend. */
export interface Declared<I, V, O, E extends string, H, A> extends Op<I, V, O, E, H> {
  /** `Row` is what `owner.load` gives here, whatever the contract said of an owner. */
  via<Row>(backend: Backend<V, A, E>, server?: Server<V, Row>): Op<I, V, O, E, H>
}

/** What an operation is at run time: its contract, its backend, and where both were written. */
export interface Declaration {
  readonly contract: Contract<Std, Std, string, Route | undefined, unknown>
  readonly backend: Backend<any, any, any> | null
  readonly at: SourcePlace | null
}

/**
 * Declares an operation: what goes in, what comes out, who may call it, how it may fail. Resolves nothing, never throws; mistakes are
 * found by `app.check()`.
 */
export function op<
  S extends Std<any, any>,
  R extends Std<any, any>,
  K extends string = never,
  const H extends Route | undefined = undefined,
  Row = unknown,
>(contract: Contract<S, R, K, H, Row>): Declared<In<S>, Out<S>, AnswerOut<R>, K, H, AnswerIn<R>> {
  const at = callerPlace(op)
  const declare = (declaration: Declaration): Op<In<S>, Out<S>, AnswerOut<R>, K, H> => ({ "~op": declaration }) as never
  const plain = contract as unknown as Declaration["contract"]
  return {
    ...declare({ contract: plain, backend: null, at }),
    via: (backend, server) => declare({ contract: server ? { ...plain, ...(server as object) } : plain, backend, at }),
  }
}

export function isOp(value: unknown): value is Op<any, any, any, any, any> {
  return typeof value === "object" && value !== null && Object.hasOwn(value, "~op")
}

export function declarationOf(operation: Op<any, any, any, any, any>): Declaration {
  return operation["~op"] as unknown as Declaration
}

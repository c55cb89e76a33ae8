import { type Answer, type Backend, backend, type Site } from "../contract/backend.ts"
import type { CallContext } from "../contract/call.ts"
import { isRevoked, type Keeps, type Revocation } from "../contract/keeping.ts"
import { Flight } from "./flight.ts"
import { sharingMistakes } from "./kept-options.ts"
import { type KeyRules, keyOf, ownerOf } from "./scope.ts"

/** Which reads are one. */
export interface CoalesceOptions<V> {
  /** Inputs with the same key are one. Default: those that are alike, whatever the order of their fields. */
  key?: (input: V) => string
  /** One answer for all callers, whoever they are: only for what depends on the input alone. Default: each caller asks for itself. */
  shared?: true
}

/**
 * Asks once for all equal reads that are under way at the same time; nothing is kept after that. For reads only.
 *
 * - Reads are equal that have the same operation, input and caller, with its roles, permissions, tenant and claims, unless `shared`.
 * - The common asking has the operation's whole deadline; who ends before hears its own end, and the last who leaves stops it.
 * - Its failure is everybody's; attempts are counted for the first only. Answers are frozen. What cannot be copied exactly (a date, an object
 *   of a class) and what cannot be compared is asked for by each caller alone.
 * - A call with `ifMatch` asks for itself. A `cache` coalesces by itself, and needs none of this.
 */
export function coalesce<V, O, E extends string = never>(inner: Backend<V, O, E>, options: CoalesceOptions<V> = {}): Backend<V, O, E> {
  return backend("coalesce", {
    isForReadsOnly: true,
    isShared: options.shared === true,
    handsOutWhole: true,
    parts: [inner],
    mistakes: sharingMistakes(options),
    bind: (site) => {
      const bound = new Coalescing(options, site.bind(inner), site)
      site.keeping.add(bound)
      return (input, call) => bound.answer(input, call)
    },
  })
}

/** One `coalesce(...)` of one operation in a started application. */
class Coalescing implements Keeps {
  readonly #rules: KeyRules
  readonly #inner: Answer
  readonly #site: Site
  readonly #ask: ReturnType<Site["apart"]>
  readonly #flights = new Map<string, Flight>()

  constructor(options: CoalesceOptions<any>, inner: Answer, site: Site) {
    this.#rules = { isShared: options.shared === true, key: options.key }
    this.#inner = inner
    this.#site = site
    this.#ask = site.apart(inner)
  }

  answer(input: unknown, call: CallContext): unknown {
    // What a caller expects of the object's version is no part of the key.
    const key = call.ifMatch === undefined ? keyOf(input, call, this.#rules) : null
    if (key === null) return this.#inner(input, call)
    const under = this.#flights.get(key)
    this.#site.keeping.count(this.#site.operation, under ? "coalesced" : "miss")
    const flight = under ?? this.#begin(key, input, call)
    return flight.join(call, under === undefined, () => this.#inner(input, call))
  }

  /** Whoever waits still hears its answer; nobody else joins. */
  forget(revoked: Revocation): void {
    for (const [key, { plan }] of this.#flights) if (isRevoked(plan.owner, revoked)) this.#flights.delete(key)
  }

  #begin(key: string, input: unknown, call: CallContext): Flight {
    const owner = ownerOf(call, this.#rules.isShared)
    const { revocations } = this.#site.keeping
    const flight = new Flight({ key, owner, entrance: "flight", kept: undefined, revocations }, (ended) => {
      if (this.#flights.get(key) === ended) this.#flights.delete(key)
    })
    this.#flights.set(key, flight)
    flight.carriedBy(this.#ask(input, call, flight))
    return flight
  }
}

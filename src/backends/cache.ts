import { type Duration, parseDuration, whyNoDuration } from "../base/duration.ts"
import { type Answer, type Backend, backend, type Site } from "../contract/backend.ts"
import type { CallContext, Meta } from "../contract/call.ts"
import { isDenial } from "../contract/failure.ts"
import { type CacheResult, isRevoked, type Keeps, type Owner, type Passage, type Revocation, type Validator } from "../contract/keeping.ts"
import { Entries, type Entry } from "./entries.ts"
import { Flight } from "./flight.ts"
import { KEPT_ENTRIES_MAX, keptMistakes } from "./kept-options.ts"
import { type KeyRules, keyOf, ownerOf } from "./scope.ts"

/** How long answers are kept, for whom, and how many. */
export interface CacheOptions<V> {
  /** How long an answer is given again without asking. */
  for: Duration
  /** How much longer it is given at once, as `degraded`, while it is asked for anew in the background. Default: not at all. */
  stale?: Duration
  /** Which inputs have one answer. Default: those that are alike, whatever the order of their fields. */
  key?: (input: V) => string
  /** One answer for all callers, whoever they are: only for what depends on the input alone. Default: each caller has its own. */
  shared?: true
  /** Answers kept in memory at most; those used least recently go first. Together they take 32 MB at most. Default 1,000. */
  entries?: number
}

/**
 * Gives an answer again for a while, and asks once for all calls that want the same one meanwhile. For reads only.
 *
 * - An answer belongs to the operation, the input and the caller, with its roles, permissions, tenant and claims; it never crosses to
 *   another caller unless `shared`. It goes when the caller or its credential is revoked, and with the process.
 * - Only good answers are kept: no error, "not found" included, and nothing degraded.
 * - A `rest` call inside it asks the service whether an answer that has become too old still holds (`If-None-Match`).
 * - Answers through a cache are frozen, the new ones too. What cannot be copied exactly (a date, an object of a class) is not kept.
 * - A call with `ifMatch` asks past it.
 */
export function cache<V, O, E extends string = never>(options: CacheOptions<V>, inner: Backend<V, O, E>): Backend<V, O, E> {
  const mistakes = keptMistakes(options)
  if (options.stale !== undefined && parseDuration(options.stale) === null) mistakes.push(`stale ${whyNoDuration(options.stale, "5m")}`)
  return backend("cache", {
    isForReadsOnly: true,
    keeps: "memory",
    freshMs: parseDuration(options.for) ?? 0,
    isShared: options.shared === true,
    parts: [inner],
    mistakes,
    bind: (site) => {
      const bound = new Cache(options, site.bind(inner), site)
      site.keeping.add(bound)
      return (input, call) => bound.answer(input, call)
    },
  })
}

class Kept implements Entry {
  readonly owner: Owner
  readonly value: unknown
  readonly bytes: number
  readonly validator: Validator | null
  /** On the clock of `clock.now()`. */
  readonly at: number
  /** What a call that is answered with it says of its making; its time is its own. */
  readonly made: Meta
  /** Why it could not be renewed the last time. */
  trouble: string | null = null

  constructor(owner: Owner, { mark, answer, landing }: Flight, at: number) {
    const { etag, trace } = landing!.meta
    this.owner = owner
    this.value = answer!.value
    this.bytes = answer!.bytes
    this.validator = mark
    this.at = at
    this.made = { servedBy: "cache", attempts: 0, ms: 0, degraded: false, trace, ...(etag === undefined ? {} : { etag }) }
  }
}

/** One `cache(...)` of one operation in a started application. */
class Cache implements Keeps {
  readonly #rules: KeyRules
  readonly #forMs: number
  readonly #staleMs: number
  readonly #inner: Answer
  readonly #site: Site
  readonly #ask: ReturnType<Site["apart"]>
  readonly #entries: Entries<Kept>
  readonly #flights = new Map<string, Flight>()
  #hasWarned = false

  constructor(options: CacheOptions<any>, inner: Answer, site: Site) {
    this.#rules = { isShared: options.shared === true, key: options.key }
    this.#forMs = parseDuration(options.for) ?? 0
    this.#staleMs = this.#forMs + (parseDuration(options.stale) ?? 0)
    this.#inner = inner
    this.#site = site
    this.#ask = site.apart(inner)
    this.#entries = new Entries(options.entries ?? KEPT_ENTRIES_MAX)
  }

  answer(input: unknown, call: CallContext): unknown {
    // A kept answer says nothing of the version that the object has now.
    if (call.ifMatch !== undefined) return this.#inner(input, call)
    const key = keyOf(input, call, this.#rules)
    if (key === null) {
      this.#warn("its input, or what is known of its caller, cannot be compared; for an input give a key: cache({ key: (input) => ... })")
      return this.#inner(input, call)
    }
    const kept = this.#entries.get(key)
    if (kept !== undefined) {
      const ageMs = call.clock.now() - kept.at
      if (ageMs < this.#forMs) return this.#give(kept, ageMs, call)
      if (ageMs < this.#staleMs) return this.#giveStale(key, kept, ageMs, input, call)
    }
    const under = this.#flights.get(key)
    this.#count(under ? "coalesced" : "miss")
    const flight = under ?? this.#begin("flight", key, kept, input, call)
    return flight.join(call, under === undefined, () => this.#inner(input, call))
  }

  forget(revoked: Revocation): void {
    this.#entries.forget(revoked)
    // Whoever waits still hears its answer; nobody else joins.
    for (const [key, { plan }] of this.#flights) if (isRevoked(plan.owner, revoked)) this.#flights.delete(key)
  }

  #give(kept: Kept, ageMs: number, call: CallContext): unknown {
    this.#count("hit")
    call.adopt(kept.made)
    call.noteAge(ageMs)
    return kept.value
  }

  #giveStale(key: string, kept: Kept, ageMs: number, input: unknown, call: CallContext): unknown {
    this.#count("stale")
    if (!this.#flights.has(key)) this.#begin("refresh", key, kept, input, call)
    call.adopt(kept.made)
    call.noteDegraded(kept.trouble ?? "kept answer, being renewed", ageMs)
    return kept.value
  }

  #begin(entrance: Passage["entrance"], key: string, kept: Kept | undefined, input: unknown, call: CallContext): Flight {
    const owner = ownerOf(call, this.#rules.isShared)
    const { clock } = call
    const flight = new Flight({ key, owner, entrance, kept, revocations: this.#site.keeping.revocations }, (ended) => {
      if (this.#flights.get(key) === ended) this.#flights.delete(key)
      if (ended.landing !== null) this.#keep(ended, clock.now())
    })
    this.#flights.set(key, flight)
    flight.carriedBy(this.#ask(input, call, flight))
    return flight
  }

  /** Keeps what was answered, unless it is not the best there is, or whose it was has been revoked meanwhile. */
  #keep(flight: Flight, now: number): void {
    const { key, owner, kept, revocations } = flight.plan
    const { error, meta } = flight.landing!
    if (error !== null) {
      if (kept instanceof Kept && error.code !== "CANCELLED") kept.trouble = error.note ?? error.code
      if (isDenial(error, this.#site.errors)) this.#entries.delete(key)
      return
    }
    if (flight.answer === null) return this.#warn("its answer holds what cannot be copied exactly (a date, an object of a class)")
    if (meta.degraded || revocations !== this.#site.keeping.revocations) return
    this.#entries.put(key, new Kept(owner, flight, now))
  }

  #count(result: CacheResult): void {
    this.#site.keeping.count(this.#site.operation, result)
  }

  #warn(why: string): void {
    if (this.#hasWarned) return
    this.#hasWarned = true
    this.#site.keeping.events.warn(`${this.#site.operation} is not cached: ${why}`)
  }
}

import { type Duration, parseDuration } from "../base/duration.ts"
import { type Backend, backend, type Memory, NOTHING_KEPT, type Site } from "../contract/backend.ts"
import type { CallContext } from "../contract/call.ts"
import type { AnswerToShelve, Keeps, Owner, Revocation, Shelf } from "../contract/keeping.ts"
import { Entries, type Entry } from "./entries.ts"
import { type Frozen, frozen } from "./frozen.ts"
import { KEPT_ENTRIES_MAX, keptMistakes } from "./kept-options.ts"
import { type KeyRules, keyOf, ownerOf } from "./scope.ts"

/** How old an answer may be, for whom it is kept, and how many. */
export interface LastGoodOptions<V> {
  /** How old an answer may be and still be given. */
  for: Duration
  /** Which inputs have one answer. Default: those that are alike, whatever the order of their fields. */
  key?: (input: V) => string
  /** One answer for all callers, whoever they are: only for what depends on the input alone. Default: each caller has its own. */
  shared?: true
  /** Answers kept at most, in memory and in the file each; in memory together 32 MB at most. Default 1,000. */
  entries?: number
}

/** An answer younger than this is not replaced, so that a busy operation does not copy every answer it gives. */
const REPLACED_AFTER_MS = 1_000

/**
 * The last good answer, for a later place in a `fallback`: remembers what the parts before it answered, and gives that when they fail, as
 * `degraded`, with its age. For reads only.
 *
 * - An answer belongs to the operation, the input and the caller, as with `cache`; it goes when the caller or its credential is revoked.
 * - It outlives the process, in `last-good.db` of the data folder, unless the contract has changed. A crash may lose the last seconds.
 * - What a `cache` before it gives is remembered as of the time it was new. Another choice than the first inside one of its parts is not
 *   remembered; "not found", "forbidden" and declared errors end what was.
 * - With nothing remembered, or nothing young enough, the failure of the part before it stays as it is.
 */
export function lastGood<V, O>(options: LastGoodOptions<V>): Backend<V, O> {
  return backend("lastGood", {
    isForReadsOnly: true,
    keeps: "file",
    isShared: options.shared === true,
    mistakes: keptMistakes(options),
    // Nobody tells it anything where it stands alone; the start refuses that.
    bind: () => () => NOTHING_KEPT,
    bindMemory: (site) => {
      const bound = new LastGood(options, site)
      site.keeping.add(bound)
      return bound
    },
  })
}

class Remembered implements Entry, AnswerToShelve {
  readonly owner: Owner
  readonly value: unknown
  readonly bytes: number
  readonly at: number
  readonly until: number
  readonly etag: string | null

  constructor(owner: Owner, { value, bytes }: Frozen, { at, until, etag }: Pick<AnswerToShelve, "at" | "until" | "etag">) {
    this.owner = owner
    this.value = value
    this.bytes = bytes
    this.at = at
    this.until = until
    this.etag = etag
  }
}

/** Whether an answer takes the place of an earlier one. A new answer does whatever the clock says, which may have been put back meanwhile. */
function isNews(at: number, before: number, isKept: boolean): boolean {
  const laterMs = at - before
  return (isKept ? laterMs : Math.abs(laterMs)) >= REPLACED_AFTER_MS
}

/** One `lastGood(...)` of one operation in a started application: memory first, then the file. */
class LastGood implements Memory, Keeps {
  readonly #rules: KeyRules
  readonly #forMs: number
  readonly #site: Site
  readonly #entries: Entries<Remembered>
  readonly #shelf: Shelf | null
  #hasWarned = false

  constructor(options: LastGoodOptions<any>, site: Site) {
    const entriesMax = options.entries ?? KEPT_ENTRIES_MAX
    this.#rules = { isShared: options.shared === true, key: options.key }
    this.#forMs = parseDuration(options.for) ?? 0
    this.#site = site
    this.#entries = new Entries(entriesMax)
    this.#shelf = site.keeping.shelf(`${site.operation} ${site.contractHash}`, entriesMax)
  }

  recall(input: unknown, call: CallContext): unknown {
    // A kept answer says nothing of the version that the object has now.
    const key = call.ifMatch === undefined ? this.#keyOf(input, call) : null
    if (key === null) return NOTHING_KEPT
    const kept = this.#entries.get(key) ?? this.#fromShelf(key, call)
    if (kept === undefined) return NOTHING_KEPT
    const ageMs = call.clock.epoch() - kept.at
    // One from a future further away is of a clock that was wrong, so nobody knows its age.
    if (Math.abs(ageMs) > this.#forMs) return NOTHING_KEPT
    call.noteServedBy("lastGood")
    call.noteAge(Math.max(0, ageMs))
    if (kept.etag !== null) call.noteEtag(kept.etag)
    return kept.value
  }

  hear(input: unknown, call: CallContext, answer: unknown, revocations: number): void {
    // Made up, or of a second choice; what is only old says how old.
    if (call.isDegraded && call.ageMs === null) return
    if (revocations !== this.#site.keeping.revocations) return
    const key = this.#keyOf(input, call)
    if (key === null) return
    // A cache before it renews its answers behind its back, so what the cache keeps is news too; it is as old as there.
    const at = call.clock.epoch() - (call.ageMs ?? 0)
    const before = this.#entries.get(key)
    if (before !== undefined && !isNews(at, before.at, call.ageMs !== null)) return
    const copy = frozen(answer)
    if (copy === null) return this.#warn("its answer holds what cannot be copied exactly (a date, an object of a class)")
    const owner = ownerOf(call, this.#rules.isShared)
    const kept = new Remembered(owner, copy, { at, until: at + this.#forMs, etag: call.etag })
    this.#entries.put(key, kept)
    this.#shelf?.put(owner, key, kept)
  }

  deny(input: unknown, call: CallContext): void {
    const key = this.#keyOf(input, call)
    if (key === null) return
    this.#entries.delete(key)
    this.#shelf?.put(ownerOf(call, this.#rules.isShared), key, null)
  }

  forget(revoked: Revocation): void {
    this.#entries.forget(revoked)
  }

  #fromShelf(key: string, call: CallContext): Remembered | undefined {
    const owner = ownerOf(call, this.#rules.isShared)
    const found = this.#shelf?.find(owner, key)
    const copy = found ? frozen(found.value) : null
    if (!found || copy === null) return undefined
    const kept = new Remembered(owner, copy, { at: found.at, until: found.at + this.#forMs, etag: found.etag })
    this.#entries.put(key, kept)
    return kept
  }

  /** A mistake in `key` must not cost an answer that is there. */
  #keyOf(input: unknown, call: CallContext): string | null {
    try {
      const key = keyOf(input, call, this.#rules)
      if (key === null)
        this.#warn(
          "its input, or what is known of its caller, cannot be compared; for an input give a key: lastGood({ key: (input) => ... })",
        )
      return key
    } catch (error) {
      this.#warn((error as Error).message)
      return null
    }
  }

  #warn(why: string): void {
    if (this.#hasWarned) return
    this.#hasWarned = true
    this.#site.keeping.events.warn(`${this.#site.operation} has no last good answer: ${why}`)
  }
}

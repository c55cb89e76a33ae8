import type { Repaired } from "../contract/call.ts"

/** Kinds of repairs that are named; the rest is counted. */
const REPAIRS_NAMED_MAX = 20

/** What was repaired in the data of one call and of those inside it: how often, and what by name, each once. */
export class Repairs implements Repaired {
  count = 0
  readonly fields: string[] = []
  /** Those of this call alone: what a nested one has repaired is in its own record. */
  readonly #own = new Map<string, number>()

  add(what: string): void {
    this.count++
    this.#name(what)
    if (this.#own.has(what) || this.#own.size < REPAIRS_NAMED_MAX) this.#own.set(what, (this.#own.get(what) ?? 0) + 1)
  }

  absorb(nested: Repaired): void {
    this.count += nested.count
    for (const what of nested.fields) this.#name(what)
  }

  own(): ReadonlyMap<string, number> {
    return this.#own
  }

  /** Those of a call that has no record of its own, and that `absorb` has counted. */
  adopt(own: ReadonlyMap<string, number>): void {
    for (const [what, count] of own) this.#own.set(what, (this.#own.get(what) ?? 0) + count)
  }

  #name(what: string): void {
    if (this.fields.length < REPAIRS_NAMED_MAX && !this.fields.includes(what)) this.fields.push(what)
  }
}

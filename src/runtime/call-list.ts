/** What a list needs of its members: two links of their own. */
interface Linked<T> {
  newer: T | null
  older: T | null
}

/**
 * The calls under way, as links in the calls themselves. A `Set` would do the same and cost a third of a request: each time its table
 * grows full of deletions it is replaced, and the table that was left keeps all calls it held alive until the next full collection.
 */
export class CallList<T extends Linked<T>> {
  #newest: T | null = null

  get isEmpty(): boolean {
    return this.#newest === null
  }

  add(call: T): void {
    call.older = this.#newest
    if (this.#newest) this.#newest.newer = call
    this.#newest = call
  }

  /** Does nothing for a call that is not in the list. */
  remove(call: T): void {
    const { newer, older } = call
    if (newer === null && this.#newest !== call) return
    if (newer) newer.older = older
    else this.#newest = older
    if (older) older.newer = newer
    call.newer = call.older = null
  }

  all(): T[] {
    const calls: T[] = []
    for (let call = this.#newest; call; call = call.older) calls.push(call)
    return calls
  }
}

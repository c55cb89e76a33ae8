import { isRevoked, type Owner, type Revocation } from "../contract/keeping.ts"

/** One kept answer. */
export interface Entry {
  readonly owner: Owner
  readonly bytes: number
}

/** What one `cache` or `lastGood` keeps in memory takes about this much, at most. */
const KEPT_BYTES_MAX = 32 * 1_048_576
/** The rest of an entry, beside its key and its answer. */
const ENTRY_BYTES = 200

/** Kept answers, bounded in number and bytes: the one that was used least recently goes first. One that would fill it alone is not kept. */
export class Entries<E extends Entry> {
  readonly #entries = new Map<string, E>()
  readonly #entriesMax: number
  readonly #bytesMax: number
  #bytes = 0

  constructor(entriesMax: number, bytesMax = KEPT_BYTES_MAX) {
    this.#entriesMax = entriesMax
    this.#bytesMax = bytesMax
  }

  get size(): number {
    return this.#entries.size
  }

  get(key: string): E | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    // A map keeps the order of insertion: what was used last stands last.
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    return entry
  }

  put(key: string, entry: E): void {
    this.delete(key)
    const bytes = bytesOf(key, entry)
    // Else one caller's huge answer would cost all others theirs.
    if (bytes > this.#bytesMax) return
    this.#entries.set(key, entry)
    this.#bytes += bytes
    for (const [oldest] of this.#entries) {
      if (this.#entries.size <= this.#entriesMax && this.#bytes <= this.#bytesMax) break
      this.delete(oldest)
    }
  }

  delete(key: string): void {
    const entry = this.#entries.get(key)
    if (entry === undefined) return
    this.#entries.delete(key)
    this.#bytes -= bytesOf(key, entry)
  }

  forget(revoked: Revocation): void {
    for (const [key, { owner }] of this.#entries) if (isRevoked(owner, revoked)) this.delete(key)
  }
}

function bytesOf(key: string, entry: Entry): number {
  return 2 * key.length + entry.bytes + ENTRY_BYTES
}

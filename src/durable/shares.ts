const NOBODY: ReadonlySet<string> = new Set()

/** What may be claimed now. */
export interface Claimable {
  readonly limit: number
  /** Operations that hold their share, or nearly: nothing of theirs. */
  readonly without: ReadonlySet<string>
}

/**
 * Who holds how many slots of a worker. Where several operations share them, one that claims holds at most three times as many as it leaves
 * free: of 64 the first that hangs gets 48, the next one 12, and there is still room. The rule is that of dynamic thresholds.
 *
 * Source: Choudhury and Hahne, "Dynamic Queue Length Thresholds for Shared-Memory Packet Switches", 1998.
 */
export class Shares {
  readonly #slots: number
  readonly #isShared: boolean
  readonly #held = new Map<string, number>()
  /** Runs that were begun for callers need no free slot; beyond a share they are not counted, or they would keep all others out. */
  readonly #countedMax: number
  #used = 0

  constructor(slots: number, isShared: boolean) {
    this.#slots = slots
    this.#isShared = isShared
    this.#countedMax = isShared ? Math.ceil((slots * 3) / 4) : Number.POSITIVE_INFINITY
  }

  take(operation: string): void {
    const held = (this.#held.get(operation) ?? 0) + 1
    this.#held.set(operation, held)
    if (held <= this.#countedMax) this.#used++
  }

  leave(operation: string): void {
    const held = this.#held.get(operation)!
    if (held <= this.#countedMax) this.#used--
    if (held === 1) this.#held.delete(operation)
    else this.#held.set(operation, held - 1)
  }

  get isFull(): boolean {
    return this.#used >= this.#slots
  }

  mayTake(operation: string): boolean {
    return !this.isFull && !this.#isNearItsShare(this.#held.get(operation) ?? 0)
  }

  /** While there is a free slot. */
  claimable(): Claimable {
    const free = this.#slots - this.#used
    if (!this.#isShared) return { limit: free, without: NOBODY }
    const without = new Set<string>()
    let most = 0
    for (const [operation, held] of this.#held) {
      if (this.#isNearItsShare(held)) without.add(operation)
      else most = Math.max(most, held)
    }
    // All of it may be of the one that holds the most: then that one has three times as many as are left.
    return { limit: Math.max(1, Math.floor((3 * free - most) / 4)), without }
  }

  /** A little before it is reached, so that what ends makes room for several and not for a claim each. */
  #isNearItsShare(held: number): boolean {
    return this.#isShared && held > 2 * (this.#slots - this.#used)
  }
}

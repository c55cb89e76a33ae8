/**
 * Caps how many attempts at a service are under way at once, with a bounded queue: one slow service cannot take every connection,
 * and a queue cannot grow until nobody waits for its answers any more.
 * Source: Nygard, Release It!, "Bulkheads".
 */
export class Bulkhead {
  #concurrency: number
  readonly #queueMax: number
  #active = 0
  /** Who waits, in order of arrival; a set, so that giving up is as cheap as queueing. */
  readonly #queue = new Set<() => void>()

  constructor(concurrency: number, queueMax: number) {
    this.#concurrency = concurrency
    this.#queueMax = queueMax
  }

  /** Places, taken and free. */
  get concurrency(): number {
    return this.#concurrency
  }

  get active(): number {
    return this.#active
  }

  get waiting(): number {
    return this.#queue.size
  }

  get isFull(): boolean {
    return this.#queue.size >= this.#queueMax
  }

  /** Takes a place at once, or says that there is none. */
  tryEnter(): boolean {
    if (this.#active >= this.#concurrency) return false
    this.#active++
    return true
  }

  /** Queues for a place, first come first served. `admit` is called once, with the place taken, unless `giveUp` came before. */
  enqueue(admit: () => void): void {
    this.#queue.add(admit)
  }

  giveUp(admit: () => void): void {
    this.#queue.delete(admit)
  }

  /** Gives the place back; it goes to the first who waits. */
  leave(): void {
    this.#active--
    if (this.#queue.size > 0) this.#admit()
  }

  /** Changes the number of places. Nobody loses one: where there are too many, the next to leave are not followed. */
  resize(concurrency: number): void {
    this.#concurrency = concurrency
    if (this.#queue.size > 0) this.#admit()
  }

  #admit(): void {
    for (const admit of this.#queue) {
      if (this.#active >= this.#concurrency) return
      this.#queue.delete(admit)
      this.#active++
      admit()
    }
  }
}

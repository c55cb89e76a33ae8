/** Runs work, so many at once, in the order in which it was given. */
export class Turns {
  readonly #atOnce: number
  readonly #waiting: (() => void)[] = []
  readonly #alone: (() => void)[] = []
  #free: number

  constructor(atOnce: number) {
    this.#atOnce = atOnce
    this.#free = atOnce
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    return work().finally(() => this.#give(1))
  }

  /** Runs it with nothing beside it, as soon as nothing else is left to do. */
  async alone<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free === this.#atOnce) this.#free = 0
    else await new Promise<void>((resolve) => this.#alone.push(resolve))
    return work().finally(() => this.#give(this.#atOnce))
  }

  #give(places: number): void {
    this.#free += places
    while (this.#free > 0 && this.#waiting.length > 0) {
      this.#free--
      this.#waiting.shift()!()
    }
    if (this.#free < this.#atOnce || this.#alone.length === 0) return
    this.#free = 0
    this.#alone.shift()!()
  }
}

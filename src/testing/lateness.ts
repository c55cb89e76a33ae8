const EVERY_MS = 20

/** How late this process itself was: what ran in its thread meanwhile, or others on the machine, held up everything that it measures. */
export class Lateness {
  readonly #late: { readonly at: number; readonly ms: number }[] = []
  readonly #timer: NodeJS.Timeout
  #expectedAt = performance.now() + EVERY_MS

  constructor() {
    this.#timer = setInterval(() => this.#look(), EVERY_MS)
  }

  /** The most, in milliseconds, since that moment of `performance.now()`. */
  since(at: number): number {
    this.#look()
    return Math.max(0, ...this.#late.filter((one) => one.at >= at).map(({ ms }) => ms))
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #look(): void {
    const now = performance.now()
    const ms = now - this.#expectedAt
    if (ms > EVERY_MS) this.#late.push({ at: now, ms })
    this.#expectedAt = now + EVERY_MS
  }
}

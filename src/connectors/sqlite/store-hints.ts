type Listener = () => void

/** Who listens in this process, by file. SQLite tells nobody of what others write, so other processes find by polling. */
const LISTENERS = new Map<string, Set<Hints>>()

/** The hints that one store gives to the others on its file, and hears from them. */
export class Hints {
  readonly #file: string
  readonly #listeners = new Set<Listener>()

  constructor(file: string) {
    this.#file = file
  }

  watch(listener: Listener): () => void {
    this.#listeners.add(listener)
    const all = LISTENERS.get(this.#file) ?? new Set()
    LISTENERS.set(this.#file, all.add(this))
    return () => {
      this.#listeners.delete(listener)
      if (this.#listeners.size === 0) this.end()
    }
  }

  wake(): void {
    for (const hints of LISTENERS.get(this.#file) ?? [])
      if (hints !== this) for (const listener of hints.#listeners) queueMicrotask(listener)
  }

  end(): void {
    const all = LISTENERS.get(this.#file)
    this.#listeners.clear()
    if (all?.delete(this) && all.size === 0) LISTENERS.delete(this.#file)
  }
}

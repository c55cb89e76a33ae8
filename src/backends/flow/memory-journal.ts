import type { Journal, JournalEntry } from "../../contract/journal.ts"

/** The journal of a flow that ends with its process. */
export class MemoryJournal implements Journal {
  readonly #entries = new Map<string, JournalEntry>()

  get keys(): readonly string[] {
    return [...this.#entries.keys()]
  }

  find(key: string): JournalEntry | undefined {
    return this.#entries.get(key)
  }

  async write(entries: readonly JournalEntry[]): Promise<void> {
    for (const entry of entries) this.#entries.set(entry.key, entry)
  }
}

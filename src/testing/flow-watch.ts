import type { Backend, Site } from "../contract/backend.ts"
import type { Durable } from "../contract/job.ts"
import type { Journal, JournalEntry } from "../contract/journal.ts"
import type { Operation } from "../contract/operation.ts"
import type { Checked } from "../runtime/check.ts"

/** What one flow has done in one run of a stage: the journal of one that has ended is forgotten, so it is watched as it is written. */
export class FlowWatch {
  /** By their keys, in the order in which they were first written, each as it was written last. */
  readonly entries = new Map<string, JournalEntry>()
  /** Keys of the steps whose undo was begun, in that order. */
  readonly undone = new Set<string>()

  /** The same declarations, in which the flow of that path is watched. */
  over(checked: Checked, path: string): Checked {
    const operations = checked.operations.map((operation) => {
      const { backend } = operation.declaration
      const isWatched = operation.path === path && backend !== null && isJournaledFlow(operation)
      return isWatched ? { ...operation, declaration: { ...operation.declaration, backend: this.#watched(backend) } } : operation
    })
    return { ...checked, operations }
  }

  #watched(backend: Backend<any, any, any>): Backend<any, any, any> {
    const { plan } = backend
    const bind = (site: Site) => plan.bind({ ...site, durable: site.durable && this.#overDurable(site.durable) })
    return { ...backend, plan: { ...plan, bind } }
  }

  #overDurable(durable: Durable): Durable {
    return withOwn(durable, { journal: async (delivery) => this.#overJournal(await durable.journal(delivery)) })
  }

  #overJournal(journal: Journal): Journal {
    return withOwn(journal, {
      write: async (entries, also) => {
        await journal.write(entries, also)
        for (const entry of entries) this.entries.set(entry.key, entry)
      },
      undoing: (step) => void this.undone.add(step),
    })
  }
}

/** What such a flow does is written down, so it can be told which of its steps were taken back. */
export function isJournaledFlow({ effect, declaration: { backend } }: Operation): boolean {
  return effect === "write" && backend?.kind === "flow" && backend.plan.isDurable === true
}

/** The same object with some methods of its own; those that it keeps still find its private fields. */
function withOwn<T extends object>(target: T, own: Partial<T>): T {
  return new Proxy(target, {
    get(_, name) {
      if (Object.hasOwn(own, name)) return own[name as keyof T]
      const value: unknown = Reflect.get(target, name)
      return typeof value === "function" ? value.bind(target) : value
    },
  })
}

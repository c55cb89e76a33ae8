import { rowPromises } from "./store-promises-rows.ts"
import { tablePromises } from "./store-promises-tables.ts"
import { unitPromises } from "./store-promises-unit.ts"
import type { StoreSubject } from "./store-subject.ts"

/** One test: its name, and how to run it. Rejects when the promise is broken. */
export interface StorePromise {
  readonly name: string
  run(): Promise<void>
}

/**
 * What every store promises, one test each, against its real database:
 *
 *     for (const { name, run } of storePromises(subject)) test(name, run)
 */
export function storePromises(subject: StoreSubject): readonly StorePromise[] {
  const planned = [...unitPromises, ...rowPromises, ...tablePromises].filter(({ isShared }) => !isShared || subject.isShared)
  return planned.map(({ promise, see }) => ({
    name: `${subject.name}: ${promise}`,
    async run() {
      const database = await subject.database()
      try {
        await see(database)
      } finally {
        await database.remove()
      }
    },
  }))
}

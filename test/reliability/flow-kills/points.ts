import type { SqlSession } from "../../../src/contract/sql-session.ts"
import type { HasStore, Store, StoreStatement } from "../../../src/contract/store.ts"

/** Counts the points that a process passes, and pulls the plug at one of them. */
export class Points {
  readonly #deathAt: number
  #hasBegun = false
  count = 0

  constructor(deathAt: number) {
    this.#deathAt = deathAt
  }

  /** What is before it, such as making the tables, does not count. */
  begin(): void {
    this.#hasBegun = true
  }

  pass(_point: string): void {
    if (this.#hasBegun && ++this.count === this.#deathAt) die()
  }
}

/** At once: no handler runs, nothing is flushed. */
function die(): never {
  process.kill(process.pid, "SIGKILL")
  // The signal comes within a moment; until then this thread does nothing more.
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_000)
}

/** A point before, and one after, each unit of the store and each transaction. */
export class MortalDatabase implements SqlSession, HasStore {
  readonly #real: SqlSession & HasStore
  readonly #points: Points

  constructor(real: SqlSession & HasStore, points: Points) {
    this.#real = real
    this.#points = points
  }

  get name(): string {
    return this.#real.name
  }
  get capabilities(): SqlSession["capabilities"] {
    return this.#real.capabilities
  }
  read(...given: Parameters<SqlSession["read"]>): unknown {
    return this.#real.read(...given)
  }
  write(...given: Parameters<SqlSession["write"]>): unknown {
    return this.#real.write(...given)
  }
  async transaction(...given: Parameters<SqlSession["transaction"]>): Promise<unknown> {
    this.#points.pass("before a transaction")
    const answer = await this.#real.transaction(...given)
    this.#points.pass("after a transaction")
    return answer
  }
  storeVersion(): Promise<number> {
    return this.#real.storeVersion()
  }
  async openStore(...given: Parameters<HasStore["openStore"]>): Promise<Store> {
    const store = await this.#real.openStore(...given)
    const unit = store.unit.bind(store)
    const points = this.#points
    // Opened once; whoever asks again gets the same, so it must not be wrapped twice.
    if (Object.hasOwn(store, "unit")) return store
    store.unit = async (statements: readonly StoreStatement[]) => {
      // Only what the flow depends on: a picture of its progress is for people, and whose tables they are is of the start.
      const isOther = statements.length === 1 && /set progress|trestle_owner/.test(statements[0]!.text)
      if (!isOther) points.pass("before a unit")
      const results = await unit(statements)
      if (!isOther) points.pass("after a unit")
      return results
    }
    return store
  }
  close(): Promise<void> {
    return this.#real.close()
  }
}

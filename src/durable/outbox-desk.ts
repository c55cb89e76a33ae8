import type { Store } from "../contract/store.ts"

/** A message that waits, as people see it. What it says is not here: it may be secret. */
export interface WaitingMessage {
  readonly id: string
  readonly topic: string
  /** Milliseconds since 1970. */
  readonly at: number
}

const LIST = "select id, topic, at from trestle_outbox order by seq limit ?"
const FIND = "select id, topic, at from trestle_outbox where id = ?"
const DROP = "delete from trestle_outbox where id = ?"

/** What people do with messages that wait in an outbox. */
export class OutboxDesk {
  readonly #store: Store

  constructor(store: Store) {
    this.#store = store
  }

  /** The oldest, in the order in which they were written. */
  async list(limit: number): Promise<readonly WaitingMessage[]> {
    return (await this.#store.read({ text: LIST, values: [limit] })) as unknown as readonly WaitingMessage[]
  }

  async find(id: string): Promise<WaitingMessage | null> {
    const [row] = await this.#store.read({ text: FIND, values: [id] })
    return (row as unknown as WaitingMessage | undefined) ?? null
  }

  /** Removes it for good. `false`: it has gone meanwhile. */
  async drop(id: string): Promise<boolean> {
    const results = await this.#store.unit([{ text: DROP, values: [id] }])
    return results![0]!.changes > 0
  }
}

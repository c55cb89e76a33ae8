import type { SqlRow } from "../contract/sql-session.ts"
import type { Store } from "../contract/store.ts"

/** A message that waits, as people see it. What it says is not here: it may be secret. */
export interface WaitingMessage {
  readonly id: string
  readonly topic: string
  /** Milliseconds since 1970. */
  readonly at: number
  /** `false`: it is not delivered, unless it can be read after the next start. */
  readonly isReadable: boolean
}

const LIST = "select id, topic, at, is_unreadable from trestle_outbox order by seq limit ?"
const FIND = "select id, topic, at, is_unreadable from trestle_outbox where id = ?"
const DROP = "delete from trestle_outbox where id = ?"

/** What people do with messages that wait in an outbox. */
export class OutboxDesk {
  readonly #store: Store

  constructor(store: Store) {
    this.#store = store
  }

  /** The oldest, in the order in which they were written. */
  async list(limit: number): Promise<readonly WaitingMessage[]> {
    return (await this.#store.read({ text: LIST, values: [limit] })).map(waitingMessage)
  }

  async find(id: string): Promise<WaitingMessage | null> {
    const [row] = await this.#store.read({ text: FIND, values: [id] })
    return row === undefined ? null : waitingMessage(row)
  }

  /** Removes it for good. `false`: it has gone meanwhile. */
  async drop(id: string): Promise<boolean> {
    const results = await this.#store.unit([{ text: DROP, values: [id] }])
    return results![0]!.changes > 0
  }
}

function waitingMessage({ id, topic, at, is_unreadable }: SqlRow): WaitingMessage {
  return { id: id as string, topic: topic as string, at: at as number, isReadable: is_unreadable === 0 }
}

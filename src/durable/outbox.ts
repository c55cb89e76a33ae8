import type { NewMessage } from "../contract/job.ts"
import type { OutboxRow } from "../contract/outbox.ts"
import type { Principal } from "../contract/principal.ts"
import type { SqlRow } from "../contract/sql-session.ts"
import { type Topic, topicOf } from "../contract/topic.ts"
import { asStored } from "./job-record.ts"
import type { SealedText } from "./sealed-text.ts"

/** What of a message stands in no column of its own. */
interface OutboxBody {
  readonly payload: unknown
  readonly trace: string
  readonly principal: Principal | null
  readonly isOwnAuthority: boolean
  readonly version: number
}

/** A message as it waits in the outbox. */
export function outboxRow(message: NewMessage, at: number, seal: SealedText): OutboxRow {
  const { id, payload, trace, principal, isOwnAuthority } = message
  const { topic, version } = topicOf(message.topic)
  const body: OutboxBody = { payload, trace, principal: principal && asStored(principal), isOwnAuthority, version }
  return { id, topic, body: seal.write(body, id), at: Math.round(at) }
}

/** The message of a row; `null` where nobody here takes its topic, or it cannot be read. */
export function messageOf(row: SqlRow, seal: SealedText, topicNamed: (name: string) => Topic<any, any> | undefined): NewMessage | null {
  const id = row.id as string
  const topic = topicNamed(row.topic as string)
  const body = topic && (seal.read(row.body as string, id) as OutboxBody | null)
  return topic && body ? { id, topic, ...body } : null
}

import { cloned, kept } from "../base/kept-value.ts"
import type { CallContext } from "./call.ts"
import { intentAt } from "./intent.ts"
import { type SqlText, sql } from "./sql.ts"
import type { StoreTables } from "./store.ts"

/** A message that waits in the database whose change has caused it. */
export interface OutboxRow {
  readonly id: string
  readonly topic: string
  /** What else the relay must know of it, sealed. */
  readonly body: string
  /** Milliseconds since 1970. */
  readonly at: number
}

/**
 * Messages on their way out, and what was done already: in the database of the service, so that both count together with the write that
 * they belong to, or not at all.
 */
export const OUTBOX_TABLES: StoreTables = {
  version: 4,
  statements: ({ serial }) => [
    `create table trestle_outbox (seq ${serial}, id text not null, topic text not null, body text not null, at bigint not null)`,
    "create table trestle_inbox (id text primary key, answer text, at bigint not null)",
    "create index trestle_inbox_at on trestle_inbox (at)",
  ],
}

/** Puts a message into the outbox of the database where it is run. */
export function outboxed({ id, topic, body, at }: OutboxRow): SqlText {
  return sql`insert into trestle_outbox (id, topic, body, at) values (${id}, ${topic}, ${body}, ${at})`
}

/** The mark of one intent at one place. */
export function inboxId(place: string, call: CallContext): string {
  return intentAt(place, call).slice(0, 40)
}

/** Marks the intent as carried out, with the change itself. Changes no row where it was marked before. */
export function marked(id: string, at: number): SqlText {
  return sql`insert into trestle_inbox (id, at) values (${id}, ${Math.round(at)}) on conflict (id) do nothing`
}

/** What was answered to it, for whoever asks again. @throws {DataCloneError} for what cannot be kept. */
export function answeredWith(id: string, answer: unknown): SqlText {
  return sql`update trestle_inbox set answer = ${JSON.stringify({ answer: cloned(answer) })} where id = ${id}`
}

export function answerTo(id: string): SqlText {
  return sql`select answer from trestle_inbox where id = ${id}`
}

export function keptAnswer(row: Readonly<Record<string, unknown>> | undefined): unknown {
  return kept((JSON.parse(row!.answer as string) as { answer?: unknown }).answer)
}

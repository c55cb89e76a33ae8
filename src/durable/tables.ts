import { OUTBOX_TABLES } from "../contract/outbox.ts"
import type { StoreTables } from "../contract/store.ts"
import { IN_LINE } from "./job-statements.ts"
import { FLOW_TABLES } from "./journal.ts"

/**
 * `due_at` is the moment from which a job may be claimed: its time while it waits, the end of its lease while it runs, nothing when it is
 * over. So one index finds what there is to do, a lease that has run out included.
 */
const JOBS: StoreTables = {
  version: 1,
  statements: ({ serial }) => [
    `create table trestle_jobs (
      seq ${serial},
      id text not null unique,
      kind text not null,
      operation text not null,
      order_key text,
      blocks bigint not null,
      state text not null,
      due_at bigint,
      expires_at bigint,
      put_at bigint not null,
      ended_at bigint,
      forget_at bigint,
      attempts bigint not null,
      fence bigint not null,
      follows_unknown bigint not null,
      is_ordered bigint not null,
      trace text not null,
      contract_hash text not null,
      body text not null,
      outcome text,
      progress text,
      history text
    )`,
    "create index trestle_jobs_due on trestle_jobs (due_at) where due_at is not null",
    "create index trestle_jobs_order on trestle_jobs (operation, order_key, seq) where order_key is not null",
    // Two of one key never run at once, whatever two nodes see of each other at that moment.
    "create unique index trestle_jobs_turn on trestle_jobs (operation, order_key) where order_key is not null and state = 'running'",
    "create index trestle_jobs_undone on trestle_jobs (state, seq) where state in ('parked', 'dead')",
    "create index trestle_jobs_forget on trestle_jobs (forget_at) where forget_at is not null",
    "create table trestle_schedules (operation text primary key, at bigint not null)",
  ],
}

/** What is over holds up nobody, so the order of a key need not know it; the tables are one application's; what cannot be read says so. */
const OWNED: StoreTables = {
  version: 5,
  statements: () => [
    "drop index trestle_jobs_order",
    `create index trestle_jobs_order on trestle_jobs (operation, order_key, seq) where order_key is not null and ${IN_LINE}`,
    "create table trestle_owner (id bigint primary key, name text not null)",
    "alter table trestle_outbox add column is_unreadable bigint not null default 0",
  ],
}

/**
 * `id` is made of caller, operation and key. `who` and `credential` name the caller by hashes, so that what is remembered for one who is
 * revoked can go; `lease_until` is when whoever holds the claim must have ended.
 */
const CLAIMS: StoreTables = {
  version: 2,
  statements: () => [
    `create table trestle_claims (
      id text primary key,
      who text not null,
      credential text not null,
      fingerprint text not null,
      state text not null,
      holder text not null,
      fence bigint not null,
      lease_until bigint not null,
      ends_at bigint not null,
      answer text
    )`,
    "create index trestle_claims_end on trestle_claims (ends_at)",
    "create index trestle_claims_who on trestle_claims (who) where answer is not null",
  ],
}

/** All of Trestle's own tables, in the order of their versions. A version that was published is never changed: what changes is a new one. */
export const TABLES: readonly StoreTables[] = [JOBS, CLAIMS, FLOW_TABLES, OUTBOX_TABLES, OWNED]

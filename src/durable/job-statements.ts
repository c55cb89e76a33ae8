import type { StoreDialect } from "../contract/store.ts"

const NOW = "(select trestle_now())"
const OPEN = "('waiting', 'running')"
const HELD = "id = ? and fence = ? and state = 'running'"
/** Holds up the later ones of its key. The index of the order has no others, and is used where this stands in a condition word for word. */
export const IN_LINE = `(state in ${OPEN} or (blocks = 1 and state in ('parked', 'dead')))`
const COLUMNS =
  "id, kind, operation, order_key, blocks, state, due_at, expires_at, put_at, attempts, fence, follows_unknown, is_ordered, trace, contract_hash, body, history"

/** A job that is held up is looked at again after as long as it has waited, within these: what is put behind a dead one costs nothing. */
const HELD_UP_MS_MIN = 1_000
const HELD_UP_MS_MAX = 300_000

/** Puts a job that waits, or is parked. */
export const PUT = `insert into trestle_jobs (${COLUMNS})
  values (?, ?, ?, ?, ?, ?, ${NOW} + ?, ${NOW} + ?, ${NOW}, 0, 0, ?, 0, ?, ?, ?, ?) on conflict (id) do nothing`

/**
 * Puts a job that runs at once under a lease; unless an earlier one of its key stands before it: then it waits.
 * Gives its state; nothing where one of its id is known.
 */
export const PUT_LEASED = `insert into trestle_jobs (${COLUMNS})
  select ?, ?, ?, ?, ?, case when turn.is_free = 1 then 'running' else 'waiting' end, ${NOW} + case when turn.is_free = 1 then ? else 0 end,
    ${NOW} + ?, ${NOW}, turn.is_free, turn.is_free, ?, 0, ?, ?, ?, ?
  from (select case when exists (
    select 1 from trestle_jobs where operation = ? and order_key = ? and ${IN_LINE}
  ) then 0 else 1 end as is_free) turn
  where true on conflict (id) do nothing returning state, put_at`

/** The same for a job of no key, which waits for nobody. One plan suits all of them, so PostgreSQL makes it once. */
export const PUT_LEASED_FREE = `insert into trestle_jobs (${COLUMNS})
  values (?, ?, ?, null, ?, 'running', ${NOW} + ?, ${NOW} + ?, ${NOW}, 1, 1, ?, 0, ?, ?, ?, ?) on conflict (id) do nothing returning state, put_at`

/**
 * Takes what is due, the longest due first; not what runs in the same process, whatever its lease says: clocks jump. A job whose turn it is
 * not, for an earlier one of its key is open, or another one runs, is put off instead, so that a key that is held up holds up nobody else;
 * the end of the one before it calls it earlier. Behind one that a person has to look at it expires all the same.
 */
export function claimText({ skipLocked }: StoreDialect, operations: number): string {
  return `with due as materialized (
    select j.seq, case when j.order_key is not null and (exists (
      select 1 from trestle_jobs where operation = j.operation and order_key = j.order_key and seq < j.seq and ${IN_LINE}
        and (state in ${OPEN} or j.expires_at is null or j.expires_at > ${NOW})
    ) or exists (
      select 1 from trestle_jobs where operation = j.operation and order_key = j.order_key and seq > j.seq and state = 'running'
    )) then 1 else 0 end as is_held_up,
    case when ${NOW} - j.put_at < ${HELD_UP_MS_MIN} then ${HELD_UP_MS_MIN} when ${NOW} - j.put_at > ${HELD_UP_MS_MAX} then ${HELD_UP_MS_MAX}
      else ${NOW} - j.put_at end as pause
    from trestle_jobs j where j.due_at <= ${NOW} and j.operation in (${Array(operations).fill("?").join(", ")})
      and (j.state = 'waiting' or replace(?, ' ' || j.id || ' ', '') = ?)
    order by j.due_at, j.seq limit ?${skipLocked})
  update trestle_jobs set
    state = case when due.is_held_up = 1 then 'waiting' else 'running' end,
    due_at = case when due.is_held_up = 0 then ${NOW} + ?
      when expires_at > ${NOW} and expires_at < ${NOW} + due.pause then expires_at
      else ${NOW} + due.pause end,
    follows_unknown = case when state = 'running' then 1 else follows_unknown end,
    is_ordered = case when state = 'running' then 0 else is_ordered end,
    attempts = attempts + 1 - due.is_held_up,
    fence = fence + 1 - due.is_held_up
  from due where trestle_jobs.seq = due.seq
  returning id, kind, operation, order_key, blocks, state, attempts, fence, follows_unknown, is_ordered, put_at,
    case when expires_at <= ${NOW} then 1 else 0 end as is_expired, trace, contract_hash, body, history, trestle_jobs.seq as seq`
}

/** How long until something of these operations may be due; nothing where there is nothing. */
export function nextDueText(operations: number): string {
  return `select due_at - ${NOW} as delay from trestle_jobs
    where due_at is not null and operation in (${Array(operations).fill("?").join(", ")}) order by due_at limit 1`
}

export const RENEW = `update trestle_jobs set due_at = ${NOW} + ? where ${HELD}`
export const REMOVE = `delete from trestle_jobs where ${HELD}`
const KEPT = `due_at = null, ended_at = ${NOW}, forget_at = ${NOW} + ?, outcome = ?, body = ?, progress = null`
export const KEEP = `update trestle_jobs set state = 'done', ${KEPT} where ${HELD}`
export const KEEP_FAILED = `update trestle_jobs set state = 'failed', ${KEPT}, history = ? where ${HELD}`
export const AGAIN = `update trestle_jobs set state = 'waiting', attempts = attempts - ?, follows_unknown = ?, is_ordered = 0, history = ?,
  due_at = case when expires_at < ${NOW} + ? then expires_at else ${NOW} + ? end where ${HELD}`
export const STOPPED = `update trestle_jobs set state = ?, due_at = null, ended_at = ${NOW}, follows_unknown = ?, is_ordered = 0, outcome = ?, history = ?
  where ${HELD}`
export const GIVE_BACK = `update trestle_jobs set state = 'waiting', due_at = ${NOW}, attempts = attempts - 1 where ${HELD}`
export const PROGRESS = `update trestle_jobs set progress = ? where ${HELD}`
/** Holds whatever else its unit does to the lease: with `expects: 1`. */
export const STILL_HELD = `update trestle_jobs set fence = fence where ${HELD}`

/** Calls the one whose turn it is next. */
export const NEXT_OF_KEY = `update trestle_jobs set due_at = ${NOW} where seq = (
  select min(seq) from trestle_jobs where operation = ? and order_key = ? and ${IN_LINE} and state = 'waiting')`

/** Whether a job that is put now would have to wait for an earlier one of its key. */
export const IS_QUEUED = `select 1 as is_queued from trestle_jobs where operation = ? and order_key = ? and ${IN_LINE} limit 1`

export const FIND = "select * from trestle_jobs where id = ?"
/** So many at once, so that whoever else writes to the store does not wait for long. */
export const FORGET_MAX = 500
export const FORGET = `delete from trestle_jobs where seq in (
  select seq from trestle_jobs where forget_at <= ${NOW} order by forget_at limit ${FORGET_MAX})`
/** What was put under a former path of an operation belongs to it. */
export const RENAME = "update trestle_jobs set operation = ? where operation = ?"
export const CANCEL = "delete from trestle_jobs where id = ? and state in ('waiting', 'parked', 'dead') and follows_unknown = 0"
/** The same of a deferred write, together with the flow that waits for it. */
export const CANCEL_WITH = `${CANCEL} and kind = 'deferred' and not exists (select 1 from trestle_jobs f where f.id = ?)`

// -- for people -------------------------------------------------------------------------------------

/** Behind which job one waits for its turn, `<id> <state>`: first the one that nothing but a person gets out of the way. */
const SEEN = `select j.*, case when j.state = 'waiting' and j.order_key is not null then (
    select id || ' ' || state from trestle_jobs where operation = j.operation and order_key = j.order_key and ${IN_LINE} and seq < j.seq
    order by case when state in ('parked', 'dead') then 0 else 1 end, seq limit 1) end as held_up_by
  from trestle_jobs j`
export const SEE = `${SEEN} where j.id = ?`
export const LIST = `${SEEN} where j.seq > ? and (j.state = ? or ? = '*') order by j.seq limit ?`
/** Of either state. */
export const LIST_NEWEST = `${SEEN} where j.seq < ? and (j.state = ? or j.state = ?) order by j.seq desc limit ?`
/** Once more from the beginning, whatever became of it; not of what somebody runs. */
const ORDERED = `state = 'waiting', due_at = ${NOW}, attempts = 0, is_ordered = 1, expires_at = null, ended_at = null, outcome = null, history = ?`
export const ORDER = `update trestle_jobs set ${ORDERED} where id = ? and fence = ? and state in ('waiting', 'parked', 'dead')`
export const DROP = "delete from trestle_jobs where id = ? and fence = ? and state in ('waiting', 'parked', 'dead')"

/** What a person has found out is written once: the fence rises, so that whoever has looked before that changes nothing any more. */
const SETTLED = "fence = fence + 1 where id = ? and fence = ? and state in ('parked', 'dead')"
/** It has not happened, so it begins anew. Of a flow only a step has not. */
export const SETTLED_AGAIN = `update trestle_jobs set ${ORDERED}, follows_unknown = case when kind = 'flow' then follows_unknown else 0 end, ${SETTLED}`
/** It has happened. */
export const SETTLED_DONE = `update trestle_jobs set state = 'done', ${KEPT}, history = ?, ${SETTLED}`
/** Something else of it is still undecided. */
export const SETTLED_IN_PART = `update trestle_jobs set history = ?, ${SETTLED}`

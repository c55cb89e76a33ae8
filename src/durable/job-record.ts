import type { JobEnd, JobEvent, JobKind, JobProgress, JobReport, JobState, NewJob } from "../contract/job.ts"
import type { JournaledError } from "../contract/journal.ts"
import type { Principal } from "../contract/principal.ts"
import type { SqlRow } from "../contract/sql-session.ts"
import { type Issue, TrestleError } from "../errors/trestle-error.ts"
import type { SealedText } from "./sealed-text.ts"

/** What of a job may be secret, and so is sealed: everything that no statement asks for. */
export type JobBody = Pick<
  NewJob,
  "input" | "principal" | "isOwnAuthority" | "idempotencyKey" | "times" | "mayRepeat" | "lastsMs" | "version"
> & {
  /** How long its row stays after its end, in milliseconds. */
  readonly keepMs: number
}

/** A job that this process may run, because it holds its lease. */
export interface HeldJob {
  readonly id: string
  readonly kind: JobKind
  readonly operation: string
  readonly orderKey: string | null
  readonly blocks: boolean
  /** This run included. */
  readonly attempts: number
  readonly fence: number
  readonly followsUnknown: boolean
  readonly isOrdered: boolean
  readonly putAt: number
  readonly isExpired: boolean
  readonly trace: string
  readonly contractHash: string
  /** `null`: it cannot be read. */
  readonly body: JobBody | null
  readonly history: readonly JobEvent[]
}

/** For at most so many events a job is a story that somebody can read. */
const HISTORY_MAX = 50
const WHY_LENGTH_MAX = 500
const DAY_MS = 86_400_000

export function bodyOf(job: NewJob): JobBody {
  const { input, principal, isOwnAuthority, idempotencyKey, times, mayRepeat, lastsMs, version } = job
  return {
    input,
    principal: principal && asStored(principal),
    isOwnAuthority,
    idempotencyKey,
    // JSON has no Infinity.
    ...(times === undefined ? {} : { times: Number.isFinite(times) ? times : Number.MAX_SAFE_INTEGER }),
    ...(mayRepeat === undefined ? {} : { mayRepeat }),
    ...(lastsMs === undefined ? {} : { lastsMs }),
    ...(version === undefined ? {} : { version }),
    keepMs: job.keepMs ?? (job.kind === "flow" || job.kind === "deferred" ? DAY_MS : 0),
  }
}

/** Who it was, and what they might do then. Never claims, which may be anything, a token included. */
export function asStored({ id, kind, roles, permissions, tenant, credential }: Principal): Principal {
  return {
    id,
    kind,
    ...(roles ? { roles } : {}),
    ...(permissions ? { permissions } : {}),
    ...(tenant === undefined ? {} : { tenant }),
    ...(credential === undefined ? {} : { credential }),
  }
}

export function heldOf(row: SqlRow, seal: SealedText): HeldJob {
  const id = row.id as string
  return {
    id,
    kind: row.kind as JobKind,
    operation: row.operation as string,
    orderKey: row.order_key as string | null,
    blocks: row.blocks === 1,
    attempts: row.attempts as number,
    fence: row.fence as number,
    followsUnknown: row.follows_unknown === 1,
    isOrdered: row.is_ordered === 1,
    putAt: row.put_at as number,
    isExpired: row.is_expired === 1,
    trace: row.trace as string,
    contractHash: row.contract_hash as string,
    body: seal.read(row.body as string, id) as JobBody | null,
    history: historyOf(row),
  }
}

export function reportOf(row: SqlRow, seal: SealedText): JobReport {
  const id = row.id as string
  const body = seal.read(row.body as string, id) as JobBody | null
  return {
    id,
    kind: row.kind as JobKind,
    operation: row.operation as string,
    state: row.state as JobState,
    orderKey: row.order_key as string | null,
    attempts: row.attempts as number,
    createdAt: row.put_at as number,
    dueAt: row.state === "waiting" ? (row.due_at as number) : null,
    expiresAt: row.expires_at as number | null,
    endedAt: row.ended_at as number | null,
    trace: row.trace as string,
    principal: body?.principal ? shownOf(body.principal) : null,
    progress: row.progress === null ? null : (JSON.parse(row.progress as string) as JobProgress),
    history: historyOf(row),
  }
}

function shownOf({ id, kind, tenant }: Principal): JobReport["principal"] {
  return { id, kind, ...(tenant === undefined ? {} : { tenant }) }
}

export function historyOf(row: SqlRow): JobEvent[] {
  return row.history === null ? [] : (JSON.parse(row.history as string) as JobEvent[])
}

export function historyText(history: readonly JobEvent[], event: JobEvent): string {
  const { why } = event
  const short = why !== undefined && why.length > WHY_LENGTH_MAX ? { ...event, why: `${why.slice(0, WHY_LENGTH_MAX)}…` } : event
  return JSON.stringify([...history, short].slice(-HISTORY_MAX))
}

/** A job as whoever it was put for may ask for it. */
export interface FollowedJob {
  readonly report: JobReport
  readonly isOwnAuthority: boolean
  /** `null` while it has not ended. */
  readonly end: JobEnd | null
}

/** `null` where it cannot be read. */
export function followedOf(row: SqlRow, seal: SealedText): FollowedJob | null {
  const body = seal.read(row.body as string, row.id as string) as JobBody | null
  return body && { report: reportOf(row, seal), isOwnAuthority: body.isOwnAuthority, end: endOf(row, seal) }
}

/** What became of a job, for those who follow it. */
interface Outcome {
  readonly answer?: unknown
  readonly error?: JournaledError & { readonly issues: readonly Issue[] }
}

export function outcomeText(end: Exclude<JobEnd, { is: "failed" | "suspended" }>, id: string, seal: SealedText): string {
  if (end.is !== "done") return seal.write({ error: errorAsStored(end.error) } satisfies Outcome, id)
  try {
    return seal.writeAny(end.answer === undefined ? {} : { answer: end.answer }, id)
  } catch {
    // What cannot be kept, such as a stream, cannot be told to those who come later either.
    return seal.write({}, id)
  }
}

function errorAsStored({ code, detail, status, outcome, issues, note }: TrestleError): NonNullable<Outcome["error"]> {
  return { code, detail, status, outcome, issues, ...(note === undefined ? {} : { note }) }
}

/** `null` while it has not ended. */
export function endOf(row: SqlRow, seal: SealedText): JobEnd | null {
  const { state } = row
  if (state === "waiting" || state === "running" || row.outcome === null) return null
  const { answer, error } = (seal.readAny(row.outcome as string, row.id as string) ?? {}) as Outcome
  if (error === undefined) return { is: "done", answer }
  const { code, detail, ...options } = error
  return { is: state === "parked" || state === "dead" ? state : "ended", error: new TrestleError(code, detail, options) }
}

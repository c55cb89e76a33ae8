import { failure } from "../contract/failure.ts"
import type { Revocation } from "../contract/keeping.ts"
import type { EventLog } from "../contract/ports.ts"
import type { SqlRow } from "../contract/sql-session.ts"
import type { Store, StoreStatement, StoreValue } from "../contract/store.ts"
import { ownerHash } from "./claim-names.ts"
import type { SealedText } from "./sealed-text.ts"

/** Who holds a key. */
export interface Claim {
  /** Made of caller, operation and key. */
  readonly id: string
  /** 32 random digits, also the id of the work that is begun under it; of a call within a job the job's id, so that its next run knows its own. */
  readonly holder: string
  /** Of that job's run; 0 outside of jobs. */
  readonly fence: number
}

/** A key as a call asks for it. */
export interface ClaimRequest extends Claim {
  /** What it would be called under earlier names of the operation. */
  readonly formerIds: readonly string[]
  /** Hash of what is asked for: the same key for something else is refused. */
  readonly fingerprint: string
  /** What an earlier run of the same job has left unfinished may be begun again. */
  readonly takesOver: boolean
  /** By then the call has ended, in milliseconds from now. */
  readonly leaseMs: number
  /** What is known of the key is forgotten then, in milliseconds from now. */
  readonly keptMs: number
  /** Whose call it is; `null`: a caller without credentials. */
  readonly owner: Revocation | null
}

/** What is known under a key that somebody has claimed before. */
export interface Found {
  readonly id: string
  readonly holder: string
  /** `pending`: it goes on by itself in the store, where asking again finds it. */
  readonly state: "running" | "unknown" | "pending" | "answered"
  readonly isSameRequest: boolean
  /** Whoever held it must have ended, and has not said how. */
  readonly isHolderGone: boolean
  /** What was begun under it is in the store, under the holder's id, going on or over. Of a call within a job it is not looked for. */
  readonly hasWork: boolean
  /** `null`: too large to be kept, or removed with the credential of its caller. */
  readonly answer: string | null
}

/** An answer, as a sealed text, may have so many characters to be kept. */
export const ANSWER_LENGTH_MAX = 262_144
const SWEPT_AT_ONCE = 500

const TAKE = `insert into trestle_claims (id, who, credential, fingerprint, state, holder, fence, lease_until, ends_at)
  values (?, ?, ?, ?, 'running', ?, ?, (select trestle_now()) + ?, (select trestle_now()) + ?)
  on conflict (id) do update set who = excluded.who, credential = excluded.credential, fingerprint = excluded.fingerprint, state = 'running',
    holder = excluded.holder, fence = excluded.fence, lease_until = excluded.lease_until, ends_at = excluded.ends_at, answer = null
  where trestle_claims.ends_at <= (select trestle_now()) or (? = 1 and trestle_claims.state in ('running', 'unknown')
    and trestle_claims.holder = excluded.holder and trestle_claims.fence < excluded.fence and trestle_claims.fingerprint = excluded.fingerprint)`
// Whoever asks again for what goes on by itself holds nothing, and may hear the answer all the same.
const REMEMBER = `update trestle_claims set state = 'answered', answer = ?, ends_at = (select trestle_now()) + ?
  where id = ? and ((holder = ? and fence = ?) or state = 'pending')`
const SETTLE = "update trestle_claims set state = ? where id = ? and holder = ? and fence = ? and state = 'running'"
const RELEASE = "delete from trestle_claims where id = ? and holder = ? and fence = ? and state = 'running'"
const SWEEP = `delete from trestle_claims where id in
  (select id from trestle_claims where ends_at <= (select trestle_now()) order by ends_at limit ?)`
const FORGET = "update trestle_claims set answer = null where who = ? and answer is not null"
const FORGET_CREDENTIAL = `${FORGET} and credential = ?`

/**
 * Idempotency keys in the store: a key is claimed before its call does anything, by one insert that only one of all nodes can make, and
 * what the call answered is remembered under it. Two units a call.
 */
export class Claims {
  readonly seal: SealedText
  readonly #store: Store
  readonly #events: EventLog

  constructor(store: Store, seal: SealedText, events: EventLog) {
    this.#store = store
    this.seal = seal
    this.#events = events
  }

  /**
   * Claims a key. `null`: it is the call's; otherwise what is known under it.
   *
   * @throws {TrestleError} `UNAVAILABLE`: the store does not answer, and so nothing may be begun.
   */
  async take(request: ClaimRequest): Promise<Found | null> {
    const ids = [request.id, ...request.formerIds]
    let results: Awaited<ReturnType<Store["unit"]>>
    try {
      results = await this.#store.unit([
        takeStatement(request),
        { text: findText(ids.length), values: [request.fence, request.holder, request.holder, ...ids] },
      ])
    } catch (cause) {
      // Where the commit itself failed it may stand there, and nobody would ever give it back.
      void this.release(request).catch(() => {})
      throw failure("not-connected", "write", { cause, note: `${this.#store.name}: the idempotency key cannot be claimed` })
    }
    const [taken, found] = results!
    const former = found!.rows.find(({ id }) => id !== request.id)
    if (former) {
      if (taken!.changes === 1) await this.release(request).catch(() => {})
      return foundOf(former, request)
    }
    if (taken!.changes === 1) return null
    const [row] = found!.rows
    // It was swept between the two statements, on a database that lets others in between.
    return row ? foundOf(row, request) : this.take(request)
  }

  /** Keeps an answer; `null`, and beyond the limit: only that there was one. Never rejects: then the key stays claimed, and is unknown in the end. */
  async remember(claim: Claim, answer: string | null, keptMs: number): Promise<void> {
    const kept = answer !== null && answer.length > ANSWER_LENGTH_MAX ? null : answer
    await this.#told(claim, { text: REMEMBER, values: [kept, keptMs, claim.id, claim.holder, claim.fence] })
  }

  /** Says how a call has ended whose answer is not known. Never rejects. */
  async settle(claim: Claim, state: "unknown" | "pending"): Promise<void> {
    await this.#told(claim, { text: SETTLE, values: [state, claim.id, claim.holder, claim.fence] })
  }

  /** Nothing has happened under it: the key is free again. */
  async release({ id, holder, fence }: Claim): Promise<void> {
    await this.#store.unit([{ text: RELEASE, values: [id, holder, fence] }])
  }

  /** As `release`; never rejects. */
  async letGo(claim: Claim): Promise<void> {
    await this.release(claim).catch((error: unknown) => this.#complain(claim, error))
  }

  /** Removes what was answered to them; that it was done stays known. */
  async forget(revoked: Revocation): Promise<void> {
    const { credential } = revoked
    const [who] = ownerHash(revoked)
    const statement: StoreStatement =
      credential === undefined ? { text: FORGET, values: [who] } : { text: FORGET_CREDENTIAL, values: [who, ownerHash(revoked)[1]] }
    await this.#store.unit([statement])
  }

  /** Removes claims that are over. `true`: there may be more. */
  async sweep(): Promise<boolean> {
    const results = await this.#store.unit([{ text: SWEEP, values: [SWEPT_AT_ONCE] }])
    return results![0]!.changes === SWEPT_AT_ONCE
  }

  async #told(claim: Claim, statement: StoreStatement): Promise<void> {
    try {
      await this.#store.unit([statement])
    } catch (error) {
      this.#complain(claim, error)
    }
  }

  #complain({ id }: Claim, error: unknown): void {
    this.#events.error(
      "how a call ended could not be kept under its idempotency key; until it is forgotten, the key is answered OUTCOME_UNKNOWN",
      {
        claim: id,
        error,
      },
    )
  }
}

function takeStatement(request: ClaimRequest): StoreStatement {
  const { id, owner, fingerprint, holder, fence, leaseMs, keptMs, takesOver } = request
  const values: StoreValue[] = [id, ...ownerHash(owner), fingerprint, holder, fence, leaseMs, keptMs, takesOver ? 1 : 0]
  return { text: TAKE, values }
}

const FIND_TEXTS = new Map<number, string>()

/** Of work that was removed nobody will hear how it has ended. */
export function workRemoved(ids: readonly string[]): StoreStatement {
  const text = `update trestle_claims set state = 'unknown', answer = null where holder in (${Array(ids.length).fill("?").join(", ")})
    and not exists (select 1 from trestle_jobs where trestle_jobs.id = trestle_claims.holder)`
  return { text, values: [...ids] }
}

/** One text for each number of names that an operation has had. */
function findText(count: number): string {
  const known = FIND_TEXTS.get(count)
  if (known !== undefined) return known
  const text = `select id, fingerprint, state, holder, answer,
    case when lease_until <= (select trestle_now()) or (fence < ? and holder = ?) then 1 else 0 end as is_holder_gone,
    case when holder <> ? and exists (select 1 from trestle_jobs where trestle_jobs.id = trestle_claims.holder) then 1 else 0 end as has_work
    from trestle_claims where ends_at > (select trestle_now()) and id in (${Array(count).fill("?").join(", ")})`
  FIND_TEXTS.set(count, text)
  return text
}

function foundOf(row: SqlRow, { fingerprint }: ClaimRequest): Found {
  return {
    id: row.id as string,
    holder: row.holder as string,
    state: row.state as Found["state"],
    isSameRequest: row.fingerprint === fingerprint,
    isHolderGone: row.is_holder_gone === 1,
    hasWork: row.has_work === 1,
    answer: row.answer as string | null,
  }
}

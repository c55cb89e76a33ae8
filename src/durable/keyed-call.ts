import { hash } from "node:crypto"
import type { CallContext, Meta, Stoppable } from "../contract/call.ts"
import { answered } from "../contract/failure.ts"
import type { Delivery } from "../contract/job.ts"
import type { Operation } from "../contract/operation.ts"
import { isRepeatableBackend, keyKeptMs } from "../contract/repeatable.ts"
import { secretFields, withoutFields } from "../contract/secret-fields.ts"
import { invalid, TrestleError } from "../errors/trestle-error.ts"
import { claimId, fingerprintOf, type Lane, tokenOf } from "./claim-names.ts"
import type { Claim, ClaimRequest, Claims, Found } from "./claims.ts"
import { errorAgain, type Remembered, readRemembered, rememberedAnswer, rememberedError, textOf } from "./remembered.ts"

/** A call of an operation that has effects once under a key, as this room needs it. */
export interface KeyedCall extends CallContext {
  /** The key under which it may have been made before; `null`: nobody else can know it. */
  readonly sharedKey: string | null
  /** The job within which it is made, if it is. */
  readonly job: Delivery | null
  output: unknown
  readonly error: TrestleError | null
  isReplayed: boolean
  madeSoFar(): Meta
  /** From here on this is the token of its intent; and the id of the work that it begins. */
  claimed(token: string, workId: string): void
  /** The failure with which it will end; nothing of it is under way any more. */
  concluded(thrown: unknown): TrestleError
}

export type Asking<C> = (call: C) => void | Promise<void>

/** Longest key, in characters. */
export const KEY_LENGTH_MAX = 255
const DAY_MS = 86_400_000
/** After its deadline a call has this long to say how it ended. */
const LEASE_MARGIN_MS = 10_000
/** A lease never has to be longer: by then nobody waits. */
const LEASE_MS_MAX = 30 * DAY_MS
/** When to ask again for what is under way. */
const RETRY_AFTER_MS = 1_000

const DIED = "the call that had this idempotency key ended without an answer, or its process died"

/** What is decided once for an operation. */
class KeyRules {
  readonly path: string
  readonly formerPaths: readonly string[]
  /** All its services bear to be asked again under the keys that follow from its own. */
  readonly isRepeatable: boolean
  /** Its work goes on in the store when its caller is gone: asking again finds it. */
  readonly goesOn: boolean
  readonly keptMs: number
  readonly form: string
  readonly #secrets: ReadonlySet<string>

  constructor({ path, declaration, output }: Operation) {
    const { backend, contract } = declaration
    this.path = path
    this.formerPaths = contract.was ?? []
    this.isRepeatable = backend !== null && isRepeatableBackend(backend)
    this.goesOn = backend?.kind === "flow" && backend.plan.isDurable === true
    this.keptMs = keyKeptMs(declaration)
    this.form = hash("sha256", JSON.stringify(output.json), "base64url").slice(0, 16)
    this.#secrets = new Set(secretFields(output.json).map(({ name }) => name))
  }

  /** What may be given again to whoever shows the same key: to callers whom nobody knows, nothing secret. */
  shareable(value: unknown, { principal, isOwnAuthority, job }: KeyedCall): unknown {
    const isKnown = principal !== null || isOwnAuthority || job !== null
    return isKnown || this.#secrets.size === 0 ? value : withoutFields(value, this.#secrets)
  }
}

/**
 * Goes round the call of an operation with `repeat: "key"`: the first call under a key is made, and how it ends is remembered; those after it
 * get the same answer. A call without a key, and a job's run from the store, passes untouched.
 */
export function underKeys<C extends KeyedCall>(operation: Operation, claims: Claims): (asking: Asking<C>) => Asking<C> {
  const rules = new KeyRules(operation)
  return (asking) => (call) => {
    const key = call.sharedKey
    return key === null ? asking(call) : new KeyedRun(call, asking, rules, claims).run(key)
  }
}

/** One call under a key. */
class KeyedRun<C extends KeyedCall> implements Stoppable {
  readonly #call: C
  readonly #asking: Asking<C>
  readonly #rules: KeyRules
  readonly #claims: Claims
  #claim!: Claim
  /** Its answer is that of work which an earlier call has begun. */
  #joins = false

  constructor(call: C, asking: Asking<C>, rules: KeyRules, claims: Claims) {
    this.#call = call
    this.#asking = asking
    this.#rules = rules
    this.#claims = claims
  }

  async run(key: string): Promise<void> {
    if (key.length < 1 || key.length > KEY_LENGTH_MAX)
      throw invalid([{ path: "idempotencyKey", message: `must have 1 to ${KEY_LENGTH_MAX} characters` }])
    const request = requestOf(key, this.#call, this.#rules)
    const found = await this.#claims.take(request)
    if (this.#call.stopped) return found === null ? this.#claims.letGo(request) : undefined
    return found === null ? this.#ask(request, request.fingerprint) : this.#follow(found, request.fingerprint)
  }

  /** Somebody has had the key before. */
  #follow(found: Found, fingerprint: string): Promise<void> | void {
    const { state, holder, hasWork } = found
    if (!found.isSameRequest) throw new TrestleError("KEY_REUSED")
    if (state === "answered") return this.#giveAgain(found)
    if (this.#rules.goesOn && this.#isToBeFound(found)) {
      this.#joins = hasWork
      return this.#ask({ id: found.id, holder, fence: -1 }, fingerprint)
    }
    if (hasWork) throw new TrestleError("PENDING", undefined, { outcome: "unknown", work: holder })
    if (state === "running" && !found.isHolderGone)
      throw new TrestleError("KEY_IN_USE", undefined, { outcome: "unknown", retryAfterMs: RETRY_AFTER_MS })
    const what = state === "pending" ? "the work that was begun under this idempotency key was removed" : DIED
    throw new TrestleError("OUTCOME_UNKNOWN", undefined, { outcome: "unknown", note: `${this.#rules.path}: ${what}` })
  }

  /** A flow that is there is asked again; so is one that its holder has died before beginning. Within a job the store knows its id. */
  #isToBeFound({ state, hasWork, isHolderGone }: Found): boolean {
    if (this.#call.job !== null) return state === "pending" || isHolderGone
    return hasWork || (state === "running" && isHolderGone)
  }

  #giveAgain({ id, answer }: Found): void {
    const call = this.#call
    const remembered = answer === null ? null : readRemembered(answer, id, this.#claims.seal)
    call.isReplayed = true
    if (remembered === null || (!remembered.error && remembered.form !== this.#rules.form)) throw withheld()
    call.adopt({ ...remembered.made, attempts: 0, ms: 0, trace: call.trace })
    if (remembered.made.work !== undefined) call.noteWork(remembered.made.work)
    if (remembered.error) throw errorAgain(remembered.error)
    call.output = remembered.value
  }

  async #ask(claim: Claim, fingerprint: string): Promise<void> {
    const call = this.#call
    this.#claim = claim
    call.claimed(tokenOf(claim.id, fingerprint), claim.holder)
    call.attach(this)
    try {
      await this.#asking(call)
    } catch (thrown) {
      call.detach(this)
      // It has ended already, and `stop` has told how.
      if (call.error) return
      const error = call.concluded(thrown)
      await this.#failed(error)
      throw error
    }
    call.detach(this)
    call.isReplayed = this.#joins
    // Of a call that has ended too: an answer that comes late is the truth of what was unknown.
    const { form } = this.#rules
    await this.#remember(rememberedAnswer(this.#rules.shareable(call.output, call), call.madeSoFar(), form))
  }

  /** The call ends before its backend does. How, is decided at this moment, and known in the next. */
  stop(): void {
    queueMicrotask(() => void this.#failed(this.#call.error!))
  }

  #failed(error: TrestleError): Promise<void> {
    if (error.code === "PENDING" && this.#rules.goesOn) return this.#claims.settle(this.#claim, "pending")
    if (error.outcome === "answered") this.#call.isReplayed = this.#joins
    if (error.outcome === "answered") return this.#remember(rememberedError(error, this.#call.madeSoFar()))
    return error.outcome === "unknown" ? this.#claims.settle(this.#claim, "unknown") : this.#claims.letGo(this.#claim)
  }

  #remember(remembered: Remembered): Promise<void> {
    const text = textOf(remembered, this.#claim.id, this.#claims.seal)
    return this.#claims.remember(this.#claim, text, this.#rules.keptMs)
  }
}

function requestOf(key: string, call: KeyedCall, { path, formerPaths, isRepeatable, keptMs }: KeyRules): ClaimRequest {
  const { job, principal, clock, deadlineAt } = call
  const lane: Lane = job ? "job" : call.isOwnAuthority ? "own authority" : "caller"
  const leaseMs = Math.ceil(Math.min(deadlineAt - clock.now() + LEASE_MARGIN_MS, LEASE_MS_MAX))
  return {
    id: claimId(lane, call, path, key),
    formerIds: formerPaths.map((former) => claimId(lane, call, former, key)),
    fingerprint: fingerprintOf(call),
    holder: job ? job.id : call.random.hex(16),
    fence: job ? job.fence : 0,
    takesOver: isRepeatable || job?.isOrdered === true,
    leaseMs,
    keptMs: Math.max(keptMs, leaseMs),
    owner: principal,
  }
}

/** It was done; what was answered is not kept, or not for this form of answer. */
function withheld(): TrestleError {
  return answered("CONFLICT", {}, "This was carried out under the same idempotency key; its answer is not kept. Read what it has made.")
}

import { hash } from "node:crypto"
import { exactText } from "../base/canonical.ts"
import type { Alarm, Clock, Rings } from "../base/clock.ts"
import type { Random } from "../base/random.ts"
import type { CallContext, Ctx, StepOptions, Stoppable } from "../contract/call.ts"
import { answered, failure } from "../contract/failure.ts"
import type { Delivery, JobEnd } from "../contract/job.ts"
import type { Revalidation } from "../contract/keeping.ts"
import type { Drift } from "../contract/mapping.ts"
import { type Operation, originOf } from "../contract/operation.ts"
import type { CallRecord, Entry } from "../contract/ports.ts"
import type { Principal } from "../contract/principal.ts"
import { TrestleError } from "../errors/trestle-error.ts"
import type { CallStart } from "./call-start.ts"
import { Making } from "./making.ts"
import { PublicContext } from "./public-context.ts"
import type { Stage } from "./stages.ts"

/** What every call of one started application shares. */
export interface Surroundings {
  readonly clock: Clock
  readonly random: Random
  ended(call: Call): void
  /** Runs another operation inside a call. */
  nest(parent: Call, operation: unknown, input: unknown, how?: Nesting): Promise<unknown>
}

/** What an operation that is run inside a call does not have from it. */
export interface Nesting extends StepOptions {
  /** On behalf of somebody else, for a question of the application's own: what it tells of its making does not count for the call. */
  readonly apartAs?: Principal
}

/**
 * One call: a typed request by a caller, from its admission to its record. Every entrance makes one of these and runs the operation's
 * stages on it; it ends exactly once, with an output or with an error, no later than its deadline.
 */
export class Call extends Making implements CallContext, CallRecord, Rings, Stoppable {
  readonly #around: Surroundings
  readonly #of: Operation
  readonly entrance: CallStart["entrance"]
  readonly entry: Entry | null
  readonly isOwnAuthority: boolean
  readonly trace: string
  readonly epoch: number
  readonly deadlineAt: number
  readonly isHurried: boolean
  readonly ifMatch: string | undefined
  readonly revalidation: Revalidation | null
  readonly delivery: Delivery | null
  readonly isDelivered: boolean
  readonly followsUnknown: boolean
  readonly onlyAt: string | undefined
  readonly patienceMs: number | undefined
  readonly #givenKey: string | undefined
  readonly #startedAt: number
  readonly #parent: Call | undefined
  readonly #isCancelled: boolean
  readonly #handedOver: CallStart["handedOver"]

  principal: Principal | null
  /** Raw at first, then decoded, then validated. */
  input: unknown
  /** The input as it was before validation: what is stored, and compared. */
  received: unknown
  output: unknown
  /** Id of the work that goes on after this call; its answer is provisional. */
  work: string | null = null
  jobEnd: JobEnd | null = null
  /** The token of its intent is known beyond this process: run again, the same call has the same one. */
  isDurable: boolean
  /** The body of the HTTP answer. */
  encoded = ""
  error: TrestleError | null = null
  /** Its answer was remembered under its idempotency key: it was made by an earlier call. */
  isReplayed = false
  stopped: TrestleError | null = null
  httpStatus: number | null = null
  /** Of an answer that was sent piece by piece. */
  bytes: number | undefined
  /** Links of the list of calls under way. */
  newer: Call | null = null
  older: Call | null = null

  isSettled = false
  endsWithCall = false
  #settled!: (call: Call) => void
  #alarm: Alarm = null
  #mayHaveActed = false
  /** A write that this call ran has had its effect, or may have had it. */
  #hasActedInside = false
  /** How many of its nested calls are alike, of those whose key was asked for. */
  #alike: Map<string, number> | null = null
  #idempotencyKey: string | undefined
  #workId: string | undefined
  #attached: Stoppable | null = null
  #alsoAttached: Set<Stoppable> | null = null
  #public: PublicContext | null = null

  constructor(of: Operation, around: Surroundings, start: CallStart) {
    super()
    const { parent } = start
    this.#of = of
    this.#around = around
    this.#parent = parent
    this.entrance = start.entrance
    this.entry = start.entry
    this.isOwnAuthority = start.isOwnAuthority
    this.principal = start.principal
    this.input = start.input
    this.trace = start.trace ?? parent?.trace ?? around.random.hex(16)
    this.#isCancelled = start.isCancelled || parent?.stopped != null
    this.#givenKey = start.idempotencyKey
    this.ifMatch = start.ifMatch
    this.revalidation = start.revalidation
    this.delivery = start.delivery
    this.patienceMs = start.patienceMs
    this.followsUnknown = start.followsUnknown || start.delivery?.followsUnknown === true
    this.onlyAt = start.onlyAt ?? parent?.onlyAt
    this.isDelivered = start.delivery !== null || parent?.isDelivered === true
    this.isDurable = this.isDelivered || parent?.isDurable === true
    this.#handedOver = start.handedOver
    this.epoch = around.clock.epoch()
    this.#startedAt = around.clock.now()
    const hurriedMs = start.deadlineMs ?? Infinity
    const ownDeadline = this.#startedAt + (start.lastsMs ?? Math.min(of.deadlineMs, hurriedMs))
    this.deadlineAt = parent ? Math.min(parent.deadlineAt, ownDeadline) : ownDeadline
    this.isHurried = hurriedMs < of.deadlineMs || parent?.isHurried === true
  }

  /** Runs the stages; `settled` is called exactly once, when the call has ended. */
  run(stages: Stage, settled: (call: Call) => void): void {
    this.#settled = settled
    if (this.#isCancelled) return this.stop(new TrestleError("CANCELLED", undefined, { reason: "cancelled-unsent" }))
    let waiting: void | Promise<void>
    try {
      waiting = stages(this)
    } catch (thrown) {
      return this.#fail(thrown)
    }
    if (waiting === undefined) return this.#end(null)
    this.#parent?.attach(this)
    const now = this.clock.now()
    this.#alarm = this.clock.after(Math.max(0, this.deadlineAt - now), this, now)
    waiting.then(this.#succeed.bind(this), this.#fail.bind(this))
  }

  /** The answer can be read now. */
  handOver(): void {
    this.endsWithCall = true
    this.#handedOver?.(this)
    this.goOn()
  }

  /** The deadline is over. */
  ring(): void {
    const note = `deadline of ${Math.round(this.deadlineAt - this.#startedAt)} ms`
    this.stop(new TrestleError("TIMEOUT", undefined, { reason: "timeout-unsent", note }))
  }

  /** Ends the call now, whatever is under way; what has left for a service may have happened, and the error says so. */
  stop(why: TrestleError): void {
    if (this.isSettled) return
    this.stopped = why
    // It is stored, and goes on without this call.
    if (this.work !== null) return this.#end(new TrestleError("PENDING", undefined, { outcome: "unknown", work: this.work }))
    const phase = this.#mayHaveActed ? "sent" : "unsent"
    const reason = why.code === "CANCELLED" ? (`cancelled-${phase}` as const) : (`timeout-${phase}` as const)
    this.#end(failure(reason, this.#of.effect, { ...(why.note === undefined ? {} : { note: why.note }) }))
  }

  #succeed(): void {
    this.#end(null)
  }

  #fail(thrown: unknown): void {
    this.#end(this.#errorOf(thrown))
  }

  #errorOf(thrown: unknown): TrestleError {
    if (TrestleError.is(thrown)) return thrown
    if (this.#mayHaveActed) return failure("thrown", this.#of.effect, { cause: thrown })
    return new TrestleError("INTERNAL", undefined, { cause: thrown, outcome: "refused" })
  }

  /** What it will end with, for whoever must know before it has ended: stops what is still under way, as its end would. */
  concluded(thrown: unknown): TrestleError {
    const error = this.#errorOf(thrown)
    this.stopped ??= error
    this.#stopAttached(this.stopped)
    return this.#inViewOfSteps(error)
  }

  #end(error: TrestleError | null): void {
    if (this.isSettled) return
    this.isSettled = true
    if (this.#alarm !== null) this.clock.cancel(this.#alarm)
    this.#parent?.detach(this)
    if (error) {
      this.stopped ??= error
      this.#stopAttached(this.stopped)
      this.error = this.#inViewOfSteps(error)
      if (this.error.trace === "") this.error.trace = this.trace
    } else if (this.#attached !== null) this.#stopLeftovers()
    this.#settled(this)
    this.#around.ended(this)
  }

  /** Answers that came piece by piece and that nobody has read to their end. */
  #stopLeftovers(): void {
    for (const target of [this.#attached, ...(this.#alsoAttached ?? [])])
      if (target?.endsWithCall)
        target.stop(new TrestleError("CANCELLED", undefined, { note: `${this.operation} ended without reading it` }))
  }

  /** What is still under way would otherwise have its effect after this call has told its end. */
  #stopAttached(why: TrestleError): void {
    const first = this.#attached
    const others = this.#alsoAttached
    this.#attached = this.#alsoAttached = null
    for (const target of first ? [first, ...(others ?? [])] : (others ?? [])) {
      if (target instanceof Call && target.effect === "write" && target.#mayHaveActed) this.#hasActedInside = true
      target.stop(why)
    }
  }

  /**
   * A step's failure that passes through is the call's own only as long as no other step has acted: after that, "refused" and an answer
   * that this contract does not declare would deny what has happened.
   */
  #inViewOfSteps(error: TrestleError): TrestleError {
    if (!this.#hasActedInside || this.effect === "read" || error.outcome === "unknown") return error
    const isOfAStep = error.trace !== ""
    if (error.outcome === "answered" && (!isOfAStep || Object.hasOwn(this.errors, error.code))) return error
    return failure("thrown", "write", { cause: error, note: `${this.operation}: a step failed after another may have had its effect` })
  }

  // -- what the record asks ---------------------------------------------------------------------

  get operation(): string {
    return this.#of.path
  }

  get route(): string | null {
    const { route } = this.#of
    return this.entrance === "http" && route ? `${route.verb} ${route.pattern}` : null
  }

  get status(): number | null {
    return this.httpStatus
  }

  get lastedMs(): number {
    return this.clock.now() - this.#startedAt
  }

  // -- what backends, policies and connectors ask -----------------------------------------------

  get clock(): Clock {
    return this.#around.clock
  }

  get random(): Random {
    return this.#around.random
  }

  get effect(): "read" | "write" {
    return this.#of.effect
  }

  get drift(): Drift {
    return this.#of.declaration.contract.drift ?? "strict"
  }

  get public(): Ctx {
    this.#public ??= new PublicContext(this)
    return this.#public as unknown as Ctx
  }

  /** Its contract asks for a version of each answer. */
  get keepsVersions(): boolean {
    return this.#of.declaration.contract.etag === true
  }

  get errors(): Readonly<Record<string, number>> {
    return this.#of.errors
  }

  idempotencyKey(): string {
    this.#idempotencyKey ??= this.#givenKey ?? (this.#parent ? this.#parent.#keyOfNested(this) : this.random.hex(16))
    return this.#idempotencyKey
  }

  /**
   * Of what is asked for, not of when: a run that asks in another order, or leaves out what is done, must not send one thing under the key of
   * another. Two that are alike are two intents; inputs of which nobody can say whether they are alike count as alike.
   */
  #keyOfNested(nested: Call): string {
    const what = hash("sha256", `${originOf(nested.#of)}\n${exactText(nested.received) ?? ""}`, "base64url")
    this.#alike ??= new Map()
    const before = this.#alike.get(what) ?? 0
    this.#alike.set(what, before + 1)
    return hash("sha256", JSON.stringify([this.idempotencyKey(), what, before]), "base64url")
  }

  /** The job within which it is made, or that it is a run of. */
  get job(): Delivery | null {
    return this.delivery ?? this.#parent?.job ?? null
  }

  /**
   * The key under which this intent may have been called before: the caller's own, or within a job the one that every run of the job gives.
   * `null` where nobody else knows it; and for a job's own run, of whose repeats the store knows.
   */
  get sharedKey(): string | null {
    if (this.#parent === undefined) return this.delivery === null ? (this.#givenKey ?? null) : null
    return this.job === null ? null : this.idempotencyKey()
  }

  /** Its key is claimed: what follows from its intent follows from this token, and the work that it begins has this id. */
  claimed(token: string, workId: string): void {
    this.#idempotencyKey = token
    this.#workId = workId
    this.isDurable = true
  }

  newWorkId(): string {
    const reserved = this.#workId
    this.#workId = undefined
    return reserved ?? this.random.hex(16)
  }

  attach(target: Stoppable): void {
    if (this.stopped) target.stop(this.stopped)
    else if (this.#attached === null) this.#attached = target
    else {
      this.#alsoAttached ??= new Set()
      this.#alsoAttached.add(target)
    }
  }

  detach(target: Stoppable): void {
    if (this.#attached === target) this.#attached = null
    else this.#alsoAttached?.delete(target)
  }

  noteWork(id: string | null): void {
    this.work = id
  }

  noteUndone(): void {
    this.#mayHaveActed = this.#hasActedInside = false
  }

  noteJobEnd(end: JobEnd): void {
    this.jobEnd = end
  }

  noteSent(): void {
    this.#mayHaveActed = true
    // A nested read cannot make its parent's outcome unknown.
    if (this.#of.effect === "write") this.#parent?.noteSent()
  }

  // -- nested calls -----------------------------------------------------------------------------

  nest(operation: unknown, input: unknown, how?: Nesting): Promise<unknown> {
    return this.#around.nest(this, operation, input, how)
  }

  /** Takes over what a nested call says of its making, so that nothing inside is hidden outside. */
  absorb(nested: Call): void {
    if (nested.effect === "write" && (nested.error === null || nested.error.outcome === "unknown")) this.#hasActedInside = true
    this.absorbMaking(nested.meta)
  }

  fail(code: string, detail?: string): never {
    throw answered(code, this.errors, detail)
  }
}

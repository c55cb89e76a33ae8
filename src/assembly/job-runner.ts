import type { Alarm, Rings } from "../base/clock.ts"
import { parseDuration } from "../base/duration.ts"
import type { Random } from "../base/random.ts"
import type { Stoppable } from "../contract/call.ts"
import type { Operation } from "../contract/operation.ts"
import type { Principal, ResolvePrincipal } from "../contract/principal.ts"
import { topicOf } from "../contract/topic.ts"
import type { StoredEnd } from "../durable/job-ends.ts"
import type { HeldJob, JobBody } from "../durable/job-record.ts"
import { boundedEnd, deliveryOf, endBeforeRun, type Repeating, type RunEnd, verdictOf } from "../durable/verdict.ts"
import { TrestleError } from "../errors/trestle-error.ts"
import type { Call } from "../runtime/call.ts"
import type { Compiled, Engine } from "../runtime/engine.ts"

const TIMES = 10
const BACKOFF_MS = 1_000
/** So long an authenticator may take to say what is true of a principal now; then it is asked again later. */
const RESOLVE_MS_MAX = 5_000

export interface JobRunnerOptions {
  readonly engine: Engine
  readonly random: Random
  /** Present paths of operations by their former ones. */
  readonly formerPaths: ReadonlyMap<string, string>
  /** `undefined`: nobody can say more of a principal than was known when the job was put. */
  readonly resolve: ResolvePrincipal | undefined
}

/** Runs a job that this process holds: as a call, on behalf of whom it was put for. */
export function jobRunner(options: JobRunnerOptions): (job: HeldJob, ended: (end: StoredEnd) => void) => Stoppable | null {
  const { engine, formerPaths, random } = options
  const known = new Map<string, Repeating>()
  return (job, ended) => {
    const path = formerPaths.get(job.operation) ?? job.operation
    const compiled = engine.find(path)!
    const declared = known.get(path) ?? repeatingOf(compiled.operation)
    known.set(path, declared)
    const repeating = repeatingOfJob(job, declared)
    const over = endBeforeRun(job, repeating) ?? misfit(job, compiled.operation)
    if (over) {
      ended(over)
      return null
    }
    const run = new JobRun(options, compiled, job, (call) => {
      const ageMs = engine.clock.epoch() - job.putAt
      ended(boundedEnd(verdictOf(call), job, { repeating, random, ageMs }))
    })
    run.begin()
    return run
  }
}

type RunEnded = (call: RunEnd) => void

/** A run, from finding out who its principal is now to the end of its call. */
class JobRun implements Stoppable, Rings {
  readonly #options: JobRunnerOptions
  readonly #compiled: Compiled
  readonly #job: HeldJob
  readonly #body: JobBody
  readonly #ended: RunEnded
  #call: Call | null = null
  /** Of an answer about the principal that is waited for. */
  #patience: Alarm | null = null

  constructor(options: JobRunnerOptions, compiled: Compiled, job: HeldJob, ended: RunEnded) {
    this.#options = options
    this.#compiled = compiled
    this.#job = job
    this.#body = job.body!
    this.#ended = ended
  }

  begin(): void {
    const { principal, isOwnAuthority } = this.#body
    const { resolve } = this.#options
    if (principal === null || isOwnAuthority || !resolve) return this.#deliver(principal)
    try {
      const found = resolve(principal)
      if (!(found instanceof Promise)) return this.#known(found)
      this.#patience = this.#options.engine.clock.after(RESOLVE_MS_MAX, this)
      found.then(
        (now) => this.#answered(() => this.#known(now)),
        (error: unknown) => this.#answered(() => this.#fail(error)),
      )
    } catch (error) {
      this.#fail(error)
    }
  }

  stop(why: TrestleError): void {
    this.#call?.stop(why)
    this.#answered(() => this.#fail(why))
  }

  /** An authenticator that hangs holds up neither the other jobs nor the end of the process. */
  ring(): void {
    const note = `what is true of ${this.#body.principal!.id} now was not answered within ${RESOLVE_MS_MAX} ms`
    this.#answered(() => this.#fail(new TrestleError("UNAVAILABLE", undefined, { note })))
  }

  /** Only the first answer about the principal counts. */
  #answered(act: () => void): void {
    if (this.#patience === null) return
    this.#options.engine.clock.cancel(this.#patience)
    this.#patience = null
    act()
  }

  #known(found: Principal | "ended" | null): void {
    if (found !== "ended") return this.#deliver(found ?? this.#body.principal)
    const note = `${this.#body.principal!.id} may do nothing any more: its credential has ended`
    this.#fail(new TrestleError("FORBIDDEN", undefined, { note }))
  }

  #deliver(principal: Principal | null): void {
    const { isOwnAuthority, idempotencyKey, input, lastsMs } = this.#body
    const job = { input, principal, isOwnAuthority, idempotencyKey, trace: this.#job.trace }
    const { engine } = this.#options
    this.#call = engine.deliver({ compiled: this.#compiled, delivery: deliveryOf(this.#job), job, lastsMs }, this.#ended)
  }

  /** A check that cannot be made lets nobody in; it is made again later. */
  #fail(error: unknown): void {
    const known = TrestleError.is(error) ? error : new TrestleError("UNAVAILABLE", undefined, { cause: error })
    this.#ended({ error: known, output: undefined, jobEnd: null })
  }
}

/** How the messages and scheduled runs of an operation are repeated, as its contract says it. */
export function repeatingOf({ declaration, effect, repeat }: Operation): Repeating {
  const { delivery = {} } = declaration.contract
  return {
    times: delivery.times ?? TIMES,
    backoffMs: parseDuration(delivery.backoff) ?? BACKOFF_MS,
    mayRepeat: effect === "read" || repeat !== "none",
  }
}

function repeatingOfJob({ body }: HeldJob, declared: Repeating): Repeating {
  if (body?.times === undefined && body?.mayRepeat === undefined) return declared
  return { ...declared, times: body.times ?? declared.times, mayRepeat: body.mayRepeat ?? declared.mayRepeat }
}

/** A message of another version than this consumer takes. */
function misfit({ kind, body }: HeldJob, { path, declaration }: Operation): StoredEnd | null {
  const { on } = declaration.contract
  if (kind !== "message" || on === undefined) return null
  const { topic, version } = topicOf(on)
  if (body?.version === version) return null
  const note = `the message is of version ${body?.version} of ${topic}, and ${path} takes version ${version}`
  return { is: "dead", error: new TrestleError("INVALID", undefined, { note }) }
}

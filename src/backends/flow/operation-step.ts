import type { Meta } from "../../contract/call.ts"
import type { Operation } from "../../contract/operation.ts"
import { isDecidedByAnotherRun, isReconciled, isRepeatable } from "../../contract/repeatable.ts"
import { TrestleError } from "../../errors/trestle-error.ts"
import { fingerprint } from "./fingerprint.ts"
import { overdue } from "./flow-error.ts"
import { journaled, revived } from "./journaled-error.ts"
import type { FlowRun } from "./run.ts"

/** How often a flow looks whether a deferred step is done: a tenth of the time that it has lasted already, in milliseconds. */
const LOOK_MS_MIN = 1_000
const LOOK_MS_MAX = 60_000

/** A step as it is asked for. */
interface Asked {
  readonly key: string
  readonly operation: Operation
  readonly op: unknown
  readonly input: unknown
}

/** One operation, run as a step: once it has answered, that answer is given again. */
export class OperationStep {
  readonly #run: FlowRun
  readonly #asked: Asked
  readonly #entry: { readonly key: string; readonly what: string }
  /** It had begun in an earlier run. */
  #hasBegun = false

  constructor(run: FlowRun, asked: Asked) {
    this.#run = run
    this.#asked = asked
    const { key, operation, input } = asked
    this.#entry = { key, what: `${operation.path} ${fingerprint(input)}` }
  }

  async answer(): Promise<unknown> {
    const { run, known } = this.#recalled()
    if (known?.state === "done") return known.value
    // What could not be undone is tried again.
    if (known?.state === "failed" && run.undoing === null) throw revived(known.error!)
    if (known?.state === "deferred") return this.#deferred(known.value as string)
    this.#hasBegun = known !== undefined
    return this.#begin()
  }

  #recalled(): { run: FlowRun; known: ReturnType<FlowRun["known"]> } {
    const { key, what } = this.#entry
    const { operation } = this.#asked
    const print = what.slice(operation.path.length)
    const former = (operation.declaration.contract.was ?? []).map((path) => path + print)
    return { run: this.#run, known: this.#run.known(key, what, ...former) }
  }

  async #begin(): Promise<unknown> {
    const run = this.#run
    const { operation, key } = this.#asked
    await this.#seeThatItMayRun()
    run.progressed(key)
    if (operation.effect === "write" && !this.#hasBegun) await run.write([{ ...this.#entry, state: "begun" }])
    return this.#ask()
  }

  /** A write that has begun and of whose end nothing is known runs again only where that does no harm, or a person has said so. */
  async #seeThatItMayRun(): Promise<void> {
    const run = this.#run
    const { call, site } = run.parts
    const { key, operation } = this.#asked
    const mayRun = isRepeatable(operation) || isReconciled(operation) || call.delivery?.isOrdered
    if (this.#hasBegun && !mayRun) {
      const note = `flow ${site.operation}: step ${key} (${operation.path}) may have had its effect, and nobody has promised that it may be repeated`
      run.halt({ is: "parked", error: new TrestleError("OUTCOME_UNKNOWN", undefined, { outcome: "unknown", note }) })
    }
    if (!this.#hasBegun) await run.seeThatItMayBegin(key)
  }

  async #ask(): Promise<unknown> {
    const run = this.#run
    const { call, flow, durable } = run.parts
    const { op, input, key, operation } = this.#asked
    let made: Meta | undefined
    let answer: unknown
    try {
      answer = await call.nest(op, input, {
        isOwnAuthority: flow.grants.has(op) || call.isOwnAuthority,
        idempotencyKey: `${run.intent}/${key}`,
        followsUnknown: this.#hasBegun,
        onlyAt: run.undoneAt,
        heard: (meta) => {
          made = meta
        },
      })
    } catch (thrown) {
      return this.#failed(thrown as TrestleError)
    }
    const { work, servedBy } = made!
    if (work !== undefined && durable !== null) {
      await run.write([{ ...this.#entry, state: "deferred", value: work }])
      return this.#waitFor(work)
    }
    const isOneOfSeveral = operation.declaration.backend?.plan.fallsBack === true
    const done = { ...this.#entry, state: "done", value: answer, ...(isOneOfSeveral && { servedBy }) } as const
    // What was read may be read anew as long as nothing has come of it.
    if (operation.effect === "read") run.writeLater(done)
    else await run.write([done])
    return answer
  }

  async #failed(error: TrestleError): Promise<never> {
    const run = this.#run
    const { durable } = run.parts
    const { operation, key } = this.#asked
    run.haltIfStopped()
    if (error.code === "PENDING" && durable !== null) return this.#waitFor(error.work!)
    if (operation.effect === "write" && (error.outcome === "unknown" || this.#mayHaveHappenedBefore(error))) {
      const undecided = error.outcome === "unknown" ? error : stillUnknown(error)
      return run.halt({ is: isDecidedByAnotherRun(operation) ? "failed" : "parked", error: undecided, step: run.labelOf(key) })
    }
    if (run.undoing === null) await run.write([{ ...this.#entry, state: "failed", error: journaled(error) }])
    throw error
  }

  /** That this run of it was refused says nothing of the run before, of whose end nothing is known. */
  #mayHaveHappenedBefore({ outcome }: TrestleError): boolean {
    return this.#hasBegun && this.#run.undoing === null && outcome === "refused"
  }

  /** The step's write was kept for later: its end is the step's. */
  async #deferred(work: string): Promise<unknown> {
    const run = this.#run
    const { call, durable, until } = run.parts
    const end = await this.#looked(() => durable!.endOf(work))
    if (end?.is === "done") {
      await run.write([{ ...this.#entry, state: "done", value: end.answer }])
      return end.answer
    }
    const isUndecided = end?.is === "dead" && end.error.outcome === "unknown"
    const isOver = end?.is === "ended" || (end?.is === "dead" && !isUndecided)
    const isUnwanted = run.undoing === null && (run.failed !== null || call.clock.epoch() >= until)
    if (isOver) return this.#givenUp(work, end.error)
    if (isUndecided) return run.halt({ is: "parked", error: undecided(work, run, end.error) })
    // What is taken back has not happened.
    if (isUnwanted && (end === undefined || (await this.#looked(() => durable!.cancel(work))))) return this.#failed(run.failed ?? overdue())
    if (end === undefined) return this.#removed(work)
    return this.#waitFor(work)
  }

  /** The flow fails with it, so nobody may send it any more. */
  async #givenUp(work: string, error: TrestleError): Promise<never> {
    const run = this.#run
    if (run.undoing !== null) throw error
    await run.write([{ ...this.#entry, state: "failed", error: journaled(error) }])
    await this.#looked(() => run.parts.durable!.cancel(work))
    throw error
  }

  /** A person has removed the work, or it ended longer ago than anything is kept: whether it has happened only a person knows. */
  #removed(work: string): Promise<unknown> {
    const { call } = this.#run.parts
    if (!call.delivery?.isOrdered) this.#run.halt({ is: "parked", error: undecided(work, this.#run) })
    this.#hasBegun = true
    return this.#begin()
  }

  /** A store that does not answer says nothing of the step. */
  async #looked<T>(look: () => Promise<T>): Promise<T> {
    try {
      return await look()
    } catch (error) {
      const why = TrestleError.is(error) ? (error.note ?? error.code) : "its deferred work cannot be looked at"
      return this.#run.halt({ is: "suspended", delayMs: LOOK_MS_MIN, why })
    }
  }

  #waitFor(work: string): never {
    const { call } = this.#run.parts
    const lastedMs = call.clock.epoch() - (call.delivery?.putAt ?? 0)
    const delayMs = Math.min(Math.max(lastedMs / 10, LOOK_MS_MIN), LOOK_MS_MAX)
    return this.#run.halt({ is: "suspended", delayMs, why: `waits for the work ${work}`, work })
  }
}

/** Of a step that may have had its effect in an earlier run, and could not be asked for in this one. */
function stillUnknown(error: TrestleError): TrestleError {
  return new TrestleError("OUTCOME_UNKNOWN", undefined, {
    outcome: "unknown",
    cause: error,
    note: `an earlier run may have had its effect; now: ${error.note ?? error.code}`,
  })
}

function undecided(work: string, { parts: { site } }: FlowRun, cause?: TrestleError): TrestleError {
  const what = cause === undefined ? "is not there any more" : "was given up on, and may have happened"
  const note = `flow ${site.operation}: its deferred work ${work} ${what}`
  return new TrestleError("OUTCOME_UNKNOWN", undefined, { outcome: "unknown", note, ...(cause && { cause }) })
}

import { hash } from "node:crypto"
import { NotKept, seeThatItIsKept } from "../../base/kept-value.ts"
import type { Site } from "../../contract/backend.ts"
import type { CallContext } from "../../contract/call.ts"
import { isOutage } from "../../contract/failure.ts"
import type { Durable, JobEnd, JobProgress } from "../../contract/job.ts"
import { FAILURE, type Journal, type JournalEntry, labelOfStep, nameOfStep, UNDO } from "../../contract/journal.ts"
import { TrestleError } from "../../errors/trestle-error.ts"
import type { DeclaredFlow } from "./bind.ts"
import { asUndone, classified, misuse, overdue, undoFailure, unkept } from "./flow-error.ts"
import { journaled, revived } from "./journaled-error.ts"
import { StepPromise } from "./step-promise.ts"
import { FlowSteps } from "./steps.ts"

/** Ends the steps of a run that halts; the function never sees it. */
const HALTED: unique symbol = Symbol("halted")

export interface FlowParts {
  readonly flow: DeclaredFlow
  readonly site: Site
  readonly call: CallContext
  readonly journal: Journal
  /** `null`: nothing outlives the call. */
  readonly durable: Durable | null
  /** When it is to be undone, in milliseconds since 1970. */
  readonly until: number
}

/** A step that can be taken back. */
interface Done {
  readonly key: string
  readonly undo: () => Promise<unknown>
}

/**
 * One run of a flow: its function from the beginning, with what is in the journal given again; then, where it fails, the undoing.
 *
 * What stops a run without ending the flow (a step that is deferred or undecided, a lost lease) halts it: the promise that the function
 * awaits is never settled, so its code can neither go on nor mistake that for a failure of its own, and no further step begins. The run
 * ends when the other steps that are under way have ended, for the next run must not meet them.
 */
export class FlowRun {
  readonly parts: FlowParts
  readonly #done: Done[] = []
  readonly #underWay = new Set<Promise<unknown>>()
  /** Steps that earlier runs knew, and that this one has not asked for yet. */
  readonly #left: Set<string>
  readonly #halted = Promise.withResolvers<JobEnd>()
  /** How it halts. */
  #end: JobEnd | null = null
  /** The function, or the undo that is made, has returned or thrown, so whoever waits for that decides how the run ends. */
  #hasSettled = false
  /** Entries that need not be durable before the next ones are: nothing outside depends on them yet. */
  #unwritten: JournalEntry[] = []
  /** Failures of steps that nobody awaits. */
  readonly #lost: unknown[] = []
  #isOver = false
  #stepsDone = 0
  /** Of the step that is being undone: the steps inside are counted for themselves. */
  undoing: string | null = null
  /**
   * What its steps are known by at services: the same in every run of this flow, and another one when its caller's key is used again after it
   * was undone. Otherwise a step that was taken back would be answered from memory.
   */
  readonly intent: string
  /** It has failed in an earlier run; whatever the function asks for beyond its journal fails too. */
  readonly failed: TrestleError | null

  constructor(parts: FlowParts) {
    this.parts = parts
    this.intent = intentOf(parts.call)
    const failure = parts.journal.find(FAILURE)
    this.failed = failure?.error ? revived(failure.error) : null
    this.#left = new Set(parts.journal.keys.filter((key) => key !== FAILURE && !key.startsWith(UNDO)))
  }

  /** How this run of the job ends. */
  run(input: unknown): Promise<JobEnd> {
    const whole = this.#whole(input).catch((thrown) => {
      if (thrown !== HALTED) throw thrown
      return this.#end!
    })
    return Promise.race([whole, this.#halted.promise]).finally(() => {
      this.#isOver = true
    })
  }

  async #whole(input: unknown): Promise<JobEnd> {
    const { flow, site, call } = this.parts
    const steps = new FlowSteps(this)
    let error: TrestleError
    try {
      const answer = await this.#settled(flow.f(input, steps.face))
      if (this.#end) throw HALTED
      if (this.failed) throw this.failed
      if (this.#lost.length > 0) throw this.#lost[0]
      this.#seeThatAllWasAsked()
      return { is: "done", answer: await site.accept(answer, call, "flow") }
    } catch (thrown) {
      if (thrown === HALTED) throw thrown
      error = this.failed ?? classified(thrown, site)
    }
    await this.#undo(error, steps)
    call.noteUndone()
    return { is: "ended", error: asUndone(error) }
  }

  /** What the function gives, once nothing that it has begun is under way: that may still have its effect. */
  async #settled(promise: Promise<unknown>): Promise<unknown> {
    try {
      return await promise
    } finally {
      this.#hasSettled = true
      await this.#quiet()
    }
  }

  /** In reverse order. What an undo runs are steps too, so in another run it is not done again. */
  async #undo(error: TrestleError, steps: FlowSteps): Promise<void> {
    // A step that may have happened is decided first, whatever became of the others.
    if (this.#end && this.#end.is !== "suspended") throw HALTED
    const mustBeKept = this.#end !== null || this.#done.length > 0
    if (this.failed === null && mustBeKept) await this.#keepFailure(error)
    this.#seeThatAllWasAsked()
    for (const { key, undo } of this.#done.reverse()) {
      this.undoing = UNDO + key
      this.parts.journal.undoing?.(key)
      this.#tell({ done: this.#stepsDone, step: nameOfStep(key), undoing: asUndone(error).code })
      steps.recount()
      try {
        // Of one that halts nothing is heard any more: then the run ends without it.
        this.#hasSettled = false
        await this.#settled(undo())
      } catch (thrown) {
        if (thrown === HALTED) throw thrown
        this.halt({ is: "failed", error: undoFailure(thrown, key, this.parts.site), step: this.labelOf(key) })
      }
      if (this.#end) throw HALTED
    }
  }

  /** From here on the flow fails, in whatever run: one that waits for deferred work runs again at once, and takes that back. */
  async #keepFailure(error: TrestleError): Promise<void> {
    const halting = this.#end
    await this.write([{ key: FAILURE, what: FAILURE, state: "failed", error: journaled(error) }])
    if (halting?.is !== "suspended") return
    this.#end = { ...halting, delayMs: 0 }
    throw HALTED
  }

  /** Until no step is under way, and the function asks for no other after those. */
  async #quiet(): Promise<void> {
    do {
      await Promise.allSettled(this.#underWay)
      await nextRound()
    } while (this.#underWay.size > 0)
  }

  /** Steps that an earlier run has done and this one never asked for could not be undone by it. */
  #seeThatAllWasAsked(): void {
    for (const left of this.#left) this.drifted(`the step ${left} of an earlier run was not asked for any more`)
  }

  // -- what steps ask -----------------------------------------------------------------------------

  /** What the journal knows of a step. One that was something else, by all the names that it has had, has drifted. */
  known(key: string, what: string, ...former: readonly string[]): JournalEntry | undefined {
    this.#left.delete(key)
    const known = this.parts.journal.find(key)
    if (known && known.what !== what && !former.includes(known.what)) this.drifted(`step ${key} was ${known.what}, and is ${what} now`)
    return known
  }

  /** A step is done, by this run or an earlier one. */
  stepDone(key: string, undo: (() => Promise<unknown>) | null): void {
    if (this.undoing !== null) return
    this.#stepsDone++
    if (undo) this.#done.push({ key, undo })
  }

  /**
   * What the journal does not know begins no more where the flow has failed, or its time is over; an undo does. Nor before everything that the
   * journal knows was asked for: otherwise it is a step that other code has put there, or the same one under another name.
   */
  async seeThatItMayBegin(key: string): Promise<void> {
    if (this.undoing !== null) return
    if (this.failed) throw this.failed
    if (this.parts.call.clock.epoch() >= this.parts.until) throw overdue()
    if (this.#left.size === 0) return
    // What is asked for together with it may come a little later in this run than it came in another.
    await nextRound()
    for (const left of this.#left) this.drifted(`step ${key} comes before step ${left} of an earlier run`)
  }

  /** A step that ended because the call was stopped from outside has not failed. */
  haltIfStopped(): void {
    const { stopped } = this.parts.call
    if (stopped) this.halt({ is: "suspended", delayMs: 0, why: stopped.note ?? "it was stopped" })
  }

  /** Tells those who follow the flow what it does now. */
  progressed(key: string): void {
    if (this.undoing === null) this.#tell({ done: this.#stepsDone, step: nameOfStep(key) })
  }

  #tell(progress: JobProgress): void {
    const { durable, call } = this.parts
    durable?.progressed(call, progress)
  }

  /** A step, or the undo that runs it, for people. */
  labelOf(key: string): string {
    return this.undoing === null ? labelOfStep(key) : UNDO + labelOfStep(this.undoing.slice(UNDO.length))
  }

  /** The service that has served the step that is being undone, where others could have. */
  get undoneAt(): string | undefined {
    return this.undoing === null ? undefined : this.parts.journal.find(this.undoing.slice(UNDO.length))?.servedBy
  }

  get hasStepsUnderWay(): boolean {
    return this.#underWay.size > 0
  }

  /** What the function awaits in the place of the step itself. While the run halts none begins. */
  underWay<T>(begin: () => Promise<T>): Promise<T> {
    if (this.#end) return new Promise(() => {})
    if (this.#isOver) return Promise.reject(misuse("asks for a step after it has ended", this.parts.site))
    const step = begin()
    this.#underWay.add(step)
    return new StepPromise<T>((resolve, reject) => {
      step.then(
        (answer) => {
          this.#over(step)
          resolve(answer)
        },
        (thrown) => {
          this.#over(step)
          if (thrown !== HALTED) reject(thrown)
        },
      )
    }).watch((thrown) => this.#lost.push(thrown))
  }

  /** The function hears of it before the run ends: with the failure of another step it fails, though this one halts it. */
  async #over(step: Promise<unknown>): Promise<void> {
    this.#underWay.delete(step)
    if (this.#end === null) return
    await nextRound()
    if (!this.#hasSettled && this.#underWay.size === 0) this.#halted.resolve(this.#end)
  }

  /** Written with the next entries that something depends on. */
  writeLater(entry: JournalEntry): void {
    this.#unwritten.push(entry)
  }

  async write(entries: readonly JournalEntry[], also?: Parameters<Journal["write"]>[1]): Promise<void> {
    const all = [...this.#unwritten, ...entries]
    this.#unwritten = []
    try {
      if (this.parts.durable !== null)
        for (const { key, what, value } of all) seeThatItIsKept(value, `step ${key} (${what.split(" ")[0]}): its answer`)
      await this.parts.journal.write(all, also)
    } catch (thrown) {
      // What the step has done counts.
      if (thrown instanceof NotKept) this.halt({ is: "parked", error: unkept(thrown, this.parts.site, "unknown") })
      const error = TrestleError.is(thrown) ? thrown : new TrestleError("INTERNAL", undefined, { outcome: "unknown", cause: thrown })
      // What the store does not take it will not take the next time either: after so many a person sees it.
      if (error.outcome !== "unknown" && !isOutage(error)) this.halt({ is: "failed", error })
      this.halt({ is: "suspended", delayMs: 1_000, why: error.note ?? error.code })
    }
  }

  /** Ends this run, not the flow. What cannot be waited for weighs more than what can. */
  halt(end: JobEnd): never {
    if (this.#end === null || this.#end.is === "suspended") this.#end = end
    throw HALTED
  }

  drifted(why: string): never {
    const note = `flow ${this.parts.site.operation}: ${why}; its code has changed since it began`
    this.halt({ is: "parked", error: new TrestleError("FLOW_DRIFTED", undefined, { outcome: "unknown", note }) })
  }
}

/** A hash, for the id of the work is nobody's but its caller's. */
function intentOf(call: CallContext): string {
  if (call.delivery?.kind === "flow") return hash("sha256", call.delivery.id).slice(0, 40)
  return call.isDelivered ? call.idempotencyKey() : hash("sha256", call.newWorkId()).slice(0, 40)
}

/** After everything that can go on without waiting for something outside. */
function nextRound(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

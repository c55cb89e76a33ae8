import type { Site } from "../../contract/backend.ts"
import type { CallContext } from "../../contract/call.ts"
import type { Durable, JobEnd } from "../../contract/job.ts"
import type { Journal, JournalEntry } from "../../contract/journal.ts"
import { TrestleError } from "../../errors/trestle-error.ts"
import type { DeclaredFlow } from "./bind.ts"
import { journaled, revived } from "./journaled-error.ts"
import { FlowSteps } from "./steps.ts"

/** Ends the steps of a run that halts; the function never sees it. */
const HALTED: unique symbol = Symbol("halted")

/** Key of the entry that says that the flow has failed, and is being undone. */
const FAILURE = "failure"

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
 * awaits is never settled, so its code can neither go on nor mistake that for a failure of its own. The run ends when the other steps that
 * are under way have ended, for the next run must not meet them.
 */
export class FlowRun {
  readonly parts: FlowParts
  readonly #done: Done[] = []
  readonly #underWay = new Set<Promise<unknown>>()
  readonly #visited = new Set<string>()
  readonly #halted = Promise.withResolvers<JobEnd>()
  /** How it halts. */
  #end: JobEnd | null = null
  /** Entries that need not be durable before the next ones are: nothing outside depends on them yet. */
  #unwritten: JournalEntry[] = []
  /** Of the step that is being undone: the steps inside are counted for themselves. */
  undoing: string | null = null
  /** It has failed in an earlier run; whatever the function asks for beyond its journal fails too. */
  failed: TrestleError | null

  constructor(parts: FlowParts) {
    this.parts = parts
    const failure = parts.journal.find(FAILURE)
    this.failed = failure?.error ? revived(failure.error) : null
  }

  /** Never rejects. */
  run(input: unknown): Promise<JobEnd> {
    const whole = this.#whole(input).catch((thrown) => {
      if (thrown !== HALTED) throw thrown
      return this.#end!
    })
    return Promise.race([whole, this.#halted.promise])
  }

  async #whole(input: unknown): Promise<JobEnd> {
    const { flow, site, call } = this.parts
    const steps = new FlowSteps(this)
    let error: TrestleError
    try {
      const answer = await flow.f(input, steps.face)
      await this.#quiet()
      if (this.failed) throw this.failed
      await this.#seeThatAllWasAsked()
      return { is: "done", answer: await site.accept(answer, call, "flow") }
    } catch (thrown) {
      if (thrown === HALTED) throw thrown
      await this.#quiet()
      error = classified(thrown, site)
    }
    await this.#undo(error, steps)
    call.noteUndone()
    return { is: "ended", error: asUndone(error) }
  }

  /** In reverse order; each is noted, so that it is not undone again without need. */
  async #undo(error: TrestleError, steps: FlowSteps): Promise<void> {
    const { journal } = this.parts
    if (this.failed === null) await this.write([{ key: FAILURE, what: FAILURE, state: "failed", error: journaled(error) }])
    for (const { key, undo } of this.#done.reverse()) {
      const name = `undo ${key}`
      if (journal.find(name)) continue
      this.undoing = name
      steps.recount()
      try {
        await undo()
        await this.#quiet()
      } catch (thrown) {
        if (thrown === HALTED) throw thrown
        this.halt({ is: "failed", error: undoFailure(thrown, key, this.parts.site) })
      }
      await this.write([{ key: name, what: name, state: "done" }])
    }
  }

  /** Until no step is under way: what has begun when another one failed may still have its effect. */
  async #quiet(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay)
    if (this.#end) throw HALTED
  }

  /** Steps that an earlier run has done and this one never asked for could not be undone by it. */
  async #seeThatAllWasAsked(): Promise<void> {
    const left = this.parts.journal.keys.find((key) => !this.#visited.has(key))
    if (left !== undefined) this.drifted(`the step ${left} of an earlier run was not asked for any more`)
  }

  // -- what steps ask -----------------------------------------------------------------------------

  visit(key: string): void {
    this.#visited.add(key)
  }

  canBeUndone(done: Done): void {
    if (this.undoing === null) this.#done.push(done)
  }

  get hasStepsUnderWay(): boolean {
    return this.#underWay.size > 0
  }

  /** What the function awaits in the place of the step itself. */
  underWay<T>(step: Promise<T>): Promise<T> {
    this.#underWay.add(step)
    return new Promise((resolve, reject) => {
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
    })
  }

  #over(step: Promise<unknown>): void {
    this.#underWay.delete(step)
    if (this.#end && this.#underWay.size === 0) this.#halted.resolve(this.#end)
  }

  /** Written with the next entries that something depends on. */
  writeLater(entry: JournalEntry): void {
    this.#unwritten.push(entry)
  }

  async write(entries: readonly JournalEntry[], also?: Parameters<Journal["write"]>[1]): Promise<void> {
    const all = [...this.#unwritten, ...entries]
    this.#unwritten = []
    try {
      await this.parts.journal.write(all, also)
    } catch (error) {
      const why = TrestleError.is(error) ? (error.note ?? error.code) : "its journal cannot be written"
      this.halt({ is: "suspended", delayMs: 1_000, why })
    }
  }

  /** Ends this run, not the flow. */
  halt(end: JobEnd): never {
    this.#end ??= end
    throw HALTED
  }

  drifted(why: string): never {
    const note = `flow ${this.parts.site.operation}: ${why}; its code has changed since it began`
    this.halt({ is: "parked", error: new TrestleError("FLOW_DRIFTED", undefined, { outcome: "unknown", note }) })
  }
}

/** Only errors that the contract or the catalogue knows pass; whatever else the function throws is its own mistake. */
function classified(thrown: unknown, site: Site): TrestleError {
  const isKnown = TrestleError.is(thrown) && !(thrown.code === "INVALID" && thrown.reason !== "answered")
  if (isKnown) return thrown
  return new TrestleError("INTERNAL", undefined, { outcome: "refused", cause: thrown, note: `flow ${site.operation}: its function threw` })
}

/** Everything has been taken back, so nothing has happened; a real answer stays one. */
function asUndone(error: TrestleError): TrestleError {
  if (error.outcome !== "unknown") return error
  return new TrestleError("INTERNAL", undefined, { outcome: "refused", cause: error, note: `${error.note ?? error.code}; undone` })
}

function undoFailure(thrown: unknown, key: string, site: Site): TrestleError {
  const why = TrestleError.is(thrown) ? (thrown.note ?? thrown.code) : "it threw"
  const note = `flow ${site.operation}: step ${key} could not be undone: ${why}`
  return new TrestleError("INTERNAL", undefined, { outcome: "unknown", cause: thrown, note })
}

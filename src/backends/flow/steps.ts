import { hash } from "node:crypto"
import { canonical } from "../../base/canonical.ts"
import type { Operation } from "../../contract/operation.ts"
import { isRepeatable } from "../../contract/repeatable.ts"
import { type Topic, topicOf } from "../../contract/topic.ts"
import { TrestleError } from "../../errors/trestle-error.ts"
import type { StepSpec, Steps } from "../flow.ts"
import { journaled, revived } from "./journaled-error.ts"
import type { FlowRun } from "./run.ts"

/** How often a flow looks whether a deferred step is done: a tenth of the time that it has waited already, in milliseconds. */
const LOOK_MS_MIN = 1_000
const LOOK_MS_MAX = 60_000

/** A step as it is asked for. */
interface Asked {
  /** For people, "" where it has none. */
  readonly name: string
  readonly key: string
  readonly what: string
  readonly operation: Operation
  readonly op: unknown
  readonly input: unknown
}

/** The steps of one run: what the journal knows is given again, the rest is done and written down. */
export class FlowSteps {
  readonly #run: FlowRun
  readonly #names = new Set<string>()
  #count = 0

  constructor(run: FlowRun) {
    this.#run = run
  }

  /** Bound, so that a function may take it apart: `(input, { run }) => ...`. */
  get face(): Steps {
    const { call } = this.#run.parts
    return {
      user: call.principal,
      get signal() {
        return call.public.signal
      },
      fail: (code: string, detail?: string) => call.public.fail(code, detail),
      run: (op: unknown, input: unknown, spec?: StepSpec<unknown>) => this.#run.underWay(this.#operate(op, input, spec)),
      emit: (topic: Topic<any, any>, payload: unknown, spec?: StepSpec<void>) => this.#run.underWay(this.#emit(topic, payload, spec)),
      now: () => this.#run.underWay(this.#value("now", () => call.clock.epoch())),
      random: () => this.#run.underWay(this.#value("random", () => call.random.next())),
    } as Steps
  }

  /** The steps inside of an undo are numbered for themselves. */
  recount(): void {
    this.#count = 0
    this.#names.clear()
  }

  async #operate(op: unknown, input: unknown, spec: StepSpec<unknown> | undefined): Promise<unknown> {
    const operation = this.#run.parts.site.find(op)
    if (!operation) throw this.#misuse("runs an operation that is not in `ops`")
    const key = this.#keyOf(spec?.name)
    const asked: Asked = { name: spec?.name ?? "", key, what: `${operation.path} ${fingerprint(input)}`, operation, op, input }
    const answer = await this.#answerOf(asked)
    if (spec?.undo) this.#run.canBeUndone({ key, undo: () => spec.undo!(answer) })
    return answer
  }

  async #answerOf(asked: Asked): Promise<unknown> {
    const known = await this.#known(asked.key, asked.what)
    if (known?.state === "done") return known.value
    // What could not be undone is tried again.
    if (known?.state === "failed" && this.#run.undoing === null) throw revived(known.error!)
    if (known?.state === "deferred") return this.#deferred(asked, known.value as string)
    await this.#seeThatItMayRun(asked, known !== undefined)
    if (asked.operation.effect === "write" && known === undefined) await this.#run.write([{ ...entryOf(asked), state: "begun" }])
    return this.#asked(asked)
  }

  /** A write that has begun and of whose end nothing is known runs again only where that does no harm, or a person has said so. */
  async #seeThatItMayRun({ key, operation }: Asked, hasBegun: boolean): Promise<void> {
    const { call, until, site } = this.#run.parts
    if (hasBegun && !isRepeatable(operation) && !call.delivery?.isOrdered) {
      const note = `flow ${site.operation}: step ${key} (${operation.path}) may have had its effect, and nobody has promised that it may be repeated`
      this.#run.halt({ is: "parked", error: new TrestleError("OUTCOME_UNKNOWN", undefined, { outcome: "unknown", note }) })
    }
    if (hasBegun || this.#run.undoing !== null) return
    if (this.#run.failed) throw this.#run.failed
    if (call.clock.epoch() >= until)
      throw new TrestleError("TIMEOUT", undefined, { reason: "timeout-unsent", note: "the flow's `within` is over" })
  }

  async #asked(asked: Asked): Promise<unknown> {
    const { call, flow, durable, journal } = this.#run.parts
    let work: string | undefined
    let answer: unknown
    durable?.progressed(call, { done: journal.keys.length, step: asked.name })
    try {
      answer = await call.nest(asked.op, asked.input, {
        isOwnAuthority: flow.grants.has(asked.op) || call.isOwnAuthority,
        idempotencyKey: `${call.idempotencyKey()}/${asked.key}`,
        isPatient: asked.operation.declaration.backend?.kind === "flow",
        heard: (meta) => {
          work = meta.work
        },
      })
    } catch (thrown) {
      return this.#failed(asked, thrown as TrestleError)
    }
    if (work !== undefined) {
      await this.#run.write([{ ...entryOf(asked), state: "deferred", value: work }])
      return this.#waitFor(work)
    }
    await this.#run.write([{ ...entryOf(asked), state: "done", value: answer }])
    return answer
  }

  async #failed(asked: Asked, error: TrestleError): Promise<never> {
    const { call } = this.#run.parts
    if (call.stopped) return this.#run.halt({ is: "suspended", delayMs: 0, why: call.stopped.note ?? "it was stopped" })
    if (error.code === "PENDING") return this.#waitFor(error.work!)
    const isUnknown = error.outcome === "unknown" && asked.operation.effect === "write"
    if (isUnknown) return this.#run.halt({ is: isRepeatable(asked.operation) ? "failed" : "parked", error })
    if (this.#run.undoing === null) await this.#run.write([{ ...entryOf(asked), state: "failed", error: journaled(error) }])
    throw error
  }

  /** The step's write was kept for later: its end is the step's. */
  async #deferred(asked: Asked, work: string): Promise<unknown> {
    const { durable, call, until } = this.#run.parts
    const end = await durable!.endOf(work)
    if (end === null || end.is === "parked" || end.is === "suspended" || end.is === "failed") {
      // What is taken back before it was sent has not happened.
      if (call.clock.epoch() < until || !(await durable!.cancel(work))) return this.#waitFor(work)
      return this.#failed(asked, new TrestleError("TIMEOUT", undefined, { reason: "timeout-unsent", note: "the flow's `within` is over" }))
    }
    if (end.is !== "done") return this.#failed(asked, end.error)
    await this.#run.write([{ ...entryOf(asked), state: "done", value: end.answer }])
    return end.answer
  }

  #waitFor(work: string): never {
    const { call } = this.#run.parts
    const waitedMs = call.clock.epoch() - (call.delivery?.putAt ?? 0)
    const delayMs = Math.min(Math.max(waitedMs / 10, LOOK_MS_MIN), LOOK_MS_MAX)
    this.#run.halt({ is: "suspended", delayMs, why: `waits for the work ${work}` })
  }

  async #emit(topic: Topic<any, any>, payload: unknown, spec: StepSpec<void> | undefined): Promise<void> {
    const { durable, call } = this.#run.parts
    const key = this.#keyOf(spec?.name)
    const what = `emit ${topicOf(topic).topic} ${fingerprint(payload)}`
    if (await this.#known(key, what)) return
    if (this.#run.failed && this.#run.undoing === null) throw this.#run.failed
    if (durable === null) throw this.#misuse("publishes a message, which only a durable flow can do once")
    const id = hash("sha256", `${call.idempotencyKey()}/${key}`).slice(0, 32)
    const message = { id, topic, payload, trace: call.trace, principal: call.principal, isOwnAuthority: call.isOwnAuthority }
    await this.#run.write([{ key, what, state: "done" }], durable.publishing(message))
  }

  async #value(what: string, make: () => number): Promise<number> {
    const key = this.#keyOf(undefined)
    const known = await this.#known(key, what)
    if (known) return known.value as number
    const value = make()
    this.#run.writeLater({ key, what, state: "done", value })
    return value
  }

  async #known(key: string, what: string): Promise<ReturnType<FlowRun["parts"]["journal"]["find"]>> {
    this.#run.visit(key)
    const known = this.#run.parts.journal.find(key)
    if (known && known.what !== what) this.#run.drifted(`step ${key} was ${known.what}, and is ${what} now`)
    return known
  }

  #keyOf(name: string | undefined): string {
    const prefix = this.#run.undoing === null ? "" : `${this.#run.undoing}/`
    if (name !== undefined) {
      if (this.#names.has(name)) throw this.#misuse(`has two steps of the name ${name}`)
      this.#names.add(name)
      return `${prefix}:${name}`
    }
    // Which of two comes first may be otherwise when the flow is resumed.
    if (this.#run.hasStepsUnderWay) throw this.#misuse("has steps under way together that have no names; give each `{ name }`")
    return `${prefix}${++this.#count}`
  }

  #misuse(what: string): TrestleError {
    return new TrestleError("INTERNAL", undefined, { outcome: "refused", note: `flow ${this.#run.parts.site.operation} ${what}` })
  }
}

function entryOf({ key, what }: Asked): { key: string; what: string } {
  return { key, what }
}

function fingerprint(input: unknown): string {
  return hash("sha256", canonical(input) ?? "?").slice(0, 16)
}

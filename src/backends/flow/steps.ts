import { hash } from "node:crypto"
import { type Topic, topicOf } from "../../contract/topic.ts"
import type { TrestleError } from "../../errors/trestle-error.ts"
import type { StepSpec, Steps } from "../flow.ts"
import { fingerprint } from "./fingerprint.ts"
import { misuse } from "./flow-error.ts"
import { OperationStep } from "./operation-step.ts"
import type { FlowRun } from "./run.ts"
import { transactionStep } from "./transaction-step.ts"

/** It stands in a journal, in logs and on a command line. */
const STEP_NAME = /^[^\p{C}]{1,200}$/u

/** What one run gives the function of its flow: what the journal knows is given again, the rest is done and written down. */
export class FlowSteps {
  readonly #run: FlowRun
  readonly #names = new Set<string>()
  #count = 0

  constructor(run: FlowRun) {
    this.#run = run
  }

  /** Bound, so that a function may take it apart: `(input, { run }) => ...`. */
  get face(): Steps {
    const run = this.#run
    const { call } = run.parts
    return {
      user: call.principal,
      get signal() {
        return call.public.signal
      },
      fail: (code, detail) => call.public.fail(code, detail),
      run: (op, input, spec) => run.underWay(() => this.#operate(op, input, spec as StepSpec<unknown>) as Promise<any>),
      transaction: (database, work, spec) =>
        run.underWay(
          async () => transactionStep(run, { key: this.#keyOf(spec?.name), database, work, undo: spec?.undo as never }) as Promise<any>,
        ),
      emit: (topic, payload, spec) => run.underWay(() => this.#emit(topic, payload, spec)),
      now: () => run.underWay(() => this.#value("now", () => call.clock.epoch())),
      random: () => run.underWay(() => this.#value("random", () => call.random.next())),
    }
  }

  /** The steps inside of an undo are numbered for themselves. */
  recount(): void {
    this.#count = 0
    this.#names.clear()
  }

  async #operate(op: unknown, input: unknown, spec: StepSpec<unknown> | undefined): Promise<unknown> {
    const operation = this.#run.parts.site.find(op)
    if (!operation) throw this.#misuse("runs an operation that is not in `ops`")
    const undo = spec?.undo
    const key = this.#keyOf(spec?.name)
    const answer = await new OperationStep(this.#run, { key, operation, op, input }).answer()
    this.#run.stepDone(key, undo ? () => undo(answer) : null)
    return answer
  }

  async #emit(topic: Topic<any, any>, payload: unknown, spec: Pick<StepSpec<void>, "name"> | undefined): Promise<void> {
    const run = this.#run
    const { durable, call } = run.parts
    const key = this.#keyOf(spec?.name)
    const what = `emit ${topicOf(topic).topic} ${fingerprint(payload)}`
    if (run.known(key, what)) return run.stepDone(key, null)
    await run.seeThatItMayBegin(key)
    if (durable === null) throw this.#misuse("publishes a message, which only a durable flow can do once")
    const id = hash("sha256", `${run.intent}/${key}`).slice(0, 32)
    const message = { id, topic, payload, trace: call.trace, principal: call.principal, isOwnAuthority: call.isOwnAuthority }
    await run.write([{ key, what, state: "done" }], durable.publishing(message))
    durable.woken()
    run.stepDone(key, null)
  }

  async #value(what: string, make: () => number): Promise<number> {
    const key = this.#keyOf(undefined)
    const known = this.#run.known(key, what)
    if (known) return known.value as number
    const value = make()
    this.#run.writeLater({ key, what, state: "done", value })
    return value
  }

  #keyOf(name: string | undefined): string {
    const { undoing, hasStepsUnderWay } = this.#run
    const prefix = undoing === null ? "" : `${undoing}/`
    if (name !== undefined) {
      if (this.#names.has(name)) throw this.#misuse(`has two steps of the name ${name}`)
      if (!STEP_NAME.test(name))
        throw this.#misuse(`has a step whose name is not 1 to 200 printable characters: ${JSON.stringify(name.slice(0, 40))}`)
      this.#names.add(name)
      return `${prefix}:${name}`
    }
    // Which of two comes first may be otherwise when the flow is resumed.
    if (hasStepsUnderWay) throw this.#misuse("has steps under way together that have no names; give each `{ name }`")
    return `${prefix}${++this.#count}`
  }

  #misuse(what: string): TrestleError {
    return misuse(what, this.#run.parts.site)
  }
}

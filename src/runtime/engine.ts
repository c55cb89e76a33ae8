import type { Clock } from "../base/clock.ts"
import type { Random } from "../base/random.ts"
import type { Answer, Backend, Site } from "../contract/backend.ts"
import type { CallContext } from "../contract/call.ts"
import type { Delivery, NewJob } from "../contract/job.ts"
import { type Operation, originOf } from "../contract/operation.ts"
import type { CallRecord } from "../contract/ports.ts"
import type { Checked } from "../contract/shape.ts"
import { TrestleError } from "../errors/trestle-error.ts"
import { Call, type Nesting, type Surroundings } from "./call.ts"
import { CallList } from "./call-list.ts"
import { CallStart } from "./call-start.ts"
import { outputMisfit } from "./misfit.ts"
import { compileStages, type Stage, type StageMakers } from "./stages.ts"
import { checkedItems, handOver, isStreamed } from "./streamed.ts"
import { within } from "./within.ts"

/** An operation, ready to be called. */
export interface Compiled {
  readonly operation: Operation
  /** For calls that come with a typed input: in process, nested. */
  readonly direct: Stage
  /** For calls that come over a network. */
  readonly entrance: Stage
}

export interface EngineParts {
  readonly clock: Clock
  readonly random: Random
  readonly record: (call: CallRecord) => void
  /** How to bind a backend on its site: connections and policies come from the application that was started. */
  readonly siteOf: (operation: Operation) => Pick<Site, "connection" | "guard" | "keeping" | "durable">
  /** The stages that other rooms provide. */
  readonly stages: StageMakers
  /** Puts another backend in the place of an operation's own, in tests. */
  readonly replaced?: (operation: Operation, answer: Answer) => Answer
}

/** One run of a job. */
export interface Delivering {
  readonly compiled: Compiled
  readonly delivery: Delivery
  readonly job: Pick<NewJob, "input" | "principal" | "isOwnAuthority" | "trace" | "idempotencyKey">
  readonly lastsMs?: number | undefined
}

/** Compiles operations and runs calls. Knows no policy, no connector and no surface: all are handed in. */
export class Engine implements Surroundings {
  readonly clock: Clock
  readonly random: Random
  readonly #underWay = new CallList<Call>()
  #whenIdle: (() => void) | null = null
  #isEnding = false
  readonly #compiled = new Map<string, Compiled>()
  readonly #byOp = new Map<unknown, Compiled>()
  readonly #parts: EngineParts

  constructor(parts: EngineParts) {
    this.#parts = parts
    this.clock = parts.clock
    this.random = parts.random
  }

  add(op: unknown, operation: Operation): void {
    // One for both ways in: what its backend keeps is kept once.
    const asking = this.#callStage(operation)
    const makers: StageMakers = { ...this.#parts.stages, "validate input": validateInput, call: () => asking }
    const compiled = {
      operation,
      direct: compileStages(operation, { ...makers, encode: handOver }, false),
      entrance: compileStages(operation, makers, true),
    }
    this.#compiled.set(operation.path, compiled)
    this.#byOp.set(op, compiled)
  }

  find(path: string): Compiled | undefined {
    return this.#compiled.get(path)
  }

  findOp(op: unknown): Compiled | undefined {
    return this.#byOp.get(op)
  }

  all(): IterableIterator<Compiled> {
    return this.#compiled.values()
  }

  /** Makes a call and runs it; `settled` is called exactly once, before this returns where nothing had to be waited for. */
  start(compiled: Compiled, start: CallStart, settled: (call: Call) => void): Call {
    const call = new Call(compiled.operation, this, start)
    call.run(call.entry ? compiled.entrance : compiled.direct, settled)
    if (!call.isSettled) this.#underWay.add(call)
    return call
  }

  /** Every call's end: its record, its place among those under way. */
  ended(call: Call): void {
    this.#underWay.remove(call)
    // The callers of a flight tell of it.
    if (call.entrance !== "flight") this.#parts.record(call)
    if (this.#underWay.isEmpty) this.#whenIdle?.()
  }

  /** The operations that are still being answered. */
  underWay(): string[] {
    return this.#underWay.all().map((call) => call.operation)
  }

  /** Resolves when no call is under way. Those that nobody waits for are stopped, and none is begun any more. */
  idle(): Promise<void> {
    this.#isEnding = true
    for (const call of this.#underWay.all()) if (call.entrance === "refresh") call.stop(closing())
    if (this.#underWay.isEmpty) return Promise.resolve()
    return new Promise((resolve) => {
      this.#whenIdle = resolve
    })
  }

  /** Ends every call that is under way. */
  stopAll(): void {
    for (const call of this.#underWay.all()) call.stop(closing())
  }

  /**
   * Runs an operation for a job of the store, on behalf of whom it was put for: rules about callers apply to them as they are now.
   * `lastsMs` where that is not the operation's deadline.
   */
  deliver({ compiled, delivery, job, lastsMs }: Delivering, settled: (call: Call) => void): Call {
    const start = new CallStart(delivery.kind, job.principal)
    start.isOwnAuthority = job.isOwnAuthority
    start.input = job.input
    start.trace = job.trace
    start.idempotencyKey = job.idempotencyKey
    start.delivery = delivery
    start.lastsMs = lastsMs
    start.isCancelled = this.#isEnding
    return this.start(compiled, start, settled)
  }

  nest(parent: Call, op: unknown, input: unknown, how: Nesting = {}): Promise<unknown> {
    const compiled = this.#byOp.get(op)
    if (!compiled) {
      return Promise.reject(
        new TrestleError("INTERNAL", undefined, { note: `${parent.operation} ran an operation that is not in \`ops\`` }),
      )
    }
    return new Promise((resolve, reject) => {
      const start = new CallStart("nested", how.apartAs ?? parent.principal)
      start.isOwnAuthority = how.isOwnAuthority ?? parent.isOwnAuthority
      start.idempotencyKey = how.idempotencyKey
      start.followsUnknown = how.followsUnknown === true
      start.onlyAt = how.onlyAt
      start.input = input
      start.parent = parent
      let isTold = false
      const told = (call: Call): void => {
        if (!how.apartAs && !isTold) parent.absorb(call)
        isTold = true
        how.heard?.(call.meta)
        if (call.error) reject(call.error)
        else resolve(call.output)
      }
      if (isStreamed(compiled.operation)) start.handedOver = told
      this.start(compiled, start, told)
    })
  }

  #callStage(operation: Operation): Stage {
    const bound = this.#bind(operation)
    const asking = answering(this.#parts.replaced?.(operation, bound) ?? bound)
    return operation.effect === "write" && !comparesVersion(operation) ? refusingVersions(asking) : asking
  }

  /** Its input has been validated and its caller authorized in the call that it is like. */
  #apart(operation: Operation, answer: Answer): ReturnType<Site["apart"]> {
    const stage = answering(answer)
    const compiled: Compiled = { operation, direct: stage, entrance: stage }
    return (input, like, passage) => {
      const start = new CallStart(passage.entrance, like.principal)
      start.isOwnAuthority = like.isOwnAuthority
      start.input = input
      start.trace = like.trace
      start.revalidation = passage
      start.isCancelled = this.#isEnding && passage.entrance === "refresh"
      return this.start(compiled, start, (call) => passage.landed(call))
    }
  }

  #bind(operation: Operation): Answer {
    const site: Site = {
      operation: operation.path,
      origin: originOf(operation),
      effect: operation.effect,
      errors: operation.errors,
      accept: operation.output.items
        ? (answer, call, servedBy) => checkedItems(operation, accept(operation, answer, call, servedBy), servedBy)
        : (answer, call, servedBy) => accept(operation, answer, call, servedBy),
      bind: (part) => part.plan.bind(site),
      apart: (answer) => this.#apart(operation, answer),
      find: (op) => this.#byOp.get(op)?.operation,
      isStream: operation.output.items !== undefined,
      get contractHash() {
        return operation.contractHash
      },
      ...this.#parts.siteOf(operation),
    }
    const { backend } = operation.declaration
    return backend ? site.bind(backend as Backend<any, any, any>) : fromExamples(operation, site)
  }
}

function closing(): TrestleError {
  return new TrestleError("CANCELLED", undefined, { note: "the application is closing" })
}

/** The stage that asks the backend. */
function answering(answer: Answer): Stage {
  return (call) => {
    const output = answer(call.input, call)
    if (!(output instanceof Promise)) {
      call.output = output
      return undefined
    }
    return output.then((value) => {
      call.output = value
    })
  }
}

/** Some part of its backend compares the version that a caller expects with that of the stored object. */
export function comparesVersion({ declaration: { backend } }: Operation): boolean {
  return backend !== null && within(backend as Backend<any, any, any>).some(({ plan }) => plan.comparesVersion)
}

/** A write that does not know versions would overwrite what its caller wanted to spare. Source: RFC 9110, section 13.1.1. */
function refusingVersions(asking: Stage): Stage {
  return (call) => {
    if (call.ifMatch === undefined) return asking(call)
    throw new TrestleError("PRECONDITION_FAILED", "This operation does not know versions, so it cannot expect one. Nothing was changed.", {
      reason: "answered",
    })
  }
}

/** A contract without a backend answers with its first example, or with the one whose input is the call's. */
function fromExamples(operation: Operation, site: Site): Answer {
  const examples = operation.declaration.contract.examples ?? []
  return (input, call) => {
    const wanted = JSON.stringify(input)
    const example = examples.find((one) => JSON.stringify(one.input) === wanted) ?? examples[0]
    return site.accept(example?.output, call, "placeholder")
  }
}

/** Callers hear what is wrong with their input, every field at once. */
function validateInput(operation: Operation): Stage {
  const { input } = operation
  const settle = (call: Call, checked: Checked): void => {
    call.received = call.input
    if ("issues" in checked) throw new TrestleError("INVALID", undefined, { issues: checked.issues })
    call.input = checked.value
  }
  return (call) => {
    const checked = input.check(call.input)
    return checked instanceof Promise ? checked.then((result) => settle(call, result)) : settle(call, checked)
  }
}

function accept(operation: Operation, answer: unknown, call: CallContext, servedBy: string): unknown {
  const checked = operation.output.check(answer)
  if (checked instanceof Promise) return checked.then((result) => accepted(operation, result, call, servedBy))
  return accepted(operation, checked, call, servedBy)
}

function accepted(operation: Operation, checked: Checked, call: CallContext, servedBy: string): unknown {
  if ("issues" in checked) throw outputMisfit(operation, `${servedBy}: its answer`, checked.issues)
  call.noteServedBy(servedBy)
  return checked.value
}

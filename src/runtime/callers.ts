import { parseDuration } from "../base/duration.ts"
import type { CallOptions, Meta } from "../contract/call.ts"
import type { Failure, Fn, Success } from "../contract/caller.ts"
import { isOp } from "../contract/op.ts"
import type { Principal } from "../contract/principal.ts"
import { invalid, TrestleError } from "../errors/trestle-error.ts"
import type { Call } from "./call.ts"
import { CallStart } from "./call-start.ts"
import type { Compiled, Engine } from "./engine.ts"
import { isStreamed } from "./streamed.ts"

export interface CallerOf {
  readonly principal: Principal | null
  /** Rules about callers do not apply, and internal operations are reachable. */
  readonly isOwnAuthority: boolean
}

type AnyFn = Fn<unknown, unknown, string>
type MakeCallers = (who: CallerOf) => unknown

/**
 * Compiles a tree of operations into a maker of caller objects. Functions are made when they are first touched, so that
 * `as(principal)` costs one small object, whatever the number of operations.
 */
export function compileCallers(ops: object, engine: Engine): MakeCallers {
  const properties: PropertyDescriptorMap = {}
  for (const [key, value] of Object.entries(ops)) {
    const make: MakeCallers = isOp(value) ? makeFn(engine.findOp(value)!, engine) : compileCallers(value as object, engine)
    properties[key] = {
      enumerable: true,
      get(this: Node) {
        const made = make(this.who)
        Object.defineProperty(this, key, { value: made, enumerable: true })
        return made
      },
    }
  }
  class Node {
    declare readonly who: CallerOf
    constructor(who: CallerOf) {
      Object.defineProperty(this, "who", { value: who })
    }
  }
  Object.defineProperties(Node.prototype, properties)
  return (who) => new Node(who)
}

function makeFn(compiled: Compiled, engine: Engine): MakeCallers {
  return (who) => {
    if (!who.isOwnAuthority && !compiled.operation.route) return notExposed(compiled)
    const calls = new Calls(engine, compiled, who)
    const fn = (input: unknown, options?: CallOptions): Promise<unknown> =>
      new Promise((resolve, reject) => calls.begin(input, options, (call) => (call.error ? reject(call.error) : resolve(call.output))))
    fn.detailed = (input: unknown, options?: CallOptions): Promise<{ value: unknown; meta: Meta }> =>
      new Promise((resolve, reject) =>
        calls.begin(input, options, (call) => (call.error ? reject(call.error) : resolve({ value: call.output, meta: call.meta }))),
      )
    fn.safe = (input: unknown, options?: CallOptions): Promise<Success<unknown> | Failure<string>> =>
      new Promise((resolve) =>
        calls.begin(input, options, (call) => resolve(call.error ? failed(call.error) : { ok: true, value: call.output, meta: call.meta })),
      )
    return fn satisfies AnyFn
  }
}

/** A type error in TypeScript; plain JavaScript gets the sentence. */
function notExposed({ operation }: Compiled): () => never {
  return () => {
    throw new TrestleError("NOT_FOUND", `${operation.path} has no http entrance; running.internal() reaches it`)
  }
}

/** The calls of one operation by one caller. */
class Calls {
  readonly #engine: Engine
  readonly #compiled: Compiled
  readonly #who: CallerOf
  readonly #isStreamed: boolean

  constructor(engine: Engine, compiled: Compiled, who: CallerOf) {
    this.#engine = engine
    this.#compiled = compiled
    this.#who = who
    this.#isStreamed = isStreamed(compiled.operation)
  }

  begin(input: unknown, options: CallOptions | undefined, settled: (call: Call) => void): void {
    const start = new CallStart("in-process", this.#who.principal)
    start.isOwnAuthority = this.#who.isOwnAuthority
    start.input = input
    // What is read while it comes is given to the caller before the call has ended.
    if (this.#isStreamed) start.handedOver = settled
    if (options !== undefined) readOptions(options, start)
    if (options?.signal) this.#beginUntil(options.signal, start, settled)
    else this.#engine.start(this.#compiled, start, settled)
  }

  /** Apart: what its listeners close over would be made for every call. */
  #beginUntil(signal: AbortSignal, start: CallStart, settled: (call: Call) => void): void {
    const giveUp = (): void => call.stop(new TrestleError("CANCELLED", undefined, { reason: "cancelled-unsent" }))
    const call = this.#engine.start(this.#compiled, start, (ended) => {
      signal.removeEventListener("abort", giveUp)
      settled(ended)
    })
    if (call.isSettled) return
    // Aborted by the very code that the call has begun with: no event will come any more.
    if (signal.aborted) giveUp()
    else signal.addEventListener("abort", giveUp, { once: true })
  }
}

function readOptions({ signal, idempotencyKey, ifMatch, deadline }: CallOptions, start: CallStart): void {
  start.idempotencyKey = idempotencyKey
  start.ifMatch = ifMatch
  start.deadlineMs = deadline === undefined ? undefined : (parseDuration(deadline) ?? Number.NaN)
  start.isCancelled = signal?.aborted === true
  if (Number.isNaN(start.deadlineMs)) throw invalid([{ path: "options.deadline", message: 'must be a duration such as "3s"' }])
}

function failed(error: TrestleError): Failure<string> {
  const { code, detail, issues, trace, retryAfterMs, work, outcome } = error
  return {
    ok: false,
    code,
    detail,
    issues,
    trace,
    outcome,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(work === undefined ? {} : { work }),
  }
}

import { code } from "../backends/code.ts"
import type { Answer, Site } from "../contract/backend.ts"
import type { CallContext, Ctx } from "../contract/call.ts"
import { failure } from "../contract/failure.ts"
import { KEEPS_NOTHING } from "../contract/keeping.ts"
import type { Declaration } from "../contract/op.ts"
import type { Operation } from "../contract/operation.ts"
import type { Checked } from "../contract/shape.ts"
import type { Reason } from "../errors/reasons.ts"
import { outputMisfit } from "../runtime/misfit.ts"
import { checkedItems } from "../runtime/streamed.ts"

/** How a backend can fail as a whole. */
export type FailsHow = "refused" | "timeout" | "unknown" | 429 | 500 | 503

/** What a service's leaf makes of each. A 503 is that of a service which does not declare it to mean "nothing has happened". */
const REASON_OF: Readonly<Record<FailsHow, Reason>> = {
  refused: "not-connected",
  timeout: "timeout-sent",
  unknown: "connection-lost",
  429: "rate-limited",
  500: "server-error",
  503: "server-error",
}

/** Stands in `servedBy` for an answer of `t.backend(...)`. */
const SERVED_BY = "test"

type Reply = (input: unknown, ctx: Ctx) => unknown
type Behaviour = { readonly reply: Reply } | { readonly fails: FailsHow }

/** Backends that a test has put in the place of the operations' own. */
export class Replacements {
  readonly #always = new Map<Declaration, Behaviour>()
  readonly #next = new Map<Declaration, { readonly behaviour: Behaviour; left: number }[]>()

  /** Later ones replace earlier ones; those with `times` come first, in their order. */
  put(declaration: Declaration, behaviour: Behaviour, times?: number): void {
    if (times === undefined) {
      this.#always.set(declaration, behaviour)
      this.#next.delete(declaration)
      return
    }
    const queue = this.#next.get(declaration) ?? []
    queue.push({ behaviour, left: times })
    this.#next.set(declaration, queue)
  }

  reset(): void {
    this.#always.clear()
    this.#next.clear()
  }

  /** For `StartOverrides.replaced`: decided anew for each call. */
  readonly replaced = (operation: Operation, own: Answer): Answer => {
    return (input, call) => {
      const behaviour = this.#take(operation.declaration)
      if (behaviour === null) return own(input, call)
      if ("fails" in behaviour) return failing(operation, behaviour.fails, call)
      // As code(), so that what it throws means what it means there.
      return code(behaviour.reply as never).plan.bind(siteOf(operation))(input, call)
    }
  }

  #take(declaration: Declaration): Behaviour | null {
    const first = this.#next.get(declaration)?.find(({ left }) => left > 0)
    if (!first) return this.#always.get(declaration) ?? null
    first.left--
    return first.behaviour
  }
}

function failing(operation: Operation, how: FailsHow, call: CallContext): never {
  const reason = REASON_OF[how]
  const error = failure(reason, operation.effect, { note: `test: the backend of ${operation.path} fails: ${how}` })
  call.noteAttempt()
  if (error.outcome === "unknown") call.noteSent()
  throw error
}

function siteOf(operation: Operation): Site {
  const nowhere = (): never => {
    throw new TypeError("a replaced backend has no parts and no service")
  }
  const { path, effect, errors } = operation
  return {
    operation: path,
    origin: path,
    effect,
    errors,
    contractHash: "",
    durable: null,
    find: () => undefined,
    keeping: KEEPS_NOTHING,
    accept: accepting(operation),
    bind: nowhere,
    apart: nowhere,
    connection: nowhere,
    guard: nowhere,
  }
}

/** The contract holds for answers of tests as well. */
function accepting(operation: Operation): Site["accept"] {
  const settle = (checked: Checked, call: CallContext): unknown => {
    if ("issues" in checked) throw outputMisfit(operation, `${SERVED_BY}: the answer`, checked.issues)
    call.noteServedBy(SERVED_BY)
    return operation.output.items ? checkedItems(operation, checked.value, SERVED_BY) : checked.value
  }
  return (answer, call) => {
    const checked = operation.output.check(answer)
    return checked instanceof Promise ? checked.then((result) => settle(result, call)) : settle(checked, call)
  }
}

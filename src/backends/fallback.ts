import { type Answer, type Backend, backend, type Memory, NOTHING_KEPT, type Site } from "../contract/backend.ts"
import type { CallContext } from "../contract/call.ts"
import { isDenial, mayFallBack } from "../contract/failure.ts"
import { TrestleError } from "../errors/trestle-error.ts"

/**
 * Asks the first; when it fails, the next. A real answer of the first, "not found" and declared errors included, is never replaced.
 * A read falls back after any failure; a write only after one where nothing can have happened, and only to a service that is declared
 * `replicaOf` the first. The result then says `degraded`, and why. A `lastGood` among them remembers what those before it answered.
 */
export function fallback<V, O, E extends string = never>(first: Backend<V, O, E>, ...then: Backend<V, O, E>[]): Backend<V, O, E> {
  const parts = [first, ...then]
  return backend("fallback", {
    parts,
    fallsBack: true,
    bind: (site) => {
      const steps = parts.map((part) => {
        const memory = part.plan.bindMemory?.(site) ?? null
        return { memory, answer: memory ? (input: unknown, call: CallContext) => memory.recall(input, call) : site.bind(part) }
      })
      const remembers = steps.some(({ memory }) => memory)
      return (input, call) => inTurn(steps, input, call, remembers ? site : null)
    },
  })
}

/** One part, bound; `memory` where it remembers what those before it answered. */
interface Step {
  readonly answer: Answer
  readonly memory: Memory | null
}

/** `site`: where some part remembers. */
async function inTurn(steps: readonly Step[], input: unknown, call: CallContext, site: Site | null): Promise<unknown> {
  const revocations = site === null ? 0 : site.keeping.revocations
  let why = ""
  let failure: unknown
  for (let i = 0; i < steps.length; i++) {
    try {
      const answer = await steps[i]!.answer(input, call)
      if (answer === NOTHING_KEPT) continue
      for (let later = i + 1; later < steps.length; later++) steps[later]!.memory?.hear(input, call, answer, revocations)
      if (i > 0) call.noteDegraded(why)
      return answer
    } catch (error) {
      if (call.stopped || !mayFallBack(error, call.effect)) {
        if (site !== null && isDenial(error, site.errors)) for (const { memory } of steps) memory?.deny(input, call)
        throw error
      }
      failure = error
      why = reasonOf(error)
    }
  }
  throw failure
}

function reasonOf(error: unknown): string {
  if (!TrestleError.is(error)) return "it threw"
  return error.note ?? error.reason ?? error.code
}

import { type Answer, type Backend, backend } from "../contract/backend.ts"
import type { CallContext } from "../contract/call.ts"
import { mayFallBack } from "../contract/failure.ts"
import { TrestleError } from "../errors/trestle-error.ts"

/**
 * Asks the first; when it fails, the next. A real answer of the first, "not found" and declared errors included, is never replaced.
 * A read falls back after any failure; a write only after one where nothing can have happened, and only to a service that is declared
 * `replicaOf` the first. The result then says `degraded`, and why.
 */
export function fallback<V, O, E extends string = never>(first: Backend<V, O, E>, ...then: Backend<V, O, E>[]): Backend<V, O, E> {
  const parts = [first, ...then]
  return backend("fallback", {
    parts,
    fallsBack: true,
    bind: (site) => {
      const answers = parts.map((part) => site.bind(part))
      return (input, call) => inTurn(answers, input, call)
    },
  })
}

async function inTurn(answers: readonly Answer[], input: unknown, call: CallContext): Promise<unknown> {
  let why = ""
  for (let i = 0; ; i++) {
    try {
      const answer = await answers[i]!(input, call)
      if (i > 0) call.noteDegraded(why)
      return answer
    } catch (error) {
      if (i === answers.length - 1 || call.stopped || !mayFallBack(error, call.effect)) throw error
      why = reasonOf(error)
    }
  }
}

function reasonOf(error: unknown): string {
  if (!TrestleError.is(error)) return "it threw"
  return error.note ?? error.reason ?? error.code
}

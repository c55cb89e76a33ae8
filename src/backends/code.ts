import { type Backend, backend, type Site } from "../contract/backend.ts"
import type { CallContext, Ctx } from "../contract/call.ts"
import { failure } from "../contract/failure.ts"
import { mappingNote } from "../contract/mapping.ts"
import { isCatalogCode } from "../errors/catalog.ts"
import { TrestleError } from "../errors/trestle-error.ts"

/**
 * Answers with a function of yours: for logic, and for what has no connector. What it throws by itself is `INTERNAL` for a read and
 * `OUTCOME_UNKNOWN` for a write, since nobody can know how far it came; `ctx.fail` ends it with an error that callers understand, and
 * the failure of an operation that it ran with `ctx.run` keeps its own meaning.
 */
export function code<V, O, E extends string = never>(f: (input: V, ctx: Ctx<E>) => Promise<NoInfer<O>> | NoInfer<O>): Backend<V, O, E> {
  const run = f as (input: unknown, ctx: Ctx) => unknown
  return backend("code", {
    bind: (site) => (input, call) => {
      call.noteSent()
      let answer: unknown
      try {
        answer = run(input, call.public)
      } catch (thrown) {
        throw classified(thrown, site)
      }
      return answer instanceof Promise ? settle(answer, site, call) : site.accept(answer, call, "code")
    },
  })
}

async function settle(answer: Promise<unknown>, site: Site, call: CallContext): Promise<unknown> {
  let settled: unknown
  try {
    settled = await answer
  } catch (thrown) {
    throw classified(thrown, site)
  }
  return site.accept(settled, call, "code")
}

/** Only errors that this operation may end with pass; `INVALID` would blame the caller for an input that the code made. */
function classified(thrown: unknown, site: Site): TrestleError {
  const isKnown = TrestleError.is(thrown) && (isCatalogCode(thrown.code) || Object.hasOwn(site.errors, thrown.code))
  if (isKnown && !(thrown.code === "INVALID" && thrown.reason !== "answered")) return thrown
  return failure("thrown", site.effect, { cause: thrown, note: `code of ${site.operation}: ${mappingNote(thrown, "it threw")}` })
}

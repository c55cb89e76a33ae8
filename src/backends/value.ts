import { type Backend, backend } from "../contract/backend.ts"

/**
 * A default answer, for the end of a `fallback`: an empty list is often better than an error. For reads only; on a write it refuses to
 * start, because it would claim that something was done.
 */
export function value<V, O>(answer: NoInfer<O> | ((input: V) => NoInfer<O>)): Backend<V, O> {
  const respond = typeof answer === "function" ? (answer as (input: unknown) => unknown) : () => answer
  return backend("value", {
    isForReadsOnly: true,
    ...(typeof answer === "function" ? { sampleFor: respond } : { samples: [answer] }),
    bind: (site) => (input, call) => site.accept(respond(input), call, "value"),
  })
}

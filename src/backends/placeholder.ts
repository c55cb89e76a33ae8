import { type Backend, backend } from "../contract/backend.ts"

/**
 * Answers from the declaration until there is a real backend, checked by the same contract, and says why it is still there.
 * Production (`trestle serve`) refuses to start with one, unless `allowInProduction` gives the reason why it may.
 *
 * @param answer the answer, or how to make it from the input
 * @param why what it waits for, in words for whoever reads the board: `"waiting for the scoring model, INT-42"`
 */
export function placeholder<V, O>(
  answer: NoInfer<O> | ((input: V) => NoInfer<O>),
  why: string | { why: string; allowInProduction: string },
): Backend<V, O> {
  const respond = typeof answer === "function" ? (answer as (input: unknown) => unknown) : () => answer
  return backend("placeholder", {
    placeholder: typeof why === "string" ? { why } : why,
    ...(typeof answer === "function" ? { sampleFor: respond } : { samples: [answer] }),
    bind: (site) => (input, call) => site.accept(respond(input), call, "placeholder"),
  })
}

import type { CallOptions, ToldMeta } from "../contract/call.ts"
import { ClientError, type ClientFailure } from "./client-error.ts"
import { metaOf, parse } from "./meta.ts"
import { millisecondsOf } from "./milliseconds.ts"

/** Where the application is, and how it is reached. */
export interface ClientOptions {
  /** Where the application listens, "/api" or "https://example.org"; `/rpc/...` is added. */
  url: string
  /** Gives the bearer token, asked before every call. */
  token?: () => string | Promise<string>
  /** Instead of the global one. */
  fetch?: typeof fetch
}

/**
 * One call over the network. Rejects with a `ClientError` and nothing else. Never repeats.
 * Until the request is handed to `fetch` a failure is `refused`; from then on `unknown`: `fetch` does not tell whether it was sent.
 */
export async function exchange(
  { token, fetch: send = fetch }: ClientOptions,
  /** Of the operation. */
  url: string,
  input: unknown,
  // `crypto.randomUUID` would be shorter, but is missing on pages without https; random values are not.
  { deadline, ifMatch, signal: given, idempotencyKey = crypto.getRandomValues(new Uint32Array(4)).join("-") }: CallOptions = {},
): Promise<{ value: any; meta: ToldMeta }> {
  // What is to be said if the call ends here; it follows the call's progress. Every member is named: no other is taken from an answer.
  const failure: ClientFailure & Record<string, any> = {
    code: "INVALID",
    detail: "No answer",
    outcome: "refused",
    issues: [],
    trace: "",
    status: 0,
    retryAfterMs: undefined,
    work: undefined,
  }
  let signal: AbortSignal | undefined
  let limit: AbortSignal | undefined
  try {
    if (deadline !== undefined) limit = AbortSignal.timeout(millisecondsOf(deadline))
    signal = AbortSignal.any([given!, limit!].filter(Boolean))
    const body = JSON.stringify(input)
    const headers: Record<string, string> = {
      "idempotency-key": idempotencyKey,
      "content-type": "application/json",
      ...(ifMatch && { "if-match": ifMatch }),
    }
    if (token) {
      failure.code = "UNAUTHENTICATED"
      headers.authorization = `Bearer ${await token()}`
    }
    signal.throwIfAborted()
    failure.code = "UNAVAILABLE"
    failure.outcome = "unknown"
    const reply = await send(url, { method: "POST", headers, body, signal })
    const value = parse(await reply.text())
    // Work that goes on (202) is told of as a problem.
    const isProblem = /\+json/.test(reply.headers.get("content-type")!)
    if (reply.status === 204 || (reply.ok && !isProblem && value !== undefined))
      return { value, meta: metaOf(parse(reply.headers.get("trestle-meta"))) }
    // Anything else is no problem of ours, so of it only the status is told: its text may be anybody's.
    if (typeof value?.code === "string") for (const key in failure) failure[key] = value[key] ?? failure[key]
    failure.status = reply.status
  } catch (thrown) {
    failure.cause = thrown
    if (signal?.aborted) failure.code = limit?.aborted ? "TIMEOUT" : "CANCELLED"
  }
  throw Object.assign(new ClientError(`${failure.code}: ${failure.detail}`, failure), failure)
}

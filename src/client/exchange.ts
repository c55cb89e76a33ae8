import type { CallOptions, Meta } from "../contract/call.ts"
import { ClientError, type ClientFailure } from "./client-error.ts"
import { metaOf, parse } from "./meta.ts"
import { millisecondsOf } from "./milliseconds.ts"

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
  { url, token, fetch: send = fetch }: ClientOptions,
  path: string,
  input: unknown,
  // `crypto.randomUUID` is missing on pages without https; random values are not.
  { deadline, signal: given, idempotencyKey = crypto.getRandomValues(new Uint32Array(4)).join("-") }: CallOptions = {},
): Promise<{ value: any; meta: Meta }> {
  // What is to be said if the call ends here; it follows the call's progress.
  const failure: ClientFailure = { code: "INVALID", detail: "Not sent", outcome: "refused", issues: [], trace: "", status: 0 }
  let signal: AbortSignal | undefined
  let limit: AbortSignal | undefined
  let cause: unknown
  try {
    if (deadline !== undefined) limit = AbortSignal.timeout(millisecondsOf(deadline))
    signal = AbortSignal.any([given!, limit!].filter(Boolean))
    const body = JSON.stringify(input)
    const headers: Record<string, string> = { "idempotency-key": idempotencyKey, "content-type": "application/json" }
    failure.code = "UNAUTHENTICATED"
    if (token) headers.authorization = `Bearer ${await token()}`
    signal.throwIfAborted()
    Object.assign(failure, { code: "UNAVAILABLE", detail: "No answer", outcome: "unknown" })
    const reply = await send(`${url}/rpc/${path}`, { method: "POST", headers, body, signal })
    const { status, headers: told } = reply
    const value = parse(await reply.text())
    if (status === 204 || (reply.ok && value !== undefined)) return { value, meta: metaOf(parse(told.get("trestle-meta"))) }
    // A text that is not from the application is never shown: it may be anybody's.
    const isOurs = /problem/.test(told.get("content-type")!) && value?.code
    const code = REFUSALS[status]
    Object.assign(failure, isOurs ? value : code && { code, outcome: "answered" }, { status })
  } catch (thrown) {
    cause = thrown
    if (signal?.aborted) failure.code = signal.reason === limit?.reason ? "TIMEOUT" : "CANCELLED"
  }
  throw new ClientError(failure, { cause })
}

/** Plain refusals of something in front of the application. After any other answer without a problem it may have happened. */
const REFUSALS: Readonly<Record<number, string>> = { 401: "UNAUTHENTICATED", 403: "FORBIDDEN", 404: "NOT_FOUND", 429: "RATE_LIMITED" }

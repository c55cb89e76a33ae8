import { invalid } from "../errors/trestle-error.ts"
import type { Call } from "../runtime/call.ts"

/**
 * Marks an answer that an earlier call with the same key was given. Not in the draft; named as payment providers name it.
 * Source: Stripe API, "Idempotent requests", `Idempotent-Replayed`.
 */
export const REPLAYED_HEADER = "idempotent-replayed"

const LENGTH_MAX = 255
const QUOTED = /^"((?:[ !#-[\]-~]|\\["\\])*)"$/
/** What clients send without quotes: letters, digits and signs that separate nothing in a header field. */
const BARE = /^[!#-+\--:<-[\]-~]+$/

/**
 * The key in a request's `Idempotency-Key`: a quoted string, or as most clients send it, the bare key; both are the same key.
 * `undefined`: none was sent. `null`: what was sent is none, longer than 255 characters, or several.
 *
 * Source: draft-ietf-httpapi-idempotency-key-header-07, section 2.1; RFC 9651, section 3.3.3.
 */
export function keyIn(field: string | undefined): string | null | undefined {
  if (field === undefined) return undefined
  const quoted = QUOTED.exec(field)
  const key = quoted ? quoted[1]!.replace(/\\(.)/g, "$1") : BARE.test(field) ? field : ""
  return key.length >= 1 && key.length <= LENGTH_MAX ? key : null
}

/** Refuses by the head what cannot be a key, before anything is done under none. */
export function refuseBadKey(call: Call): void {
  if (keyIn(call.entry!.head.headers["idempotency-key"]) === null) {
    const message = `must be one key of 1 to ${LENGTH_MAX} visible ASCII characters, bare or as a string in quotes`
    throw invalid([{ path: "Idempotency-Key", message }], "The header Idempotency-Key holds no key.")
  }
}

import { hash } from "node:crypto"
import type { CallContext } from "./call.ts"
import type { Principal } from "./principal.ts"

/**
 * One intent at one place, as 64 hexadecimal digits: the same when it is delivered again, by whoever. Of another caller it is another one, for
 * the token of an intent is the caller's own choice.
 */
export function intentAt(place: string, call: CallContext): string {
  return hash("sha256", JSON.stringify([place, whoIs(call.principal), call.idempotencyKey()]))
}

/** A caller as keys and kept work know it: one id in two tenants is two callers. `null`: a caller without credentials. */
export function whoIs(principal: Pick<Principal, "kind" | "id" | "tenant"> | null): string | null {
  return principal && JSON.stringify([principal.kind, principal.id, principal.tenant ?? null])
}

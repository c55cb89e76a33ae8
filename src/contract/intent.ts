import { hash } from "node:crypto"
import type { CallContext } from "./call.ts"

/**
 * One intent at one place, as 64 hexadecimal digits: the same when it is delivered again, by whoever. Of another caller it is another one, for
 * the token of an intent is the caller's own choice.
 */
export function intentAt(place: string, call: CallContext): string {
  const { principal } = call
  const who = principal === null ? "" : `${principal.kind} ${principal.id}`
  return hash("sha256", JSON.stringify([place, who, call.idempotencyKey()]))
}

import { hash } from "node:crypto"
import { exactText } from "../base/canonical.ts"
import type { CallContext } from "../contract/call.ts"
import { whoIs } from "../contract/intent.ts"
import type { Revocation } from "../contract/keeping.ts"
import { invalid } from "../errors/trestle-error.ts"

/** Where a call comes from, as far as keys are concerned: those of one lane say nothing in another. */
export type Lane = "caller" | "own authority" | "job"

/**
 * The id of a claim, which no caller can choose: whatever key another one sends, it is another's. Callers without credentials are one
 * caller, who is known by the key alone.
 */
export function claimId(lane: Lane, { principal }: Pick<CallContext, "principal">, operation: string, key: string): string {
  return hash("sha256", JSON.stringify([lane, whoIs(principal), operation, key]))
}

/**
 * Alike for two requests that ask for the same: the input as it came, and the version that it expects.
 *
 * @throws {TrestleError} `INVALID` for an input, in process, of which it cannot be said: a circle, a function, an object of a class without
 * `toJSON`.
 */
export function fingerprintOf({ received, ifMatch }: Pick<CallContext, "received" | "ifMatch">): string {
  const text = exactText(received)
  if (text === null) throw invalid([{ path: "", message: "must be plain data under an idempotency key: JSON, dates, maps, sets or bytes" }])
  return hash("sha256", `${text}\n${ifMatch ?? ""}`, "base64url")
}

/**
 * The token of the intent, which services and Trestle's own marks know it by, some of them for longer than the claim: another one for
 * another input, should the key be free again and be used for that.
 */
export function tokenOf(id: string, fingerprint: string): string {
  return hash("sha256", `${id}\n${fingerprint}`)
}

/** Principal and credential as the columns `who` and `credential`: nobody can be read out of them, and each can be found. */
export function ownerHash(owner: Revocation | null): readonly [who: string, credential: string] {
  if (owner === null) return ["", ""]
  const who = hash("sha256", JSON.stringify([owner.kind, owner.id]), "base64url")
  return [who, owner.credential === undefined ? "" : hash("sha256", owner.credential, "base64url")]
}

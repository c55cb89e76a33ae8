import { hash } from "node:crypto"
import { canonical } from "../base/canonical.ts"
import type { CallContext } from "../contract/call.ts"
import type { Revocation } from "../contract/keeping.ts"
import { invalid } from "../errors/trestle-error.ts"

/** Where a call comes from, as far as keys are concerned: those of one lane say nothing in another. */
export type Lane = "caller" | "own authority" | "job"

/**
 * The id of a claim, which no caller can choose: whatever key another one sends, it is another's. Callers without credentials are one
 * caller, who is known by the key alone.
 */
export function claimId(lane: Lane, { principal }: Pick<CallContext, "principal">, operation: string, key: string): string {
  return hash("sha256", JSON.stringify([lane, principal?.kind ?? null, principal?.id ?? null, operation, key]))
}

/**
 * Alike for two requests that ask for the same: the input as it came, and the version that it expects.
 *
 * @throws {TrestleError} `INVALID` for an input, in process, of which it cannot be said: a circle, a function, an object of a class without
 * `toJSON`.
 */
export function fingerprintOf({ received, ifMatch }: Pick<CallContext, "received" | "ifMatch">): string {
  const text = canonical(received) ?? exactJson(received)
  if (text === null) throw invalid([{ path: "", message: "must be plain data under an idempotency key: JSON, dates, maps, sets or bytes" }])
  return hash("sha256", `${text}\n${ifMatch ?? ""}`, "base64url")
}

/** `null` where something would be left out, so that two inputs that differ could look alike. */
function exactJson(value: unknown): string | null {
  let isExact = true
  try {
    const text = JSON.stringify(value, (_name, part: unknown) => {
      if (part instanceof Map || part instanceof Set) return [part instanceof Map ? "map" : "set", ...part]
      isExact &&= typeof part === "object" ? isPlain(part) : typeof part !== "function" && typeof part !== "symbol"
      return part
    })
    return isExact ? text : null
  } catch {
    return null
  }
}

function isPlain(value: object | null): boolean {
  if (value === null || Array.isArray(value) || ArrayBuffer.isView(value)) return true
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
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

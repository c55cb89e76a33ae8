import { hash } from "node:crypto"
import type { CallContext } from "../../contract/call.ts"
import { TrestleError } from "../../errors/trestle-error.ts"

/** The version of a row: its version column, or a hash of all its columns. */
export function tagOf(row: Readonly<Record<string, unknown>>, version: string | undefined): string {
  return version === undefined ? hash("sha256", JSON.stringify(row), "base64url").slice(0, 22) : String(row[version])
}

/** One entity tag, and whether it is weak. Source: RFC 9110, section 8.8.3. */
const ENTITY_TAG = /(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"/g

/**
 * Whether a row of that version is one that `If-Match` asks for: `*` asks for any, a list for one of its tags. Tags are compared strongly,
 * so a weak one never matches; neither does what is no tag. Source: RFC 9110, section 13.1.1.
 */
function isMatch(ifMatch: string, tag: string): boolean {
  if (ifMatch.trim() === "*") return true
  for (const [, weak, value] of ifMatch.matchAll(ENTITY_TAG)) if (weak === undefined && value === tag) return true
  return false
}

/** @throws {TrestleError} `PRECONDITION_FAILED` when the caller expects another version than that of the stored row. */
export function expectVersion(call: CallContext, tag: string): void {
  if (call.ifMatch !== undefined && !isMatch(call.ifMatch, tag))
    throw new TrestleError("PRECONDITION_FAILED", undefined, { reason: "answered" })
}

import { hash } from "node:crypto"

/** 132 bits of a digest: two answers of one operation will not meet by chance. */
const TAG_LENGTH = 22

/** The version of an answer, from its bytes: the same bytes, the same version. Without quotes. */
export function versionOf(encoded: string): string {
  return hash("sha256", encoded, "base64url").slice(0, TAG_LENGTH)
}

/** What stands between the quotes. Source: RFC 9110, section 8.8.3, `etagc` less the octets beyond ASCII. */
const ENTITY_TAG = /^"[\x21\x23-\x7e]*"$/

/** Whether a backend's version can travel in a header field; one that cannot is for callers in process only. */
export function isEntityTag(etag: string): boolean {
  return ENTITY_TAG.test(etag)
}

const LISTED = /(?:W\/)?("[\x21\x23-\x7e\x80-\xff]*")/g

/**
 * Whether the client holds this version already. Compared weakly: `W/"1"` and `"1"` are the same answer to somebody who has it.
 * Source: RFC 9110, sections 13.1.2 and 8.8.3.2.
 *
 * @param field `If-None-Match`: a list of versions, or `*` for any.
 */
export function isHeld(field: string, etag: string): boolean {
  if (field.trim() === "*") return true
  for (const [, held] of field.matchAll(LISTED)) if (held === etag) return true
  return false
}

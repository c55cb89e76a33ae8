import { hash } from "node:crypto"
import { assert } from "../base/assert.ts"
import type { Random } from "../base/random.ts"
import { type Issue, invalid, TrestleError } from "../errors/trestle-error.ts"

/** One API key as it is kept: everything but its secret part. All times are milliseconds since 1970. */
export interface KeyRecord {
  /** The public part of the key text: 12 hexadecimal digits. */
  readonly id: string
  readonly name: string
  /**
   * SHA-256 of the secret part, in hexadecimal digits. A fast hash is right here: slow ones make guessing expensive where people choose
   * passwords, but nobody guesses 256 random bits, and this runs on every request.
   */
  readonly hash: string
  readonly roles: readonly string[]
  readonly permissions: readonly string[]
  /** Id of the principal whom the key stands for; `null`: the key stands for itself, as `key:<name>`. */
  readonly principalId: string | null
  /** Milliseconds since 1970. */
  readonly createdAt: number
  /** The same; `null`: never. */
  readonly expiresAt: number | null
  /** The same; `null`: it was not. */
  readonly revokedAt: number | null
}

export interface NewKey {
  /** 1 to 64 letters, digits, spaces, `.`, `_`, `@`, `-`, beginning with a letter or digit; not in the form of a key's id. */
  readonly name: string
  readonly roles: readonly string[]
  readonly permissions: readonly string[]
  /** Above 0; `null`: never expires. No default, so that nobody makes an eternal key by leaving something out. */
  readonly expiresInMs: number | null
  /** Default: the key stands for itself. */
  readonly principalId?: string
}

export interface CreatedKey {
  readonly record: KeyRecord
  /** The whole key text. It exists only here: show it once, keep it nowhere. */
  readonly key: string
}

export const KEY_PREFIX = "trs_"
export const KEY_ID = /^[0-9a-f]{12}$/
const KEY_TEXT = /^trs_[0-9a-f]{12}_[A-Za-z0-9_-]{43}$/
const NAME = /^[\p{L}\p{N}][\p{L}\p{N} ._@-]{0,63}$/u
const ID_BYTES = 6
const SECRET_BYTES = 32
const SECRET_AT = KEY_PREFIX.length + 2 * ID_BYTES + 1
/** The last instant that a Date can hold. */
const EPOCH_MS_MAX = 8.64e15

export function isKeyText(text: string): boolean {
  return KEY_TEXT.test(text)
}

/** Only for what `isKeyText` accepts. */
export function idOfKey(text: string): string {
  return text.slice(KEY_PREFIX.length, SECRET_AT - 1)
}

/**
 * As in `KeyRecord.hash`; only for what `isKeyText` accepts. The text is hashed, not the bytes it encodes: two spellings of the same
 * bytes are two secrets. (Node gives digits three times as fast as a buffer.)
 */
export function digestOfKey(text: string): string {
  return hash("sha256", text.slice(SECRET_AT), "hex")
}

/**
 * Makes a key that none of `records` has.
 *
 * @throws {TrestleError} `INVALID` with every issue of `wanted`; `CONFLICT` when a key that still works has the name.
 */
export function newKey(wanted: NewKey, records: readonly KeyRecord[], now: number, random: Random): CreatedKey {
  assert(Number.isFinite(now), "the clock of the key store gave no number")
  const issues = issuesOf(wanted, now)
  if (issues.length > 0) throw invalid(issues)
  // Two working keys of one name would be one principal, and "revoke ci" would be a question.
  if (records.some((record) => record.name === wanted.name && works(record, now)))
    throw new TrestleError("CONFLICT", `a working key has the name "${wanted.name}"; revoke it first or choose another name`)
  let id = random.hex(ID_BYTES)
  while (records.some((record) => record.id === id)) id = random.hex(ID_BYTES)
  const key = `${KEY_PREFIX}${id}_${Buffer.from(random.hex(SECRET_BYTES), "hex").toString("base64url")}`
  const record: KeyRecord = {
    id,
    name: wanted.name,
    hash: digestOfKey(key),
    roles: [...wanted.roles],
    permissions: [...wanted.permissions],
    principalId: wanted.principalId ?? null,
    createdAt: now,
    expiresAt: wanted.expiresInMs === null ? null : now + wanted.expiresInMs,
    revokedAt: null,
  }
  return { record, key }
}

/** Neither revoked nor expired. Written so that a clock gone wrong refuses. */
export function works(record: KeyRecord, now: number): boolean {
  return record.revokedAt === null && (record.expiresAt === null || now < record.expiresAt)
}

/**
 * Revokes the key of this id, or every key of this name. An earlier revocation keeps its time. `revoked` is the newest of them, `null`
 * when there is none. `records` is the very list it got when nothing changed.
 */
export function revokeIn(
  records: readonly KeyRecord[],
  idOrName: string,
  now: number,
): { readonly records: readonly KeyRecord[]; readonly revoked: KeyRecord | null } {
  assert(Number.isFinite(now), "the clock of the key store gave no number")
  const isMeant = (record: KeyRecord): boolean => record.id === idOrName || record.name === idOrName
  if (!records.some((record) => isMeant(record) && record.revokedAt === null))
    return { records, revoked: records.findLast(isMeant) ?? null }
  const changed = records.map((record) => (isMeant(record) && record.revokedAt === null ? { ...record, revokedAt: now } : record))
  return { records: changed, revoked: changed.findLast(isMeant) ?? null }
}

function issuesOf(wanted: NewKey, now: number): Issue[] {
  const issues: Issue[] = []
  const { name, expiresInMs, principalId } = wanted
  if (typeof name !== "string" || !NAME.test(name))
    issues.push({ path: "name", message: "must be 1 to 64 letters, digits, spaces or . _ @ -, beginning with a letter or digit" })
  else if (KEY_ID.test(name)) issues.push({ path: "name", message: "must not look like the id of a key" })
  for (const field of ["roles", "permissions"] as const)
    if (!isTexts(wanted[field])) issues.push({ path: field, message: "must be a list of non-empty strings" })
  if (expiresInMs !== null && !(typeof expiresInMs === "number" && expiresInMs > 0 && now + expiresInMs <= EPOCH_MS_MAX))
    issues.push({ path: "expiresInMs", message: "must be a number of milliseconds above 0, or null for never" })
  if (principalId !== undefined && (typeof principalId !== "string" || principalId === ""))
    issues.push({ path: "principalId", message: "must be a non-empty string" })
  return issues
}

export function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((text) => typeof text === "string" && text !== "")
}

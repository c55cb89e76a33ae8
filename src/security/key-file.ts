import { closeSync, fstatSync, openSync, readFileSync, statSync } from "node:fs"
import { readJson } from "../base/json.ts"
import { TrestleError } from "../errors/trestle-error.ts"
import type { HeldLock } from "./file-lock.ts"
import { isTexts, KEY_ID, type KeyRecord } from "./key-record.ts"
import { replaceFile } from "./replace-file.ts"

const FORMAT = "trestle-keys/1"
const OTHERS_MAY_WRITE = 0o002

/** What the file said, and which version of the file said it. */
export interface KeyFile {
  readonly stamp: string
  readonly records: readonly KeyRecord[]
}

const MISSING = "missing"

/** Differs whenever the file has been replaced or touched. One system call. */
export function stampOf(file: string): string {
  try {
    return stamp(statSync(file, { bigint: true }))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return MISSING
    throw unreadable(file, error)
  }
}

/**
 * Reads all keys. A missing file is empty; anything else that is not a sound list of keys is an error, never an empty list.
 *
 * @throws {TrestleError} `UNAVAILABLE`; its note names the file and the fix, its detail does not.
 */
export function readKeyFile(file: string): KeyFile {
  let text: string
  let version: string
  try {
    const descriptor = openSync(file, "r")
    try {
      const stats = fstatSync(descriptor, { bigint: true })
      // Whoever can write this file can make itself any key. Windows reports no such bits.
      if (process.platform !== "win32" && Number(stats.mode) & OTHERS_MAY_WRITE)
        throw unavailable(`everybody may write the key file ${file}; check its keys, then: chmod 600 ${file}`)
      version = stamp(stats)
      text = readFileSync(descriptor, "utf8")
    } finally {
      closeSync(descriptor)
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return { stamp: MISSING, records: [] }
    throw TrestleError.is(error) ? error : unreadable(file, error)
  }
  const wrong = readJson(text)
  if (!("value" in wrong)) throw broken(file, wrong.message)
  return { stamp: version, records: recordsOf(wrong.value, file) }
}

/** Replaces all keys in one step. Only under the lock. @throws {TrestleError} `UNAVAILABLE`; the former keys stand then. */
export async function writeKeyFile(file: string, records: readonly KeyRecord[], lock: HeldLock): Promise<void> {
  try {
    await replaceFile(file, `${JSON.stringify({ format: FORMAT, keys: records }, null, 2)}\n`, lock)
  } catch (error) {
    if (TrestleError.is(error)) throw error
    throw unavailable(`cannot write the key file ${file} (${codeOf(error)}); check the folder's permissions and free space`, error)
  }
}

function recordsOf(content: unknown, file: string): readonly KeyRecord[] {
  const { format, keys } = (content ?? {}) as { format?: unknown; keys?: unknown }
  if (format !== FORMAT || !Array.isArray(keys)) throw broken(file, `it is not of the format ${FORMAT}`)
  const ids = new Set<string>()
  for (const [index, key] of keys.entries()) {
    const field = wrongField(key)
    if (field) throw broken(file, `keys[${index}].${field} is missing or wrong`)
    if (ids.has(key.id)) throw broken(file, `keys[${index}].id appears twice`)
    ids.add(key.id)
  }
  return keys
}

/** Every field must be there: a key whose `expiresAt` got lost must not become one that never expires. */
function wrongField(key: unknown): string | null {
  if (typeof key !== "object" || key === null) return "id"
  const { id, name, hash, roles, permissions, principalId, createdAt, expiresAt, revokedAt } = key as Record<string, unknown>
  if (typeof id !== "string" || !KEY_ID.test(id)) return "id"
  if (typeof name !== "string" || name === "") return "name"
  if (typeof hash !== "string" || !/^[0-9a-f]{64}$/.test(hash)) return "hash"
  if (!isTexts(roles)) return "roles"
  if (!isTexts(permissions)) return "permissions"
  if (principalId !== null && (typeof principalId !== "string" || principalId === "")) return "principalId"
  if (typeof createdAt !== "number") return "createdAt"
  if (expiresAt !== null && typeof expiresAt !== "number") return "expiresAt"
  if (revokedAt !== null && typeof revokedAt !== "number") return "revokedAt"
  return null
}

function stamp(stats: { ino: bigint; size: bigint; mtimeNs: bigint; ctimeNs: bigint }): string {
  return `${stats.ino}:${stats.size}:${stats.mtimeNs}:${stats.ctimeNs}`
}

function broken(file: string, what: string): TrestleError {
  return unavailable(
    `the key file ${file} is broken: ${what}; restore it from a backup, or move it away and create new keys with "trestle keys create"`,
  )
}

function unreadable(file: string, cause: unknown): TrestleError {
  return unavailable(`cannot read the key file ${file} (${codeOf(cause)}); it must be a file that this user may read`, cause)
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error)
}

/** The note is for the operator; callers hear only that a system cannot answer. */
function unavailable(note: string, cause?: unknown): TrestleError {
  return new TrestleError("UNAVAILABLE", undefined, { note, cause })
}

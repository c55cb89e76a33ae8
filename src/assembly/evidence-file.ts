import { readFileSync, statSync } from "node:fs"
import { mkdir } from "node:fs/promises"
import { dirname, join } from "node:path"
import { readJson } from "../base/json.ts"
import { addSighting, type Evidence, type EvidenceBook, type Sighting } from "../runtime/evidence.ts"
import { type LockOptions, withFileLock } from "../security/file-lock.ts"
import { replaceFile } from "../security/replace-file.ts"

const FORMAT = "trestle-evidence/1"
/** Of many more operations than one application has; the oldest go first. */
export const OPERATIONS_MAX = 2_000
const BYTES_MAX = 4 * 1_048_576

/** What is new: a sighting, or `null` for one that does not hold any more. */
export type EvidenceChanges = Readonly<Record<string, { readonly verified?: Sighting | null; readonly live?: Sighting }>>

export function evidenceFile(folder: string): string {
  return join(folder, "evidence.json")
}

/** Never throws: evidence that cannot be read is none, and is gathered again. */
export function readEvidence(file: string): EvidenceBook {
  try {
    if (statSync(file).size > BYTES_MAX) return {}
    const read = readJson(readFileSync(file, "utf8"))
    return "value" in read ? soundOnes(read.value) : {}
  } catch {
    return {}
  }
}

/**
 * Adds to the file what is new, whoever else writes it at the same time, and replaces it in one step: a reader or a crash sees the old
 * book or the new one. Only its owner may read it.
 *
 * @throws where the folder cannot be written.
 */
export async function addEvidence(file: string, changes: EvidenceChanges, options: LockOptions): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  await withFileLock(`${file}.lock`, options, async (lock) => {
    const operations = bounded(changed(readEvidence(file), changes))
    await replaceFile(file, `${JSON.stringify({ format: FORMAT, operations }, null, 2)}\n`, lock)
  })
}

/** The book with what is new in it. */
export function changed(book: EvidenceBook, changes: EvidenceChanges): EvidenceBook {
  const next: Record<string, Evidence> = { ...book }
  for (const [path, { verified, live }] of Object.entries(changes)) {
    const { verified: wasVerified, live: wasLive } = Object.hasOwn(next, path) ? next[path]! : ({} as Evidence)
    const nowVerified = verified === null ? undefined : verified === undefined ? wasVerified : addSighting(wasVerified, verified)
    const nowLive = live === undefined ? wasLive : addSighting(wasLive, live)
    if (nowVerified || nowLive) next[path] = { ...(nowVerified ? { verified: nowVerified } : {}), ...(nowLive ? { live: nowLive } : {}) }
    else delete next[path]
  }
  return next
}

function bounded(book: EvidenceBook): EvidenceBook {
  const entries = Object.entries(book)
  if (entries.length <= OPERATIONS_MAX) return book
  const lastSeen = ({ verified, live }: Evidence): number => Math.max(verified?.epoch ?? 0, live?.epoch ?? 0)
  return Object.fromEntries(entries.sort(([, a], [, b]) => lastSeen(b) - lastSeen(a)).slice(0, OPERATIONS_MAX))
}

function soundOnes(content: unknown): EvidenceBook {
  const { format, operations } = (content ?? {}) as { format?: unknown; operations?: unknown }
  if (format !== FORMAT || typeof operations !== "object" || operations === null) return {}
  const sound: Record<string, Evidence> = {}
  for (const [path, one] of Object.entries(operations as Record<string, Evidence | null>)) {
    const verified = isSighting(one?.verified) ? { verified: one.verified } : {}
    const live = isSighting(one?.live) ? { live: one.live } : {}
    if ("verified" in verified || "live" in live) sound[path] = { ...verified, ...live }
  }
  return sound
}

function isSighting(value: unknown): value is Sighting {
  if (typeof value !== "object" || value === null) return false
  const { contract, backend, epoch, servedBy, ms, count } = value as Record<string, unknown>
  const areTexts = typeof contract === "string" && typeof backend === "string" && typeof servedBy === "string"
  // `epoch` is made into a date: one beyond what dates can be would throw on every board.
  return areTexts && Number.isFinite(ms) && Number.isInteger(count) && Number.isFinite(epoch) && Math.abs(epoch as number) <= 8.64e15
}

import { dataFolder } from "../assembly/data-folder.ts"
import { systemClock } from "../base/clock.ts"
import { systemRandom } from "../base/random.ts"
import { loadEnvironment } from "../config/environment.ts"
import { TrestleError } from "../errors/trestle-error.ts"
import { type KeyRecord, type KeyStore, openKeyStore } from "../security/key-store.ts"
import { EXIT, Stop } from "./exit.ts"
import { cliFinding } from "./findings.ts"

export interface KeyFolder {
  readonly store: KeyStore
  readonly folder: string
  readonly now: number
}

/** The folder of the application that is started in this one. */
export function openKeys(): KeyFolder {
  const folder = dataFolder(loadEnvironment({ folder: process.cwd() }))
  return {
    store: inWords(folder, () => openKeyStore({ folder, now: systemClock.epoch, random: systemRandom })),
    folder,
    now: systemClock.epoch(),
  }
}

/** @throws {Stop} wrong usage for what was asked, exit code 3 for a file that cannot be used. */
export function keyFailure(error: unknown, folder: string): unknown {
  if (!TrestleError.is(error)) return error
  const issues = error.issues.map(({ path, message }) => `--${FLAGS[path] ?? path} ${message}`).join("; ")
  if (error.code === "INVALID" || error.code === "CONFLICT")
    return new Stop(EXIT.usage, [cliFinding("TRS3007", issues || error.detail, "See: trestle keys create --help, and trestle keys list")])
  return new Stop(EXIT.noLoad, [
    cliFinding("TRS3007", error.note ?? error.detail, "Correct the file or its permissions, or bring it back from a backup.", {
      at: folder,
    }),
  ])
}

const FLAGS: Readonly<Record<string, string>> = {
  roles: "role",
  permissions: "permission",
  expiresInMs: "expires",
  principalId: "principal",
}

export function inWords<T>(folder: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw keyFailure(error, folder)
  }
}

/** What may be shown of a key: everything but its hash. */
export function publicKey(record: KeyRecord, now: number): Readonly<Record<string, unknown>> {
  const { id, name, roles, permissions, principalId, createdAt, expiresAt, revokedAt } = record
  return {
    id,
    name,
    state: stateOf(record, now),
    roles,
    permissions,
    principalId,
    createdAt: iso(createdAt),
    expiresAt: iso(expiresAt),
    revokedAt: iso(revokedAt),
  }
}

export function stateOf({ revokedAt, expiresAt }: KeyRecord, now: number): "works" | "revoked" | "expired" {
  if (revokedAt !== null) return "revoked"
  return expiresAt !== null && now >= expiresAt ? "expired" : "works"
}

function iso(epoch: number | null): string | null {
  return epoch === null ? null : new Date(epoch).toISOString()
}

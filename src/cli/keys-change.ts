import { parseDuration } from "../base/duration.ts"
import type { KeyRecord } from "../security/key-store.ts"
import { EXIT } from "./exit.ts"
import { didYouMean, usage } from "./findings.ts"
import type { CreateFlags, RevokeFlags } from "./keys.ts"
import { inWords, keyFailure, openKeys, publicKey } from "./keys-folder.ts"
import { shown } from "./paint.ts"
import type { Report } from "./report.ts"

export async function createKey({ name, role, permission, expires, principal }: CreateFlags): Promise<Report> {
  const expiresInMs = expires === "never" ? null : parseDuration(expires)
  if (expiresInMs === null && expires !== "never") throw usage(`--expires is no duration: "${expires}"`, "Write 30d, 12h, or never.")
  const { store, folder, now } = openKeys()
  const wanted = { name, roles: role, permissions: permission, expiresInMs, ...(principal === undefined ? {} : { principalId: principal }) }
  const { record, key } = await store.create(wanted).catch((error: unknown) => {
    throw keyFailure(error, folder)
  })
  const until = record.expiresAt === null ? "never expires" : `expires ${new Date(record.expiresAt).toISOString().slice(0, 10)}`
  return {
    exit: EXIT.ok,
    summary: { folder, id: record.id, name: record.name },
    json: { key, record: publicKey(record, now) },
    text: `${key}\n`,
    notes: `key ${record.id} "${shown(record.name)}", ${until}. This is the only time its text is shown: keep it where secrets are kept.\nsend it as: Authorization: Bearer <key>\n`,
  }
}

export async function revokeKey(idOrName: string, { yes, dryRun }: RevokeFlags): Promise<Report> {
  const { store, folder, now } = openKeys()
  const records = inWords(folder, () => store.list())
  const meant = records.filter(({ id, name }) => id === idOrName || name === idOrName)
  if (meant.length === 0) throw noSuchKey(idOrName, records)
  const working = meant.filter(({ revokedAt }) => revokedAt === null)
  const names = working.map(({ id, name }) => `${id} "${shown(name)}"`).join(", ")
  const summary = { folder, revoked: dryRun ? 0 : working.length, ...(dryRun ? { wouldRevoke: working.length } : {}) }
  const report = (notes: string, keys: readonly KeyRecord[]): Report => ({
    exit: EXIT.ok,
    summary,
    json: { keys: keys.map((key) => publicKey(key, now)) },
    notes: `${notes}\n`,
  })
  if (working.length === 0) return report(`${idOrName} is revoked already`, meant)
  if (dryRun) return report(`would revoke ${names}`, working)
  if (!yes)
    throw usage(
      `revoking cannot be undone, and would end ${names}`,
      `trestle keys revoke ${JSON.stringify(idOrName)} --yes   (or --dry-run to only look)`,
    )
  await store.revoke(idOrName).catch((error: unknown) => {
    throw keyFailure(error, folder)
  })
  const ids = new Set(working.map(({ id }) => id))
  return report(
    `revoked ${names}`,
    inWords(folder, () => store.list()).filter(({ id }) => ids.has(id)),
  )
}

function noSuchKey(idOrName: string, records: readonly KeyRecord[]): ReturnType<typeof usage> {
  const known = records.flatMap(({ id, name }) => [name, id])
  return usage(`there is no key "${shown(idOrName)}"`, didYouMean(idOrName, known, "See: trestle keys list"))
}

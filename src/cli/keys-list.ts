import { EXIT } from "./exit.ts"
import { inWords, openKeys, publicKey, stateOf } from "./keys-folder.ts"
import { type Colour, paintFor, shown } from "./paint.ts"
import type { Report } from "./report.ts"
import { table } from "./table.ts"

const COLOURS: Readonly<Record<string, Colour>> = { works: "green", expired: "yellow", revoked: "red" }

export async function listKeys(): Promise<Report> {
  const { store, folder, now } = openKeys()
  const records = inWords(folder, () => store.list())
  const paint = paintFor(process.stdout)
  const head = ["ID", "NAME", "STATE", "EXPIRES", "FOR", "ROLES", "PERMISSIONS"].map((title) => paint("dim", title))
  const rows = records.map((record) => {
    const state = stateOf(record, now)
    const expires = record.expiresAt === null ? "never" : new Date(record.expiresAt).toISOString().slice(0, 10)
    const who = shown(record.principalId ?? `key:${record.name}`)
    return [record.id, shown(record.name), paint(COLOURS[state]!, state), expires, who, listed(record.roles), listed(record.permissions)]
  })
  const working = records.filter((record) => stateOf(record, now) === "works").length
  return {
    exit: EXIT.ok,
    summary: { folder, keys: records.length, working },
    json: { keys: records.map((record) => publicKey(record, now)) },
    text: records.length > 0 ? table([head, ...rows]) : "",
    ...(records.length > 0 ? {} : { notes: `no keys in ${folder}; make one: trestle keys create --name me --role <role>\n` }),
  }
}

function listed(names: readonly string[]): string {
  return names.map(shown).join(", ") || "-"
}

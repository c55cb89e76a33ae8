import { accessSync, constants, existsSync, statSync } from "node:fs"
import { dirname } from "node:path"
import type { DiagnosisHost, Step } from "../../contract/diagnosis.ts"
import { isReference } from "../../contract/reference.ts"
import { SqliteDatabase } from "./database.ts"
import { fileOf, openSqliteMigrator, type SqliteSettings } from "./open.ts"

/** SQLite reads the whole file to check it; a larger one would keep `doctor` waiting. */
const CHECKED_BYTES_MAX = 1_073_741_824
const ALL_STEPS = ["file", "integrity", "version", "migrations"]

/** The file and the right to write to it, its integrity, SQLite's version, and the migrations. Creates and changes nothing. */
export async function diagnoseSqlite(settings: SqliteSettings, host: DiagnosisHost): Promise<readonly Step[]> {
  const file = fileOf(settings, host)
  if (file === ":memory:") return [{ name: "file", state: "ok", seen: "in memory, ends with the application" }]
  const steps: Step[] = [fileStep(file, settings, host)]
  // A file that is not there yet is made by the start.
  if (existsSync(file) && steps[0]!.state === "ok") steps.push(...insideSteps(file, host))
  if (settings.migrations !== undefined && steps.at(-1)!.state !== "failed") steps.push(await migrationStep(settings, host))
  const rest = steps.at(-1)!.state === "failed" ? ALL_STEPS.slice(ALL_STEPS.indexOf(steps.at(-1)!.name) + 1) : []
  return [...steps, ...rest.map((name): Step => ({ name, state: "not reached", seen: "" }))]
}

function fileStep(file: string, { file: reference }: SqliteSettings, { correction }: DiagnosisHost): Step {
  const name = "file"
  try {
    if (!existsSync(file)) {
      const folder = nearestFolder(file)
      accessSync(folder, constants.W_OK)
      return { name, state: "ok", seen: `${file} is not there yet; the first start makes it` }
    }
    accessSync(file, constants.R_OK | constants.W_OK)
    // SQLite keeps its log beside the file.
    accessSync(dirname(file), constants.W_OK)
    return { name, state: "ok", seen: `${file}, ${Math.ceil(statSync(file).size / 1_024)} kB` }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error)
    const other = isReference(reference) ? `   or name another file: ${correction(reference)}` : ""
    const fix = `Give this user the right to read and write it and its folder: ls -ld ${dirname(file)} ${file}${other}`
    return { name, state: "failed", seen: code, trouble: { kind: "refused", message: `${file} cannot be written (${code})`, fix } }
  }
}

function nearestFolder(file: string): string {
  const folder = dirname(file)
  return existsSync(folder) || folder === dirname(folder) ? folder : nearestFolder(folder)
}

function insideSteps(file: string, { clock }: DiagnosisHost): Step[] {
  const startedAt = clock.now()
  let database: SqliteDatabase
  try {
    database = new SqliteDatabase({ file, readOnly: true, durability: "full" })
  } catch (error) {
    return [broken((error as Error).message, file)]
  }
  try {
    const only = (text: string): unknown => Object.values(database.rows({ text, values: [] }, 100)[0] ?? {})[0]
    const version = only("select sqlite_version() as version")
    const journal = only("select journal_mode from pragma_journal_mode")
    if (statSync(file).size > CHECKED_BYTES_MAX) {
      const seen = "not looked at: larger than 1 GB"
      return [{ name: "integrity", state: "unsure", seen }, versionStep(version, journal)]
    }
    const said = only("select quick_check from pragma_quick_check")
    if (said !== "ok") return [broken(String(said), file)]
    return [{ name: "integrity", state: "ok", seen: "quick_check says ok", ms: clock.now() - startedAt }, versionStep(version, journal)]
  } catch (error) {
    return [broken((error as Error).message, file)]
  } finally {
    database.close()
  }
}

function versionStep(version: unknown, journal: unknown): Step {
  return { name: "version", state: "ok", seen: `SQLite ${version}, journal ${journal}` }
}

function broken(why: string, file: string): Step {
  const fix = `Restore it from a backup, or save what can be read: sqlite3 ${file} .recover`
  return {
    name: "integrity",
    state: "failed",
    seen: "broken",
    trouble: { kind: "unreachable", message: `its file is broken: ${why}`, fix },
  }
}

async function migrationStep(settings: SqliteSettings, host: DiagnosisHost): Promise<Step> {
  const migrator = await openSqliteMigrator(settings, host)
  try {
    const states = await migrator.states()
    const open = states.filter(({ state }) => state !== "applied")
    const seen = `${states.length - open.length} of ${states.length} applied`
    if (open.length === 0 || settings.migratesOnStart) return { name: "migrations", state: "ok", seen }
    const message = `its migrations are not all applied: ${open.map(({ name, state }) => `${name} is ${state}`).join(", ")}`
    return { name: "migrations", state: "failed", seen, trouble: { kind: "unwell", message, fix: "npx trestle db migrate" } }
  } finally {
    await migrator.close()
  }
}

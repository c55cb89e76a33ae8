import { createHash } from "node:crypto"
import { readdirSync, readFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import type { Migration, MigrationState } from "../../contract/sql-session.ts"
import { TrestleError } from "../../errors/trestle-error.ts"
import { scriptMistake } from "./statement-check.ts"

/** A folder of `0001-name.sql` files, or the migrations themselves. */
export type MigrationSource = URL | string | readonly Migration[]

export interface ReadMigration extends Migration {
  readonly number: number
  readonly checksum: string
}

/** What the database remembers of one. */
export interface AppliedMigration {
  readonly number: number
  readonly name: string
  readonly checksum: string
  readonly appliedAt: string
}

export interface PlannedMigration extends MigrationState {
  readonly number: number
  /** Absent when it is `missing`. */
  readonly migration?: ReadMigration
}

/** What the database remembers of them, in every database. */
export const APPLIED = { text: 'select number, name, checksum, applied_at as "appliedAt" from trestle_migrations', values: [] }

const NAME = /^(\d{1,9})-[A-Za-z0-9][\w.-]*$/

/**
 * Reads the migrations of a service, in the order of their numbers. Files that do not end in `.sql` are left alone.
 *
 * @throws {TrestleError} `START_REFUSED` that names the file: what cannot be read, a name without a number, a number twice, a script that is
 * empty or could not run in a transaction.
 */
export function readMigrations(source: MigrationSource): readonly ReadMigration[] {
  const migrations = (Array.isArray(source) ? source : filesIn(source as URL | string)).map(checked)
  migrations.sort((a, b) => a.number - b.number)
  for (const [i, { number, name }] of migrations.entries())
    if (i > 0 && migrations[i - 1]!.number === number)
      throw refused(
        `the migrations ${migrations[i - 1]!.name} and ${name} have the same number`,
        "Give the later one the next free number.",
      )
  return migrations
}

/** What has been applied beside what there is, in the order of their numbers. */
export function planMigrations(migrations: readonly ReadMigration[], applied: readonly AppliedMigration[]): readonly PlannedMigration[] {
  const done = new Map(applied.map((one) => [one.number, one]))
  const latest = applied.reduce((most, { number }) => Math.max(most, number), 0)
  const planned = migrations.map((migration): PlannedMigration => {
    const { number, name, checksum } = migration
    const before = done.get(number)
    done.delete(number)
    if (!before) return { number, name, migration, state: number < latest ? "late" : "pending", appliedAt: null }
    const isSame = before.checksum === checksum && before.name === name
    return { number, name, migration, state: isSame ? "applied" : "changed", appliedAt: before.appliedAt }
  })
  const missing = [...done.values()].map(({ number, name, appliedAt }): PlannedMigration => ({ number, name, state: "missing", appliedAt }))
  return [...planned, ...missing].sort((a, b) => a.number - b.number)
}

/** @throws {TrestleError} `START_REFUSED` (TRS1021) that names every migration that does not fit the database. */
export function refuseMisfits(planned: readonly PlannedMigration[]): void {
  const misfits = planned.filter(({ state }) => state !== "applied" && state !== "pending")
  if (misfits.length === 0) return
  const said = misfits.map(({ name, state }) => `${name} ${MISFITS[state as keyof typeof MISFITS]}`).join("; ")
  throw refused(`its migrations do not fit the database: ${said}`, MISFIT_FIX)
}

/** Applies one after the other; gives their names. @param applyNext gives the name of what it has applied; `null`: nothing is pending */
export async function applyAll(applyNext: () => Promise<string | null>): Promise<readonly string[]> {
  const applied: string[] = []
  for (let name = await applyNext(); name !== null; name = await applyNext()) applied.push(name)
  return applied
}

/** Without what only the migrator needs. */
export function statesOf(planned: readonly PlannedMigration[]): readonly MigrationState[] {
  return planned.map(({ name, state, appliedAt }) => ({ name, state, appliedAt }))
}

/** One that could not be applied, and was rolled back: `START_REFUSED` (TRS1022). */
export function failedMigration(name: string, cause: unknown): TrestleError {
  const message = `the migration ${name} failed: ${(cause as Error).message}; nothing of it was kept`
  const findings = [{ code: "TRS1022", fix: "Correct it, then run `trestle db migrate`." }]
  return new TrestleError("START_REFUSED", message, { cause, findings })
}

const MISFITS = {
  changed: "has been changed since it was applied",
  missing: "was applied and is gone",
  late: "comes before one that was applied already",
} as const

const MISFIT_FIX =
  "Put applied migrations back as they were, and write what is new into a new file with the next number. `trestle db status` lists them."

function refused(message: string, fix: string): TrestleError {
  return new TrestleError("START_REFUSED", message, { findings: [{ code: "TRS1021", fix }] })
}

function checked({ name, sql }: Migration): ReadMigration {
  const number = Number(NAME.exec(name)?.[1] ?? 0)
  if (number === 0) throw refused(`the migration ${name} has no number from 1 at its beginning`, "Name it like 0001-questions.sql.")
  const mistake = scriptMistake(sql)
  if (mistake !== null) throw refused(`the migration ${name}: ${mistake}`, "Remove it.")
  // Git may give files other line ends on another machine.
  const checksum = createHash("sha256").update(sql.replaceAll("\r\n", "\n")).digest("hex")
  return { name, sql, number, checksum }
}

function filesIn(source: URL | string): Migration[] {
  const folder = source instanceof URL ? fileURLToPath(source) : resolve(source)
  return reading(folder, 'migrations: new URL("./migrations/", import.meta.url),', () => readdirSync(folder))
    .filter((name) => name.endsWith(".sql"))
    .map((name) => {
      const path = join(folder, name)
      return {
        name: name.slice(0, -".sql".length),
        sql: reading(path, "Make it a file that this user can read.", () => readFileSync(path, "utf8")),
      }
    })
}

function reading<T>(path: string, fix: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw refused(`of the migrations, ${path} cannot be read (${code})`, fix)
  }
}

import { closeSync, mkdirSync, openSync } from "node:fs"
import { dirname, resolve } from "node:path"
import { parseDuration } from "../../base/duration.ts"
import type { Ref } from "../../contract/reference.ts"
import type { ServiceHost } from "../../contract/service.ts"
import type { Migrator } from "../../contract/sql-session.ts"
import { TrestleError } from "../../errors/trestle-error.ts"
import { type MigrationSource, refuseMisfits } from "../sql/migrations.ts"
import { SqliteSession } from "./connection.ts"
import { SqliteDatabase } from "./database.ts"
import { patiently, SqliteMigrator } from "./migrator.ts"

const BUSY_TIMEOUT_MS = 2_000
export const ROWS_MAX = 10_000
const IN_MEMORY = ":memory:"
/** Several processes that begin at once change the file to its write-ahead log one after the other. */
const OPEN_MS_MAX = 10_000

export interface SqliteSettings {
  readonly name: string
  readonly file: Ref | string
  readonly durability: "full" | "normal"
  readonly busyTimeout: unknown
  readonly rowsMax: number
  readonly migrations: MigrationSource | undefined
  readonly migratesOnStart: boolean
}

/**
 * Opens the file, makes it with its folder if it is not there, readable for this user only.
 *
 * @throws {TrestleError} `START_REFUSED`: it cannot be opened, lacks migrations (TRS1020), or differs from them (TRS1021).
 */
export async function openSqlite(settings: SqliteSettings, host: ServiceHost): Promise<SqliteSession> {
  const { name, durability, rowsMax, migrations } = settings
  const { clock } = host
  const file = host.isEphemeral ? IN_MEMORY : fileOf(settings, host)
  const writer = await opened(file, settings, host)
  try {
    if (migrations !== undefined) {
      const migrator = new SqliteMigrator({ name, file, source: migrations, clock }, writer)
      await bringUpToDate(migrator, settings, file)
    }
    return new SqliteSession(writer, {
      name,
      file,
      durability,
      rowsMax,
      busyTimeoutMs: parseDuration(settings.busyTimeout) ?? BUSY_TIMEOUT_MS,
      clock,
    })
  } catch (error) {
    writer.close()
    throw error
  }
}

/** For whoever tends the migrations of a service that is not started. @throws {TrestleError} `START_REFUSED` */
export async function openSqliteMigrator(settings: SqliteSettings, host: Pick<ServiceHost, "references" | "clock">): Promise<Migrator> {
  const { name } = settings
  const file = fileOf(settings, host)
  const migrator = new SqliteMigrator({ name, file, source: settings.migrations ?? [], clock: host.clock })
  return {
    states: () => explained(name, file, () => migrator.states()),
    apply: () =>
      explained(name, file, async () => {
        makeFile(file)
        return migrator.apply()
      }),
    close: () => migrator.close(),
  }
}

async function bringUpToDate(migrator: SqliteMigrator, settings: SqliteSettings, file: string): Promise<void> {
  if (settings.migratesOnStart || file === IN_MEMORY) return void (await migrator.apply())
  const states = await migrator.states()
  const pending = states.filter(({ state }) => state === "pending")
  if (pending.length > 0 && states.every(({ state }) => state === "pending" || state === "applied"))
    throw new TrestleError("START_REFUSED", `it lacks ${pending.length} of its migrations: ${pending.map((one) => one.name).join(", ")}`, {
      findings: [{ code: "TRS1020", fix: "trestle db migrate" }],
    })
  refuseMisfits(states.map((state) => ({ ...state, number: 0 })))
}

function opened(file: string, settings: SqliteSettings, host: ServiceHost): Promise<SqliteDatabase> {
  return explained(settings.name, file, async () => {
    if (file !== IN_MEMORY) makeFile(file)
    const { clock } = host
    // What is in a file has the system's time, whoever writes it: a store's thread has no other, and other processes have not.
    const epoch = file === IN_MEMORY ? () => clock.epoch() : undefined
    const open = (): SqliteDatabase =>
      new SqliteDatabase({ file, readOnly: false, durability: settings.durability, ...(epoch ? { epoch } : {}) })
    return patiently(open, clock, OPEN_MS_MAX)
  })
}

/** What the system or SQLite says when a file cannot be opened, with the name of the file. */
async function explained<T>(name: string, file: string, open: () => Promise<T>): Promise<T> {
  try {
    return await open()
  } catch (cause) {
    if (TrestleError.is(cause)) throw cause
    throw new TrestleError("START_REFUSED", `the file of ${name}, ${file}, cannot be opened: ${(cause as Error).message}`, { cause })
  }
}

export function fileOf({ file, name }: SqliteSettings, host: Pick<ServiceHost, "references">): string {
  const path = host.references.read(file)
  if (path === IN_MEMORY) return path
  // Both would be read by SQLite as something else than the name of a file.
  if (path === "" || path.startsWith("file:")) throw new TrestleError("START_REFUSED", `the file of ${name} is no path`)
  return resolve(path)
}

/** One that is there is not touched: closing it here would let go of the locks that SQLite holds on it for this process. */
function makeFile(file: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  try {
    closeSync(openSync(file, "wx", 0o600))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error
  }
}

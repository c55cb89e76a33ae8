import type { SourcePlace } from "../../base/source-place.ts"
import { isReference, type Ref, type Reference } from "../../contract/reference.ts"
import type { ServiceHost } from "../../contract/service.ts"
import type { Migrator, SqlSession } from "../../contract/sql-session.ts"
import { TrestleError } from "../../errors/trestle-error.ts"
import { type MigrationSource, refuseMisfits } from "../sql/migrations.ts"
import { type PostgresAddress, readAddress, tlsSettings } from "./address.ts"
import { PostgresSession } from "./connection.ts"
import { PostgresDatabase } from "./database.ts"
import { loadDriver, type PgDriver } from "./driver.ts"
import { connectionFailure } from "./failure.ts"
import { PostgresMigrator } from "./migrator.ts"
import { UnreplacedSession } from "./unreplaced.ts"

export const ROWS_MAX = 10_000
export const POOL = 20

export interface PostgresSettings {
  readonly name: string
  readonly at: SourcePlace | null
  readonly url: Ref | string
  readonly pool: number
  readonly rowsMax: number
  readonly migrations: MigrationSource | undefined
  readonly migratesOnStart: boolean
}

/**
 * Loads the driver, and looks at the migrations where there are any. Without them nothing is connected: a server that is not there is for
 * the calls to find out.
 *
 * @throws {TrestleError} `START_REFUSED`: no driver (TRS1043), no address, migrations that lack (TRS1020), do not fit (TRS1021), or cannot
 * be looked at.
 */
export async function openPostgres(settings: PostgresSettings, host: ServiceHost): Promise<SqlSession> {
  const { name, rowsMax, at, pool } = settings
  if (host.isEphemeral) return new UnreplacedSession(name, host)
  addressOf(settings, host)
  const driver = await loadDriver(at)
  // Read anew for each connection: a password that has been changed meanwhile is the one that counts.
  const open = (): PostgresDatabase => new PostgresDatabase(driver, addressOf(settings, host), name)
  if (settings.migrations !== undefined) await bringUpToDate(settings, open)
  return new PostgresSession({ name, rowsMax, clock: host.clock, connectionsMax: Math.min(host.concurrency, pool), open })
}

/** For whoever tends the migrations of a service that is not started. @throws {TrestleError} `START_REFUSED` */
export async function openPostgresMigrator(settings: PostgresSettings, host: Pick<ServiceHost, "references">): Promise<Migrator> {
  const address = addressOf(settings, host)
  const driver: PgDriver = await loadDriver(settings.at)
  return migratorOf(settings, () => new PostgresDatabase(driver, address, settings.name))
}

function migratorOf(settings: PostgresSettings, open: () => PostgresDatabase): Migrator {
  const { name } = settings
  const migrator = new PostgresMigrator(settings.migrations ?? [], open)
  return {
    states: () => explained(name, () => migrator.states()),
    apply: () => explained(name, () => migrator.apply()),
    close: () => migrator.close(),
  }
}

async function bringUpToDate(settings: PostgresSettings, open: () => PostgresDatabase): Promise<void> {
  const migrator = migratorOf(settings, open)
  try {
    if (settings.migratesOnStart) return void (await migrator.apply())
    const states = await migrator.states()
    const pending = states.filter(({ state }) => state === "pending")
    if (pending.length > 0 && states.every(({ state }) => state === "pending" || state === "applied"))
      throw new TrestleError(
        "START_REFUSED",
        `it lacks ${pending.length} of its migrations: ${pending.map((one) => one.name).join(", ")}`,
        {
          findings: [{ code: "TRS1020", fix: "trestle db migrate" }],
        },
      )
    refuseMisfits(states.map((state) => ({ ...state, number: 0 })))
  } finally {
    await migrator.close()
  }
}

/** What keeps the migrations from being looked at, with what to do. */
async function explained<T>(name: string, job: () => Promise<T>): Promise<T> {
  try {
    return await job()
  } catch (cause) {
    if (TrestleError.is(cause)) throw cause
    const { note } = connectionFailure(cause, "read", name)
    throw new TrestleError("START_REFUSED", `its migrations cannot be looked at: ${note}`, {
      cause,
      findings: [{ code: "TRS1014", fix: "Look at its address and at the server: npx trestle doctor" }],
    })
  }
}

/** @throws {TrestleError} `START_REFUSED`; never with a part of the address in it. */
export function addressOf({ url, name }: PostgresSettings, host: Pick<ServiceHost, "references">): PostgresAddress {
  const address = readAddress(host.references.read(url))
  if ("wrong" in address) throw refused(`the address of ${name} ${address.wrong}`, FORM)
  if (address.password !== "" && !(isReference(url) && (url as Reference).secret))
    throw refused(
      `the address of ${name} carries a password`,
      'Keep it where it is masked in all that is written: url: secret("DATABASE_URL")',
    )
  try {
    tlsSettings(address.tls)
  } catch (error) {
    throw refused(`the sslrootcert of ${name} cannot be read (${(error as NodeJS.ErrnoException).code})`, FORM)
  }
  return address
}

const FORM = "Write it like postgres://user:password@host:5432/database?sslmode=verify-full"

function refused(message: string, fix: string): TrestleError {
  return new TrestleError("START_REFUSED", message, { findings: [{ code: "TRS1014", fix }] })
}

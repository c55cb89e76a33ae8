import { callerPlace } from "../../base/source-place.ts"
import { type Policy, policyMistakes } from "../../contract/policy.ts"
import { isReference, type Ref } from "../../contract/reference.ts"
import type { Service } from "../../contract/service.ts"
import type { HasMigrations } from "../../contract/sql-session.ts"
import { type Sql, sqlFace } from "../sql/index.ts"
import type { MigrationSource } from "../sql/migrations.ts"
import { readAddress } from "./address.ts"
import { POSTGRES_FAULTS } from "./faults.ts"
import { openPostgres, openPostgresMigrator, POOL, type PostgresSettings, ROWS_MAX } from "./open.ts"

/** Which server, and how it is used. */
export interface PostgresOptions {
  /**
   * `postgres://user:password@host:5432/database`, as `secret("DATABASE_URL")` where it carries a password. `?sslmode=verify-full` protects
   * the way with TLS, and is the default for every host but this machine; `disable` does without.
   */
  url: Ref | string
  /** For all its statements. Default: that of `trestle({ defaults })`, with a `concurrency` of `pool`. */
  policy?: Policy
  /** For logs, `servedBy` and `--service`. Default: from the reference (`NOTES_DB_URL` is `notes-db`), else the name of the database. */
  name?: string
  /** Most rows of one answer, 1 and more; a statement that gives more is refused, never cut off. Default 10,000. */
  rowsMax?: number
  /**
   * Keeps Trestle's outbox and inbox in this database, in tables of its own: messages that a transaction emits count together with it, and
   * what is run again after a crash has its effect once. Default `false`.
   */
  outbox?: boolean
  /** Folder of `0001-name.sql` files, or the migrations themselves. Default: the tables are somebody else's. */
  migrations?: MigrationSource
  /** `"on start"` applies them whenever the application starts, for development. Default: only `trestle db migrate` does. */
  migrate?: "on start" | "by command"
  /** Connections of this process, at most; calls beyond wait in the service's queue. A server takes 100 in all by default. Default 20. */
  pool?: number
}

/**
 * Declares a PostgreSQL database, version 12 or later. Opens nothing. The application installs the driver itself: `npm install pg@8`.
 *
 * A call that ends early cancels its statement at the server. Nothing is sent again but what the policy says.
 */
export function postgres(options: PostgresOptions): Sql {
  const { policy, pool = POOL } = options
  const at = callerPlace(postgres)
  const settings: PostgresSettings = {
    name: options.name ?? nameOf(options.url),
    at,
    url: options.url,
    pool,
    rowsMax: options.rowsMax ?? ROWS_MAX,
    migrations: options.migrations,
    migratesOnStart: options.migrate === "on start",
  }
  const service: Service = {
    kind: "postgres",
    name: settings.name,
    at,
    references: [options.url].filter(isReference),
    // Who waits for a connection waits before the attempt's time begins, and in one queue.
    policy: { ...policy, concurrency: policy?.concurrency ?? pool },
    replicaOf: undefined,
    mistakes: mistakesOf(options),
    isProbed: true,
    ...(options.outbox ? { outbox: true } : {}),
    capabilities: { cancel: true },
    address: options.url,
    open: (host) => openPostgres(settings, host),
    diagnose: async (host) => (await import("./diagnosis.ts")).diagnosePostgres(settings, host),
    rehearsal: {
      faults: POSTGRES_FAULTS,
      prepare: async (references) => (await import("./scratch.ts")).prepareScratch(references, at),
      standIn: async (calls, fault) => (await import("./stand-in.ts")).openPostgresStandIn(settings, calls, fault),
    },
  }
  const whole: Service | HasMigrations =
    options.migrations === undefined ? service : { ...service, openMigrator: (host) => openPostgresMigrator(settings, host) }
  return sqlFace(whole)
}

function mistakesOf({ url, policy, rowsMax, migrate, pool }: PostgresOptions): string[] {
  const mistakes = policyMistakes(policy ?? {})
  const countIn = (name: string, value: number | undefined): void => {
    if (value !== undefined && !(Number.isInteger(value) && value >= 1)) mistakes.push(`${name} must be a whole number of at least 1`)
  }
  countIn("rowsMax", rowsMax)
  countIn("pool", pool)
  const { concurrency } = policy ?? {}
  if (typeof concurrency === "number" && concurrency > (pool ?? POOL))
    mistakes.push(`policy.concurrency is larger than pool (${pool ?? POOL}): the calls beyond would wait with their time running`)
  if (migrate !== undefined && !["on start", "by command"].includes(migrate)) mistakes.push('migrate is "on start" or "by command"')
  if (typeof url === "string") {
    const address = readAddress(url)
    if ("wrong" in address) mistakes.push(`its url ${address.wrong}`)
    else if (address.password !== "") mistakes.push('its url carries a password; keep it outside: url: secret("DATABASE_URL")')
  }
  return mistakes
}

function nameOf(url: Ref | string): string {
  if (typeof url !== "string") {
    const bare = url.ref.replace(/_?(URL|URI|ADDRESS)$/i, "") || url.ref
    return bare.toLowerCase().replaceAll("_", "-")
  }
  const address = readAddress(url)
  return "wrong" in address ? "postgres" : address.database
}

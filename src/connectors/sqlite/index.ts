import { basename } from "node:path"
import { type Duration, parseDuration } from "../../base/duration.ts"
import { callerPlace } from "../../base/source-place.ts"
import { type Policy, policyMistakes } from "../../contract/policy.ts"
import { isReference, type Ref } from "../../contract/reference.ts"
import type { Service } from "../../contract/service.ts"
import type { HasMigrations } from "../../contract/sql-session.ts"
import { type Sql, sqlFace } from "../sql/index.ts"
import type { MigrationSource } from "../sql/migrations.ts"
import { SQLITE_FAULTS } from "./faults.ts"
import { openSqlite, openSqliteMigrator, ROWS_MAX, type SqliteSettings } from "./open.ts"

/** Which file, and how it is used. */
export interface SqliteOptions {
  /** Path of the file, from the folder in which the process was started; `":memory:"` for one that ends with the application. */
  file: Ref | string
  /** For all its statements. Default: that of `trestle({ defaults })`. */
  policy?: Policy
  /** For logs, `servedBy` and `--service`. Default: from the reference (`NOTES_DB` is `notes-db`), else the file without its ending. */
  name?: string
  /** How long to wait for another process that writes. Other calls go on meanwhile. Default `"2s"`. */
  busyTimeout?: Duration
  /** Most rows of one answer, 1 and more; a statement that gives more is refused, never cut off. Default 10,000. */
  rowsMax?: number
  /** `"full"`: what was acknowledged survives a loss of power. `"normal"` is faster; the last writes may then be lost. Default `"full"`. */
  durability?: "full" | "normal"
  /**
   * Keeps Trestle's outbox and inbox in this database, in tables of its own: messages that a transaction emits count together with it, and
   * what is run again after a crash has its effect once. Default `false`.
   */
  outbox?: boolean
  /** Folder of `0001-name.sql` files, or the migrations themselves. Default: the tables are somebody else's. */
  migrations?: MigrationSource
  /** `"on start"` applies them whenever the application starts, for development. Default: only `trestle db migrate` does. */
  migrate?: "on start" | "by command"
}

/**
 * Declares a SQLite database, in the process itself, on `node:sqlite`. Opens nothing.
 *
 * Statements run in the thread that serves all calls: each should be short. One that has begun cannot be stopped, which the service says as
 * its capability `cancel: false`.
 */
export function sqlite(options: SqliteOptions): Sql {
  const name = options.name ?? nameOf(options.file)
  const settings: SqliteSettings = {
    name,
    file: options.file,
    durability: options.durability ?? "full",
    busyTimeout: options.busyTimeout,
    rowsMax: options.rowsMax ?? ROWS_MAX,
    migrations: options.migrations,
    migratesOnStart: options.migrate === "on start",
  }
  const service: Service = {
    kind: "sqlite",
    name,
    at: callerPlace(sqlite),
    references: [options.file].filter(isReference),
    policy: options.policy,
    replicaOf: undefined,
    mistakes: mistakesOf(options),
    isProbed: true,
    ...(options.outbox ? { outbox: true } : {}),
    capabilities: { cancel: false },
    address: options.file,
    open: (host) => openSqlite(settings, host),
    diagnose: async (host) => (await import("./diagnosis.ts")).diagnoseSqlite(settings, host),
    rehearsal: {
      faults: SQLITE_FAULTS,
      standIn: async (calls, fault) => (await import("./stand-in.ts")).openSqliteStandIn(settings, calls, fault),
    },
  }
  const whole: Service | HasMigrations =
    options.migrations === undefined ? service : { ...service, openMigrator: (host) => openSqliteMigrator(settings, host) }
  return sqlFace(whole)
}

function mistakesOf({ policy, busyTimeout, rowsMax, durability, migrate }: SqliteOptions): string[] {
  const mistakes = policyMistakes(policy ?? {})
  if (busyTimeout !== undefined && parseDuration(busyTimeout) === null) mistakes.push('busyTimeout is not a duration such as "2s"')
  if (rowsMax !== undefined && !(Number.isInteger(rowsMax) && rowsMax >= 1)) mistakes.push("rowsMax must be a whole number of at least 1")
  if (durability !== undefined && !["full", "normal"].includes(durability)) mistakes.push('durability is "full" or "normal"')
  if (migrate !== undefined && !["on start", "by command"].includes(migrate)) mistakes.push('migrate is "on start" or "by command"')
  return mistakes
}

function nameOf(file: Ref | string): string {
  if (typeof file !== "string")
    return (
      file.ref
        .replace(/_?(FILE|PATH)$/i, "")
        .toLowerCase()
        .replaceAll("_", "-") || file.ref.toLowerCase()
    )
  return file === ":memory:" ? "memory" : basename(file).replace(/\.\w+$/, "")
}

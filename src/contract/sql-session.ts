import type { Common } from "../errors/catalog.ts"
import type { Reason } from "../errors/reasons.ts"
import { TrestleError } from "../errors/trestle-error.ts"
import { answered, failure } from "./failure.ts"
import type { Attempt, Connection, Service, ServiceHost } from "./service.ts"
import type { SqlStatement } from "./sql-compile.ts"

/** How one database differs from another. Nobody asks for its kind; a flag is here because some code reads it. */
export interface SqlCapabilities {
  /** How a bound value is written: `?`, or `$1`. */
  readonly placeholder: "question" | "numbered"
  /** Round the names of tables and columns. */
  readonly quote: '"' | "`"
  /** Whether booleans are values of their own, or the integers 1 and 0. */
  readonly booleans: "native" | "integer"
  /** Whether instants are values of their own, or ISO 8601 text in UTC. */
  readonly dates: "native" | "text"
  /** Whether objects and lists are values of their own, or their JSON as text. */
  readonly json: "native" | "text"
  /** `insert ... returning` gives the stored row. */
  readonly returning: boolean
  /** `select ... for update` holds a row until the end of the transaction. Without it the transaction holds them all. */
  readonly locksRows: boolean
}

/** The SQL standard, and what it leaves open as most databases have it. */
export const SQL_DEFAULTS: SqlCapabilities = {
  placeholder: "question",
  quote: '"',
  booleans: "native",
  dates: "native",
  json: "native",
  returning: true,
  locksRows: true,
}

export type SqlRow = Readonly<Record<string, unknown>>

/** Makes an answer of what a statement gave. An object, so that a call allocates no closure. */
export interface SqlTaker {
  take(rows: readonly SqlRow[], changes: number): unknown
}

/**
 * An opened SQL database, the same for every kind of it: operations, `crud`, and Trestle's own tables speak to this port only.
 *
 * Rejects, or throws, with a `BrokenConstraint` or with a classified TrestleError. A statement that failed is `refused`; a COMMIT that
 * failed is `unknown`. Answers at once, without a promise, where nothing has to be waited for.
 */
export interface SqlSession extends Connection {
  /** Of the service, for messages. */
  readonly name: string
  readonly capabilities: SqlCapabilities
  /** One statement that changes nothing; one that would is refused. Bounded rows. */
  read(statement: SqlStatement, taker: SqlTaker, attempt: Attempt): unknown
  /** One statement that may change something. `taker` sees its result before it counts: what it throws undoes the statement. */
  write(statement: SqlStatement, taker: SqlTaker, attempt: Attempt): unknown
  /**
   * Statements that all count, or none. Commits after `work` has answered, rolls back when it throws or the attempt is stopped.
   * While it lasts, statements from elsewhere do not get into it.
   */
  transaction(work: (statements: SqlStatements) => unknown, attempt: Attempt): Promise<unknown>
}

/** Runs statements inside one transaction. The first that fails ends it: no later one is run, and nothing is kept. */
export interface SqlStatements {
  many(statement: SqlStatement): readonly SqlRow[] | Promise<readonly SqlRow[]>
  /** How many rows were changed. */
  run(statement: SqlStatement): number | Promise<number>
  /** Both, of one statement. */
  both(statement: SqlStatement): SqlResult | Promise<SqlResult>
}

/** What one statement gave, and changed. */
export interface SqlResult {
  readonly rows: readonly SqlRow[]
  readonly changes: number
}

/** Rules of a table that a statement can break. */
export type SqlConstraint = "unique" | "foreignKey" | "check" | "notNull"

/** Which code a broken rule is answered with. Default: `unique` and `foreignKey` are `CONFLICT`, the others `INTERNAL`. */
export type ConstraintCodes<E extends string> = { readonly [C in SqlConstraint]?: E | Common }

/** The database did not carry a statement out, because it would break a rule of a table. Nothing has happened. */
export class BrokenConstraint extends Error {
  override readonly name = "BrokenConstraint"
  readonly constraint: SqlConstraint

  constructor(constraint: SqlConstraint, message: string, cause: unknown) {
    super(message, { cause })
    this.constraint = constraint
  }
}

const CONSTRAINT_CODES: Readonly<Record<SqlConstraint, Common>> = {
  unique: "CONFLICT",
  foreignKey: "CONFLICT",
  check: "INTERNAL",
  notNull: "INTERNAL",
}

/** A broken rule as the error that callers understand; anything else as it is. */
export function answerOfConstraint(
  thrown: unknown,
  codes: ConstraintCodes<string> | undefined,
  declared: Readonly<Record<string, number>>,
): unknown {
  if (!(thrown instanceof BrokenConstraint)) return thrown
  const { constraint, message } = thrown
  const code = codes?.[constraint] ?? CONSTRAINT_CODES[constraint]
  return answered(code, declared, undefined, { cause: thrown.cause, note: message })
}

/**
 * What was thrown inside a transaction that has been rolled back: an error that says "it may have happened", or that no one has
 * classified, now says that nothing has.
 */
export function afterRollback(thrown: unknown, effect: "read" | "write", name: string): unknown {
  if (thrown instanceof BrokenConstraint) return thrown
  if (!TrestleError.is(thrown)) {
    const note = `${name}: what ran inside the transaction threw; nothing of it was kept`
    return failure("request-not-mapped", effect, { cause: thrown, note })
  }
  if (thrown.outcome !== "unknown") return thrown
  return new TrestleError("INTERNAL", undefined, {
    outcome: "refused",
    reason: "request-not-mapped" satisfies Reason,
    cause: thrown,
    note: `${thrown.note ?? thrown.reason}; rolled back, so nothing of it was kept`,
  })
}

/** One change of the tables, kept as SQL in a file of its own. */
export interface Migration {
  /** `0001-questions`: a number that orders it, and a name. */
  readonly name: string
  readonly sql: string
}

export interface MigrationState {
  readonly name: string
  /** `changed`: its text is no longer the one that was applied. `missing`: it was applied and is gone. `late`: a later one was applied before it. */
  readonly state: "applied" | "pending" | "changed" | "missing" | "late"
  /** When, as ISO 8601 text. */
  readonly appliedAt: string | null
}

/** The migrations of one service, for whoever starts or tends it. */
export interface Migrator {
  /** All of them in their order. Creates nothing. */
  states(): Promise<readonly MigrationState[]>
  /**
   * Applies what is pending, each in a transaction of its own; gives their names. Another process that migrates is waited for.
   * @throws {TrestleError} `START_REFUSED` when they do not fit the database, or one fails: it is rolled back, those before it stay.
   */
  apply(): Promise<readonly string[]>
  close(): Promise<void>
}

/** A service whose tables are made by migrations. */
export interface HasMigrations extends Service {
  openMigrator(host: Pick<ServiceHost, "references" | "clock">): Promise<Migrator>
}

export function hasMigrations(service: Service): service is HasMigrations {
  return typeof (service as Partial<HasMigrations>).openMigrator === "function"
}

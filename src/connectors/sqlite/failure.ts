import { failure } from "../../contract/failure.ts"
import { BrokenConstraint, type SqlConstraint } from "../../contract/sql-session.ts"
import type { Reason } from "../../errors/reasons.ts"
import { TrestleError } from "../../errors/trestle-error.ts"
import { NoStatement, TooManyRows } from "./database.ts"

/** Result codes of SQLite that say which rule of a table would be broken. Source: sqlite.org/rescode.html */
const CONSTRAINTS: Readonly<Record<number, SqlConstraint>> = {
  275: "check",
  787: "foreignKey",
  1299: "notNull",
  1555: "unique", // primary key
  2067: "unique",
  2579: "unique", // rowid
}

const BUSY = 5
const LOCKED = 6
const READONLY = 8
const FULL = 13
const CONSTRAINT = 19

/** Primary codes that blame the statement: it is the same mistake at every attempt. */
const MISTAKES = new Set([1, 18, 20, CONSTRAINT, 21, 25])
/** After these nothing that the connection holds can be trusted: it is opened anew. 10 is an error of the disk, 11 and 26 of the file. */
const BREAKS = new Set([10, 11, 14, 26])

/** Extended codes keep the primary one in their lowest byte. */
function primaryOf(thrown: unknown): number | null {
  const code = codeOf(thrown)
  return code === null ? null : code & 0xff
}

function codeOf(thrown: unknown): number | null {
  const { errcode } = (thrown ?? {}) as { errcode?: unknown }
  return typeof errcode === "number" ? errcode : null
}

/** Another connection holds the lock. Nothing has happened; a little later it may go well. */
export function isBusy(thrown: unknown): boolean {
  const primary = primaryOf(thrown)
  return primary === BUSY || primary === LOCKED
}

/** The disk, or the quota on it, has no room for what was to be written. */
export function isFull(thrown: unknown): boolean {
  return primaryOf(thrown) === FULL
}

/** Of SQLite's error, or of the one that was made of it. */
export function breaksConnection(thrown: unknown): boolean {
  const primary = primaryOf(thrown) ?? primaryOf((thrown as { cause?: unknown } | null)?.cause)
  return primary !== null && BREAKS.has(primary)
}

/**
 * What a failed statement means, by SQLite's result code. It is `refused`, for its transaction is rolled back; only a COMMIT that failed is
 * unknown. Answers of callers' code pass as they are.
 */
export function statementFailure(thrown: unknown, effect: "read" | "write", name: string): unknown {
  if (TrestleError.is(thrown) || thrown instanceof BrokenConstraint) return thrown
  if (thrown instanceof TooManyRows) return tooManyRows(thrown, effect, name)
  if (thrown instanceof NoStatement) return failure("request-not-mapped", effect, { note: `${name}: ${thrown.message}` })
  const driver = (thrown as { code?: string } | null)?.code
  if (driver === "ERR_OUT_OF_RANGE") return integerTooLarge(thrown, effect, name)
  const primary = primaryOf(thrown)
  // What the driver itself does not take, such as a value of another kind, is a mistake too.
  if (primary === null) return failure("request-not-mapped", effect, { cause: thrown, note: `${name}: ${messageOf(thrown)}` })
  const note = `${name}: ${messageOf(thrown)} (SQLite ${codeOf(thrown)})`
  const constraint = CONSTRAINTS[codeOf(thrown)!]
  if (constraint) return new BrokenConstraint(constraint, note, thrown)
  if (primary === READONLY && effect === "read")
    return failure("request-not-mapped", effect, {
      cause: thrown,
      note: `${note}: the operation says effect: "read", and its statement writes`,
    })
  return failure(reasonOf(primary), effect, { cause: thrown, note })
}

function reasonOf(primary: number): Reason {
  if (primary === BUSY || primary === LOCKED) return "busy"
  return MISTAKES.has(primary) ? "request-not-mapped" : "refused-by-service"
}

/** Whether the change has been kept is not known: the next connection will see. */
export function commitFailure(thrown: unknown, effect: "read" | "write", name: string): TrestleError {
  return failure("server-error", effect, { cause: thrown, note: `${name}: COMMIT failed: ${messageOf(thrown)} (SQLite ${codeOf(thrown)})` })
}

function tooManyRows(thrown: TooManyRows, effect: "read" | "write", name: string): TrestleError {
  const note = `${name}: ${thrown.message}; add a \`limit\`, or raise rowsMax of the service`
  return failure("answer-too-large", effect, { cause: thrown, note })
}

/** Rounding it would make another number of it. */
function integerTooLarge(thrown: unknown, effect: "read" | "write", name: string): TrestleError {
  const note = `${name}: an integer beyond 2^53 cannot be a number; select it as text: cast(column as text)`
  return failure("answer-unreadable", effect, { cause: thrown, note })
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}

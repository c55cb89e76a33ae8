import { failure } from "../../contract/failure.ts"
import { BrokenConstraint, type SqlConstraint } from "../../contract/sql-session.ts"
import type { Reason } from "../../errors/reasons.ts"
import { TrestleError } from "../../errors/trestle-error.ts"
import { LostConnection, TooManyBytes } from "./database.ts"
import { InexactColumn, NoStatement, TooManyRows } from "./question.ts"

type Effect = "read" | "write"

/** Codes that say which rule of a table would be broken. Source: postgresql.org/docs/current/errcodes-appendix.html */
const CONSTRAINTS: Readonly<Record<string, SqlConstraint>> = {
  "23001": "foreignKey", // restrict
  "23502": "notNull",
  "23503": "foreignKey",
  "23505": "unique",
  "23514": "check",
  "23P01": "unique", // exclusion
}

/** Another transaction was in the way; the next attempt begins anew and may go well. */
const BUSY = new Set(["40001", "40P01", "55P03", "55006"])
/** The server ends the connection, or does not take one yet. */
const AWAY = new Set(["57P01", "57P02", "57P03", "57P05"])
/** Classes that blame the server and not the statement: resources, an operator, its system, itself. */
const SERVER = new Set(["53", "57", "58", "XX"])
const READ_ONLY = "25006"

/** PostgreSQL's own code; `null` for what is none of its errors, such as the system's `EPIPE`. */
export function sqlState(thrown: unknown): string | null {
  const { code, severity } = (thrown ?? {}) as { code?: unknown; severity?: unknown }
  return typeof code === "string" && typeof severity === "string" ? code : null
}

/**
 * What a failed statement means, by PostgreSQL's code. It is `refused`: a read changes nothing, and a write is part of a transaction whose
 * COMMIT has not been sent. Answers of callers' code pass as they are.
 */
export function statementFailure(thrown: unknown, effect: Effect, name: string): unknown {
  if (TrestleError.is(thrown) || thrown instanceof BrokenConstraint) return thrown
  const own = ownFailure(thrown, effect, name)
  if (own !== null) return own
  const state = sqlState(thrown)
  // What the driver itself does not take is a mistake too.
  if (state === null) return connectionFailure(thrown, effect, name)
  const note = `${name}: ${messageOf(thrown)} (PostgreSQL ${state})`
  const constraint = CONSTRAINTS[state]
  if (constraint) return new BrokenConstraint(constraint, note, thrown)
  if (state === READ_ONLY && effect === "read")
    return failure("request-not-mapped", effect, {
      cause: thrown,
      note: `${note}: the operation says effect: "read", and its statement writes`,
    })
  return failure(reasonOf(state), effect, { cause: thrown, note })
}

function reasonOf(state: string): Reason {
  if (BUSY.has(state)) return "busy"
  if (AWAY.has(state) || state.startsWith("08")) return "not-connected"
  return SERVER.has(state.slice(0, 2)) || state === READ_ONLY ? "refused-by-service" : "request-not-mapped"
}

/** What is found here, and not by the server. */
function ownFailure(thrown: unknown, effect: Effect, name: string): TrestleError | null {
  if (thrown instanceof TooManyRows)
    return failure("answer-too-large", effect, {
      cause: thrown,
      note: `${name}: ${thrown.message}; add a \`limit\`, or raise rowsMax of the service`,
    })
  if (thrown instanceof TooManyBytes) return failure("answer-too-large", effect, { cause: thrown, note: `${name}: ${thrown.message}` })
  if (thrown instanceof InexactColumn) return failure("answer-unreadable", effect, { cause: thrown, note: `${name}: ${thrown.message}` })
  if (thrown instanceof NoStatement) return failure("request-not-mapped", effect, { cause: thrown, note: `${name}: ${thrown.message}` })
  return null
}

/** Why there is no connection: nobody is there, the server takes none, or it does not accept who we are. Nothing was asked of it. */
export function connectionFailure(thrown: unknown, effect: Effect, name: string): TrestleError {
  if (TrestleError.is(thrown)) return thrown
  const state = sqlState(thrown)
  if (state !== null && !AWAY.has(state))
    return failure("refused-by-service", effect, { cause: thrown, note: `${name}: ${messageOf(thrown)} (PostgreSQL ${state})` })
  const why = thrown instanceof LostConnection ? thrown.message : `cannot be reached: ${messageOf(thrown)}`
  return failure("not-connected", effect, { cause: thrown, note: `${name}: ${why}` })
}

/**
 * Whether the change has been kept after a COMMIT that failed. An error that the server names as such has rolled it back; a connection that
 * ends has taken the answer with it.
 */
export function isRolledBack(thrown: unknown): boolean {
  const state = sqlState(thrown)
  const { severity } = (thrown ?? {}) as { severity?: unknown }
  return state !== null && severity === "ERROR" && !state.startsWith("08") && state !== "40003"
}

export function commitFailure(thrown: unknown, effect: Effect, name: string): TrestleError {
  return failure("connection-lost", effect, { cause: thrown, note: `${name}: COMMIT got no answer: ${messageOf(thrown)}` })
}

export function messageOf(thrown: unknown): string {
  // With several addresses there are several errors; the first says as much as all.
  const first = thrown instanceof AggregateError && thrown.errors.length > 0 ? thrown.errors[0] : thrown
  if (!(first instanceof Error)) return String(first)
  return first.message || (first as { code?: string }).code || first.name
}

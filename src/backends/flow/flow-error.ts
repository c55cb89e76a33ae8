import type { NotKept } from "../../base/kept-value.ts"
import type { Site } from "../../contract/backend.ts"
import { TrestleError } from "../../errors/trestle-error.ts"

/** Only errors that the contract or the catalogue knows pass; whatever else the function throws is its own mistake. */
export function classified(thrown: unknown, site: Site): TrestleError {
  const isKnown = TrestleError.is(thrown) && !(thrown.code === "INVALID" && thrown.reason !== "answered")
  if (isKnown) return thrown
  const note = `flow ${site.operation}: its function threw${TrestleError.is(thrown) ? `: ${thrown.message}` : ""}`
  return new TrestleError("INTERNAL", undefined, { outcome: "refused", cause: thrown, note })
}

/** Everything has been taken back, so nothing has happened; a real answer stays one. */
export function asUndone(error: TrestleError): TrestleError {
  if (error.outcome !== "unknown") return error
  return new TrestleError("INTERNAL", undefined, { outcome: "refused", cause: error, note: `${error.note ?? error.code}; undone` })
}

/** An answer could not be given again to a resumed flow: only a change of the code makes it better. */
export function unkept(cause: NotKept, site: Site, outcome: "refused" | "unknown"): TrestleError {
  const note = `flow ${site.operation}: ${cause.message}, which cannot be kept; answer plain data, dates, maps, sets or bytes`
  return new TrestleError("INTERNAL", undefined, { outcome, cause, note })
}

/** Of what a flow's function must not do. */
export function misuse(what: string, { operation }: Site): TrestleError {
  return new TrestleError("INTERNAL", undefined, { outcome: "refused", note: `flow ${operation} ${what}` })
}

/** It is to be undone. */
export function overdue(): TrestleError {
  return new TrestleError("TIMEOUT", undefined, { reason: "timeout-unsent", note: "the flow's `within` is over" })
}

export function undoFailure(thrown: unknown, key: string, site: Site): TrestleError {
  const why = TrestleError.is(thrown) ? `${thrown.code}${thrown.note === undefined ? "" : `, ${thrown.note}`}` : "it threw"
  const note = `flow ${site.operation}: step ${key} could not be undone: ${why}`
  return new TrestleError("INTERNAL", undefined, { outcome: "unknown", cause: thrown, note })
}

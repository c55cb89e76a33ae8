import type { JournaledError } from "../../contract/journal.ts"
import { TrestleError } from "../../errors/trestle-error.ts"

export function journaled({ code, detail, status, outcome, note, reason }: TrestleError): JournaledError {
  return { code, detail, status, outcome, ...(note === undefined && reason === undefined ? {} : { note: note ?? reason! }) }
}

/** As it was thrown when it happened, but for its cause. */
export function revived({ code, detail, status, outcome, note }: JournaledError): TrestleError {
  const reason = outcome === "answered" ? ({ reason: "answered" } as const) : {}
  return new TrestleError(code, detail, { status, outcome, ...reason, ...(note === undefined ? {} : { note }) })
}

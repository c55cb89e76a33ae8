import type { RequestHead } from "../contract/principal.ts"
import type { TrestleError } from "../errors/trestle-error.ts"
import type { Fields, HttpEntry } from "./entry.ts"
import type { HttpParts } from "./http.ts"
import { sendProblem } from "./respond.ts"

/** Ends a request that never became a call; it is recorded all the same. */
export function refuse(parts: HttpParts, entry: HttpEntry, error: TrestleError, more?: Fields): void {
  note(parts, error, traceOf(entry.head.headers))
  sendProblem(error, entry, error.trace, more)
}

/** Records a request that never became a call. */
export function note(parts: HttpParts, error: TrestleError, given: string | undefined): void {
  const trace = given ?? parts.random.hex(16)
  error.trace = trace
  const { clock } = parts.engine
  const meta = { servedBy: "", attempts: 0, ms: 0, degraded: false, trace } as const
  parts.record({ operation: "-", entrance: "http", principal: null, meta, epoch: clock.epoch(), error, status: error.status, route: null })
}

/** The trace id of a `traceparent`, if it is one. Source: W3C Trace Context, version 00. */
export function traceOf({ traceparent }: RequestHead["headers"]): string | undefined {
  if (traceparent === undefined) return undefined
  const match = /^(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?$/.exec(traceparent)
  return match && !/^0+$/.test(match[1]!) ? match[1] : undefined
}

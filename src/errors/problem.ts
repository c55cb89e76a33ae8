import { isCatalogCode } from "./catalog.ts"
import type { Outcome } from "./reasons.ts"
import type { Issue, TrestleError } from "./trestle-error.ts"

export const PROBLEM_MEDIA_TYPE = "application/problem+json"

/** Source: RFC 9457, Problem Details for HTTP APIs. `trace` is the support id. */
export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly code: string
  readonly detail: string
  readonly outcome: Outcome
  readonly issues?: readonly Issue[]
  readonly retryAfterMs?: number
  /** Of `PENDING`: id of the work that goes on. */
  readonly work?: string
  readonly trace: string
}

/** What a caller may hear of an error: never its cause, note, reason or stack. */
export function problemOf(error: TrestleError): Problem {
  return {
    type: problemType(error.code),
    title: error.title,
    status: error.status,
    code: error.code,
    detail: error.detail,
    outcome: error.outcome,
    ...(error.issues.length > 0 ? { issues: error.issues } : {}),
    ...(error.retryAfterMs !== undefined ? { retryAfterMs: Math.ceil(error.retryAfterMs) } : {}),
    ...(error.work !== undefined ? { work: error.work } : {}),
    trace: error.trace,
  }
}

/** Declared codes belong to the application, which has no page for them: RFC 9457 then says `about:blank`. */
export function problemType(code: string): string {
  return isCatalogCode(code) ? `urn:trestle:error:${code.toLowerCase().replaceAll("_", "-")}` : "about:blank"
}

/** What is known of every error code: one table, from which the documents, the HTTP answers and the client's types come. */
export interface CatalogEntry {
  readonly status: number
  readonly title: string
  /** What a caller may hear when nothing safer to say is known. */
  readonly detail: string
}

/** Codes that any operation may answer with; callers see them in their types. */
export const COMMON = {
  PENDING: {
    status: 202,
    title: "Still under way",
    detail: "The work goes on and will be finished. Follow it at the address in Location.",
  },
  INVALID: { status: 400, title: "Invalid input", detail: "The input does not fit what this operation takes." },
  UNAUTHENTICATED: { status: 401, title: "Not authenticated", detail: "Send a valid credential." },
  FORBIDDEN: { status: 403, title: "Not allowed", detail: "The caller may not do this." },
  NOT_FOUND: { status: 404, title: "Not found", detail: "There is nothing here under this name." },
  CONFLICT: { status: 409, title: "Conflict", detail: "The request conflicts with the present state." },
  KEY_IN_USE: {
    status: 409,
    title: "Key in use",
    detail: "A call with the same idempotency key is still under way. Ask again with the same key in a moment.",
  },
  PRECONDITION_FAILED: {
    status: 412,
    title: "Changed meanwhile",
    detail: "The object is no longer of the version that the request expects. Read it again, then decide.",
  },
  TOO_LARGE: { status: 413, title: "Too large", detail: "The request is larger than this operation takes." },
  KEY_REUSED: {
    status: 422,
    title: "Key used before",
    detail: "This idempotency key belongs to a call with another input. Use a new key for a new intent.",
  },
  RATE_LIMITED: { status: 429, title: "Too many requests", detail: "Too many requests in a short time. Try again later." },
  CANCELLED: { status: 499, title: "Cancelled", detail: "The caller gave the call up." },
  INTERNAL: { status: 500, title: "Internal error", detail: "Something went wrong on our side." },
  OUTCOME_UNKNOWN: {
    status: 502,
    title: "Outcome unknown",
    detail:
      "The request was passed on, but no answer that can be trusted came back: it may or may not have been carried out. Check before you repeat it.",
  },
  UNAVAILABLE: { status: 503, title: "Unavailable", detail: "A system that this operation needs cannot answer now. Try again later." },
  TIMEOUT: { status: 504, title: "Timed out", detail: "The answer did not come in time." },
} as const satisfies Record<string, CatalogEntry>

/** Codes that only the HTTP entrance gives, before an operation is found. */
export const ENTRANCE = {
  METHOD_NOT_ALLOWED: { status: 405, title: "Method not allowed", detail: "This address does not answer to this method." },
  REQUEST_TIMEOUT: { status: 408, title: "Request too slow", detail: "The request did not arrive in time." },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, title: "Unsupported media type", detail: "Send the body as application/json." },
  HEADERS_TOO_LARGE: { status: 431, title: "Header fields too large", detail: "The request's header is larger than allowed." },
} as const satisfies Record<string, CatalogEntry>

/** Codes for whoever starts or runs the application; they never travel to a caller. */
export const OPERATOR = {
  FLOW_DRIFTED: {
    status: 500,
    title: "The flow's code has changed",
    detail: "What the flow has done so far does not fit its code any more. A person has to decide.",
  },
  START_REFUSED: { status: 500, title: "The application cannot start", detail: "See the findings." },
} as const satisfies Record<string, CatalogEntry>

/** Codes that every operation may answer with. */
export type Common = keyof typeof COMMON
export type CatalogCode = Common | keyof typeof ENTRANCE | keyof typeof OPERATOR

export const CATALOG: Readonly<Record<CatalogCode, CatalogEntry>> = { ...COMMON, ...ENTRANCE, ...OPERATOR }

export function isCatalogCode(code: string): code is CatalogCode {
  return Object.hasOwn(CATALOG, code)
}

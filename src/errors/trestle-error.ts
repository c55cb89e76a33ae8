import { CATALOG, type CatalogCode, isCatalogCode } from "./catalog.ts"
import { type Outcome, REASONS, type Reason } from "./reasons.ts"

/** One thing wrong with an input: where (`address.zip`, empty for the whole) and what; never the value itself. */
export interface Issue {
  readonly path: string
  readonly message: string
}

/** What is wrong, all in one line. For the operator. */
export function issuesText(issues: readonly Issue[]): string {
  return issues.map(({ path, message }) => `${path || "the whole"}: ${message}`).join("; ")
}

export interface ErrorOptions {
  /** HTTP status of a code that the operation's contract declares; catalogue codes bring their own. */
  readonly status?: number
  readonly issues?: readonly Issue[]
  /** Default: that of the reason, else `refused` (nothing was begun). */
  readonly outcome?: Outcome
  readonly reason?: Reason
  readonly retryAfterMs?: number
  /** For the operator only. */
  readonly cause?: unknown
  /** For the operator only: one sentence that names the service or place. */
  readonly note?: string
  /** Of `PENDING`: id of the work that goes on. */
  readonly work?: string
  /** What a refused start has found. */
  readonly findings?: readonly unknown[]
}

/** Survives two copies of the package in one process, where `instanceof` does not. */
const BRAND = Symbol.for("trestle.error")

/**
 * The one error class. `code` is stable and typed; `detail` and `issues` are safe to show to callers; `cause`, `note` and `reason`
 * are for the operator and never leave the process.
 */
export class TrestleError extends Error {
  override readonly name = "TrestleError"
  readonly code: string
  readonly status: number
  readonly title: string
  readonly detail: string
  readonly issues: readonly Issue[]
  readonly outcome: Outcome
  readonly reason: Reason | undefined
  readonly retryAfterMs: number | undefined
  readonly note: string | undefined
  readonly work: string | undefined
  /** Of `START_REFUSED`: every finding, each a `Finding`. */
  readonly findings: readonly unknown[]
  /** Support id; set when the error reaches the end of its call. */
  trace = ""

  constructor(code: string, detail?: string, options: ErrorOptions = {}) {
    const entry = isCatalogCode(code) ? CATALOG[code] : undefined
    const said = detail ?? entry?.detail ?? titleOf(code)
    super(
      options.note ? `${code}: ${said} [${options.note}]` : `${code}: ${said}`,
      options.cause === undefined ? undefined : { cause: options.cause },
    )
    this.code = code
    this.status = options.status ?? entry?.status ?? 500
    this.title = entry?.title ?? titleOf(code)
    this.detail = said
    this.issues = options.issues ?? []
    this.reason = options.reason
    this.outcome = options.outcome ?? (options.reason ? REASONS[options.reason].outcome : "refused")
    this.retryAfterMs = options.retryAfterMs
    this.note = options.note
    this.work = options.work
    this.findings = options.findings ?? []
    Object.defineProperty(this, BRAND, { value: true })
  }

  static is(error: unknown): error is TrestleError {
    return typeof error === "object" && error !== null && (error as Record<symbol, unknown>)[BRAND] === true
  }
}

/** `EMAIL_TAKEN` reads as "Email taken". */
function titleOf(code: string): string {
  const words = code.toLowerCase().replaceAll("_", " ")
  return words.charAt(0).toUpperCase() + words.slice(1)
}

/** Bad input: every issue at once. Nothing has happened. */
export function invalid(issues: readonly Issue[], detail?: string): TrestleError {
  return new TrestleError("INVALID", detail, { issues })
}

export function failWith(code: CatalogCode, options?: ErrorOptions): TrestleError {
  return new TrestleError(code, undefined, options)
}

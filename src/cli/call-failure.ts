import type { Finding } from "../contract/finding.ts"
import type { Outcome } from "../errors/reasons.ts"
import type { Issue } from "../errors/trestle-error.ts"
import { EXIT, type ExitCode } from "./exit.ts"
import { cliFinding } from "./findings.ts"

/** A failed call, here or at a server: what its caller may hear. */
export interface CallFailure {
  readonly code: string
  readonly detail: string
  readonly issues: readonly Issue[]
  readonly trace: string
  readonly outcome: Outcome
  readonly retryAfterMs?: number
}

const EXITS: Readonly<Record<string, ExitCode>> = {
  INVALID: EXIT.usage,
  TOO_LARGE: EXIT.usage,
  UNAUTHENTICATED: EXIT.refused,
  FORBIDDEN: EXIT.refused,
  UNAVAILABLE: EXIT.unreachable,
  TIMEOUT: EXIT.unreachable,
  OUTCOME_UNKNOWN: EXIT.unreachable,
}

/** An input that does not fit is wrong usage; whatever the operation itself answers, its own codes and `NOT_FOUND` alike, is 6. */
export function exitOf(code: string): ExitCode {
  return EXITS[code] ?? EXIT.failed
}

const FIXES: Readonly<Record<string, string>> = {
  INVALID: "Correct the input; `trestle openapi` prints what it must look like.",
  UNAUTHENTICATED: 'Say who calls: --key NAME_OF_VARIABLE with --url, or --as \'{"id":"ada","kind":"user"}\' without.',
  FORBIDDEN: "Call as somebody who may: the operation's `allow` says who.",
}

const OUTCOMES: Readonly<Record<Outcome, string>> = {
  answered: "",
  refused: "Nothing has happened.",
  unknown: "It may have happened all the same: check before you repeat it.",
}

export function findingOf(operation: string, failure: CallFailure): Finding {
  const { code, detail, issues, outcome, retryAfterMs, trace } = failure
  const fields = issues.map(({ path, message }) => `\n    ${path || "the whole input"}: ${message}`).join("")
  const retry = retryAfterMs === undefined ? "" : `Try again in ${Math.ceil(retryAfterMs / 1000)} s.`
  const fix = [FIXES[code], retry, OUTCOMES[outcome]].filter(Boolean).join(" ")
  const finding = cliFinding("TRS3006", `${operation} failed with ${code}: ${detail}${fields}`, fix, {
    at: trace ? `trace ${trace}` : operation,
  })
  // The sentence says it all; why a call can fail is no news.
  return { ...finding, why: "" }
}

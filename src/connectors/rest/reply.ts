import { readJson } from "../../base/json.ts"
import { answered, type FailureOptions, failure } from "../../contract/failure.ts"
import type { WireReply } from "../../contract/ports.ts"
import type { Std } from "../../contract/schema.ts"
import { issueOf, type SchemaIssue } from "../../contract/shape.ts"
import { issuesText, type TrestleError } from "../../errors/trestle-error.ts"

/** Deeper than what callers may send: services are trusted a little more, and never without bound. */
export const ANSWER_DEPTH_MAX = 128
const ISSUES_SHOWN_MAX = 5
const NOT_OURS = "it does not accept our credentials"

export interface ReplyRules {
  readonly service: string
  readonly effect: "read" | "write"
  /** Status → declared or common code. */
  readonly errors: Readonly<Record<number, string>>
  readonly declared: Readonly<Record<string, number>>
  /** Statuses with which this service says that nothing has happened. */
  readonly refuses: readonly number[]
  /** A 412 is about the version that our caller expects; otherwise it is our own mistake. */
  readonly comparesVersion?: boolean
  readonly epoch: () => number
}

type ReplyHead = Pick<WireReply, "status" | "headers">

/** The error that a reply stands for, or `null` when it is a success. */
export function errorOf(reply: ReplyHead, rules: ReplyRules): TrestleError | null {
  const { status } = reply
  if (status >= 200 && status < 300) return null
  const options: FailureOptions = { note: `${rules.service}: HTTP ${status}`, ...retryAfter(reply, rules.epoch()) }
  const code = rules.errors[status]
  if (code !== undefined) return answered(code, rules.declared, undefined, options)
  if (status === 429) return failure("rate-limited", rules.effect, options)
  if (status === 425) return failure("too-early", rules.effect, options)
  if (rules.refuses.includes(status)) return failure("refused-by-service", rules.effect, options)
  if (status === 408 || status >= 500) return failure("server-error", rules.effect, options)
  if (status < 400) return failure("answer-unreadable", rules.effect, options)
  return clientError(status, options, rules)
}

/** A 4xx is an answer. Only "not found" and "conflict" mean the same to our caller as to us; the others are a mistake of ours. */
function clientError(status: number, options: FailureOptions, rules: ReplyRules): TrestleError {
  if (status === 404 || status === 410) return answered("NOT_FOUND", rules.declared, undefined, options)
  if (status === 412 && rules.comparesVersion) return answered("PRECONDITION_FAILED", rules.declared, undefined, options)
  if (status === 409) return answered("CONFLICT", rules.declared, undefined, options)
  if (status === 401) return failure("credential-rejected", rules.effect, { ...options, note: `${options.note}: ${NOT_OURS}` })
  const note = `${options.note}: ${status === 403 ? NOT_OURS : "it does not accept our request"}`
  return answered("INTERNAL", {}, undefined, { ...options, note })
}

/** The value in a reply's body; `undefined` for an empty one. */
export function answerIn(reply: WireReply, rules: ReplyRules): unknown {
  if (reply.status === 204 || reply.body === "") return undefined
  refuseCompressed(reply, rules)
  const read = readJson(reply.body, ANSWER_DEPTH_MAX)
  if ("refused" in read) throw unreadable(rules, read.message)
  return read.value
}

export function refuseCompressed({ headers }: ReplyHead, rules: ReplyRules): void {
  const encoding = headers["content-encoding"]
  if (encoding !== undefined && encoding !== "identity") throw unreadable(rules, "it is compressed, which was not asked for")
}

export function unreadable(rules: ReplyRules, why: string): TrestleError {
  return failure("answer-unreadable", rules.effect, { note: `${rules.service}: the answer cannot be read: ${why}` })
}

/** Their answer is not what `response` says of it: where and what; never their values, which the log must not hold. */
export function drifted(issues: readonly SchemaIssue[], response: Std, { service, effect }: ReplyRules, what: string): TrestleError {
  const shown = issues.slice(0, ISSUES_SHOWN_MAX).map((issue) => issueOf(issue, response["~standard"].vendor))
  return failure("answer-misfit", effect, { note: `${service}: ${what} has drifted from \`response\`: ${issuesText(shown)}` })
}

/** Seconds or an HTTP date. Source: RFC 9110, section 10.2.3. */
function retryAfter(reply: ReplyHead, epoch: number): { retryAfterMs?: number } {
  const field = reply.headers["retry-after"]
  const text = Array.isArray(field) ? field[0] : field
  if (text === undefined) return {}
  if (/^\d+$/.test(text)) return { retryAfterMs: Number(text) * 1_000 }
  const date = Date.parse(text)
  return Number.isNaN(date) ? {} : { retryAfterMs: Math.max(0, date - epoch) }
}

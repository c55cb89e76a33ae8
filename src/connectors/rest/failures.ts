import type { KnownFailure } from "../../contract/backend.ts"
import { failure } from "../../contract/failure.ts"
import type { WireReply } from "../../contract/ports.ts"
import type { Reason } from "../../errors/reasons.ts"
import { errorOf, type ReplyRules } from "./reply.ts"

/** One of each kind that `errorOf` tells apart; those that a declaration names come on top. */
const STATUSES = [401, 404, 409, 422, 429, 500, 503]

/** What can go wrong at the network and in the reply, besides the time, with the errors that an exchange makes of it. */
const UNREPLIED: readonly { readonly name: string; readonly reason: Reason; readonly isSent: boolean }[] = [
  { name: "cannot be reached", reason: "not-connected", isSent: false },
  { name: "drops the connection", reason: "connection-lost", isSent: true },
]
const USELESS = { name: "answers with what cannot be read", reason: "answer-unreadable", isSent: true } as const

/** The ways in which a REST service can fail one of its calls. */
export function restFailures(rules: ReplyRules): KnownFailure[] {
  const of = ({ name, reason, isSent }: (typeof UNREPLIED)[number]): KnownFailure => ({
    name,
    isSent,
    error: () => failure(reason, rules.effect, { note: `${rules.service} ${name}` }),
  })
  return [...UNREPLIED.map(of), ...statusesOf(rules).map((status) => saying(status, rules)), of(USELESS)]
}

function statusesOf({ errors, refuses }: ReplyRules): number[] {
  const declared = [...Object.keys(errors).map(Number), ...refuses]
  return [...new Set([...STATUSES, ...declared])].filter((status) => status >= 300).sort((a, b) => a - b)
}

function saying(status: number, rules: ReplyRules): KnownFailure {
  const reply: WireReply = { status, headers: {}, body: "" }
  return { name: `says ${status}`, isSent: true, error: () => errorOf(reply, rules)! }
}

import { failure } from "../../contract/failure.ts"
import type { WireListener, WireReply, WireRequest, WireStream, WireStreamListener } from "../../contract/ports.ts"
import type { Attempt } from "../../contract/service.ts"
import { TrestleError } from "../../errors/trestle-error.ts"
import type { RestConnection } from "./connection.ts"
import type { ReplyRules } from "./reply.ts"
import { AnswerTooLarge } from "./transport.ts"

/** One request and its reply; the error, where there is none, says whether a byte may have left. */
export function exchanged(connection: RestConnection, wire: WireRequest, attempt: Attempt, rules: ReplyRules): Promise<WireReply> {
  return new Promise((resolve, reject) => {
    attempt.stoppable = connection.transport.send(wire, new ReplyListener(attempt, rules, resolve, reject))
  })
}

/** One request and the head of its reply; the body is still to come. */
export function opened(connection: RestConnection, wire: WireRequest, attempt: Attempt, rules: ReplyRules): Promise<WireStream> {
  return new Promise((resolve, reject) => {
    attempt.stoppable = connection.transport.open(wire, new StreamListener(attempt, rules, resolve, reject))
  })
}

/**
 * A class, not a literal: V8 may come to place literals that live as long as a request in its old space, where each keeps all that it
 * refers to, the whole call, alive until the next full collection. That was measured at a sixth of the CPU time of a request.
 */
class Listener<R> {
  protected readonly resolve: (reply: R) => void
  readonly #reject: (error: Error) => void
  readonly #attempt: Attempt
  readonly #rules: ReplyRules

  constructor(attempt: Attempt, rules: ReplyRules, resolve: (reply: R) => void, reject: (error: Error) => void) {
    this.resolve = resolve
    this.#reject = reject
    this.#attempt = attempt
    this.#rules = rules
  }

  sent(): void {
    this.#attempt.isSent = true
  }

  failed(cause: unknown): void {
    this.#reject(lost(cause, this.#attempt.isSent, this.#rules))
  }
}

class ReplyListener extends Listener<WireReply> implements WireListener {
  replied(reply: WireReply): void {
    this.resolve(reply)
  }
}

class StreamListener extends Listener<WireStream> implements WireStreamListener {
  opened(reply: WireStream): void {
    this.resolve(reply)
  }
}

function lost(cause: unknown, isSent: boolean, rules: ReplyRules): Error {
  const { service, effect } = rules
  if (TrestleError.is(cause)) return ofOurs(cause, isSent, rules)
  if (cause instanceof AnswerTooLarge) return failure("answer-too-large", effect, { cause, note: `${service}: ${cause.message}` })
  const code = (cause as { code?: string } | null)?.code ?? "no code"
  return isSent
    ? failure("connection-lost", effect, { cause, note: `${service}: connection lost (${code})` })
    : failure("not-connected", effect, { cause, note: `${service}: cannot be reached (${code})` })
}

/** The body that we were sending has failed: our caller hears why. What has left was no whole request, and may have had its effect. */
function ofOurs(cause: TrestleError, isSent: boolean, { service, effect }: ReplyRules): TrestleError {
  if (!isSent || effect === "read") return cause
  const { code, status, detail, issues } = cause
  const note = `${service}: the request ended within its body: ${cause.note ?? code}`
  return new TrestleError(code, detail, { status, issues, outcome: "unknown", cause, note })
}

const DISCARDED_BYTES_MAX = 65_536

/** Reads a short body that nobody wants, so that its connection can be used again; a long one closes it. */
export function discard({ body }: WireReply | WireStream): void {
  if (typeof body === "string") return
  const read = async (): Promise<void> => {
    let bytes = 0
    for await (const chunk of body) {
      bytes += chunk.length
      if (bytes > DISCARDED_BYTES_MAX) return
    }
  }
  read().catch(() => {})
}

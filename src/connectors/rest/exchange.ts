import { hash } from "node:crypto"
import type { Answer, Site } from "../../contract/backend.ts"
import type { CallContext } from "../../contract/call.ts"
import { failure } from "../../contract/failure.ts"
import type { WireListener, WireReply, WireRequest } from "../../contract/ports.ts"
import type { Attempt, Exchange, Service } from "../../contract/service.ts"
import { issueOf, type SchemaIssue } from "../../contract/shape.ts"
import { TrestleError } from "../../errors/trestle-error.ts"
import type { RestConnection } from "./connection.ts"
import type { CallSpec } from "./index.ts"
import { answerIn, errorOf, type ReplyRules } from "./reply.ts"
import { bodyOf, headersOf, type RouteTemplate, targetOf } from "./request.ts"
import { AnswerTooLarge } from "./transport.ts"

type Spec = CallSpec<any, any, any, string>

/** One encoded request, the same bytes for every attempt, with the input that it was made from. A class for `Listener`'s reason. */
class Prepared implements WireRequest {
  readonly input: unknown
  readonly method: string
  readonly path: string
  readonly headers: Record<string, string>
  readonly body: string | null
  readonly answerBytesMax: number

  constructor(
    input: unknown,
    route: RouteTemplate,
    path: string,
    headers: Record<string, string>,
    body: string | null,
    answerBytesMax: number,
  ) {
    this.input = input
    this.method = route.method
    this.path = path
    this.headers = headers
    this.body = body
    this.answerBytesMax = answerBytesMax
  }
}

/** Puts one declared call on an opened connection, inside its policies. */
export function bindRestCall(
  service: Service,
  limits: { answerBytesMax: number; refuses: readonly number[] },
  route: RouteTemplate,
  spec: Spec,
  site: Site,
): Answer {
  const connection = site.connection(service) as RestConnection
  const rules: ReplyRules = {
    service: service.name,
    effect: site.effect,
    errors: spec.errors ?? {},
    declared: site.errors,
    refuses: limits.refuses,
    epoch: connection.epoch,
  }
  const repeat = spec.repeat ?? (route.method === "POST" || route.method === "PATCH" ? "none" : "natural")
  const lookup = spec.lookup ? site.bind(spec.lookup) : null
  const understand = readerOf(spec, rules, site)

  const exchange: Exchange = {
    prepare(input, call): Prepared {
      const path = connection.prefix + targetOf(route, spec, input)
      const body = bodyOf(route, spec, input)
      const headers = headersOf(spec, input, call, body !== null)
      if (typeof repeat === "object") headers[repeat.key.toLowerCase()] = keyFor(call, service)
      connection.prove(headers)
      return new Prepared(input, route, path, headers, body, limits.answerBytesMax)
    },
    async send(request, attempt) {
      const prepared = request as Prepared
      const { input } = prepared
      const reply = await exchanged(connection, prepared, attempt, rules)
      if (reply.status === 409 && attempt.followsUnknown) {
        const note = `${service.name}: HTTP 409 after an attempt whose outcome is unknown; it may be in conflict with itself`
        throw failure("own-conflict", site.effect, { note })
      }
      const error = errorOf(reply, rules)
      if (error) throw error
      return understand(reply, input, attempt.call)
    },
  }
  const answer = site.guard(service, exchange, { policy: spec.policy, mayRepeatUnknown: repeat !== "none" })
  return lookup === null ? answer : lookedUp(answer, lookup)
}

/**
 * A conflict with ourselves is looked up, outside the write's own attempt: a lookup inside it would wait for a second place in the same
 * bulkhead, and go on after the attempt's time. One that fails, or finds nothing, says nothing of the write: it may have been made.
 */
function lookedUp(answer: Answer, lookup: Answer): Answer {
  return async (input: unknown, call: CallContext): Promise<unknown> => {
    try {
      return await answer(input, call)
    } catch (error) {
      if (!TrestleError.is(error) || error.reason !== "own-conflict" || call.stopped) throw error
      try {
        return await lookup(input, call)
      } catch (cause) {
        throw failure("own-conflict", call.effect, { cause, note: `${error.note}, and its lookup failed` })
      }
    }
  }
}

/** One request and its reply; the error, where there is none, says whether a byte may have left. */
function exchanged(connection: RestConnection, wire: WireRequest, attempt: Attempt, rules: ReplyRules): Promise<WireReply> {
  return new Promise((resolve, reject) => {
    attempt.stoppable = connection.transport.send(wire, new Listener(attempt, rules, resolve, reject))
  })
}

/**
 * A class, not a literal: V8 may come to place literals that live as long as a request in its old space, where each keeps all that it
 * refers to, the whole call, alive until the next full collection. That was measured at a sixth of the CPU time of a request.
 */
class Listener implements WireListener {
  readonly #attempt: Attempt
  readonly #rules: ReplyRules
  readonly replied: (reply: WireReply) => void
  readonly #reject: (error: Error) => void

  constructor(attempt: Attempt, rules: ReplyRules, resolve: (reply: WireReply) => void, reject: (error: Error) => void) {
    this.#attempt = attempt
    this.#rules = rules
    this.replied = resolve
    this.#reject = reject
  }

  sent(): void {
    this.#attempt.isSent = true
  }

  failed(cause: unknown): void {
    this.#reject(lost(cause, this.#attempt.isSent, this.#rules))
  }
}

function lost(cause: unknown, isSent: boolean, rules: ReplyRules): Error {
  const { service, effect } = rules
  if (cause instanceof AnswerTooLarge) return failure("answer-too-large", effect, { cause, note: `${service}: ${cause.message}` })
  const code = (cause as { code?: string } | null)?.code ?? "no code"
  return isSent
    ? failure("connection-lost", effect, { cause, note: `${service}: connection lost (${code})` })
    : failure("not-connected", effect, { cause, note: `${service}: cannot be reached (${code})` })
}

/** Reply → their value → checked by `response` → mapped → checked by the contract. */
function readerOf(spec: Spec, rules: ReplyRules, site: Site): (reply: WireReply, input: unknown, call: CallContext) => unknown {
  const { service, effect } = rules
  const map = (theirs: unknown, input: unknown, call: CallContext): unknown => {
    let ours: unknown
    try {
      ours = spec.map ? spec.map(theirs, input) : theirs
    } catch (cause) {
      throw failure("answer-not-mapped", effect, { cause, note: `${service}: map threw on its answer` })
    }
    return site.accept(ours, call, service)
  }
  const response = spec.response?.["~standard"]
  if (!response) return (reply, input, call) => map(answerIn(reply, rules), input, call)
  return async (reply, input, call) => {
    const checked = await response.validate(answerIn(reply, rules))
    if (!checked.issues) return map(checked.value, input, call)
    throw failure("answer-misfit", effect, {
      note: `${service}: its answer has drifted from \`response\`: ${described(checked.issues, response.vendor)}`,
    })
  }
}

/** Where and what; never their values, which the log must not hold. */
function described(issues: readonly SchemaIssue[], vendor: string): string {
  const shown = issues.slice(0, 5).map((issue) => issueOf(issue, vendor))
  return shown.map(({ path, message }) => `${path || "the whole"}: ${message}`).join("; ")
}

/** One key per call and service, the same over all attempts, so that the service can tell a repeat from a second intent. */
function keyFor(call: CallContext, service: Service): string {
  return hash("sha256", `${call.idempotencyKey()}\n${call.operation}\n${service.name}`, "base64url").slice(0, 32)
}

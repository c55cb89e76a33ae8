import { hash } from "node:crypto"
import type { Answer, Site } from "../../contract/backend.ts"
import type { CallContext } from "../../contract/call.ts"
import { failure } from "../../contract/failure.ts"
import { whoIs } from "../../contract/intent.ts"
import type { WireRequest } from "../../contract/ports.ts"
import type { Exchange, Repeat, Service } from "../../contract/service.ts"
import { TrestleError } from "../../errors/trestle-error.ts"
import type { Upload } from "./body.ts"
import { addConditions, addExpectation, isUnchanged, validatorOf, versionIn } from "./conditional.ts"
import type { RestConnection } from "./connection.ts"
import type { CallSpec } from "./index.ts"
import { discard, exchanged, opened } from "./listeners.ts"
import { readerOf } from "./reader.ts"
import { errorOf, type ReplyRules } from "./reply.ts"
import { contentOf, headersOf, type RouteTemplate, targetOf } from "./request.ts"
import { Uploading } from "./uploading.ts"

type Spec = CallSpec<any, any, any, string>

/** One encoded request, the same bytes for every attempt, with the input that it was made from. A class for `Listener`'s reason. */
class Prepared implements WireRequest {
  readonly input: unknown
  readonly method: string
  readonly path: string
  readonly headers: Record<string, string>
  readonly body: string | null
  readonly answerBytesMax: number
  /** A body that is read while it is sent, in the place of `body`. */
  readonly upload: Upload | null

  constructor(
    input: unknown,
    route: RouteTemplate,
    path: string,
    headers: Record<string, string>,
    content: string | Upload | null,
    answerBytesMax: number,
  ) {
    this.input = input
    this.method = route.method
    this.path = path
    this.headers = headers
    const isUpload = typeof content === "object" && content !== null
    this.body = isUpload ? null : content
    this.upload = isUpload ? content : null
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
    comparesVersion: spec.versions === true,
    epoch: connection.epoch,
  }
  const repeat = repeatOf(route, spec)
  const asked = `${site.origin} ${route.method} ${route.parts.filter((_, i) => i % 2 === 0).join("{}")}`
  const lookup = spec.lookup ? site.bind(spec.lookup) : null
  const read = readerOf(spec, rules, site)
  const isOpened = spec.answer !== undefined && spec.answer.kind !== "text"
  const ask = isOpened ? opened : exchanged

  const exchange: Exchange = {
    prepare(input, call): Prepared {
      const path = connection.prefix + targetOf(route, spec, input)
      const content = contentOf(route, spec, input)
      if (typeof content === "object" && content?.isSpent) {
        throw failure("body-spent", site.effect, { note: `${service.name}: its file has been read by an earlier attempt at another` })
      }
      const headers = headersOf(spec, input, call, content)
      if (typeof repeat === "object") headers[repeat.key.toLowerCase()] = keyFor(call, service, asked)
      if (call.revalidation !== null && route.method === "GET") addConditions(headers, call.revalidation, exchange)
      if (spec.versions) addExpectation(headers, call.ifMatch)
      connection.prove(headers)
      return new Prepared(input, route, path, headers, content, limits.answerBytesMax)
    },
    canRepeat: (request) => (request as Prepared).upload?.isSpent !== true,
    async send(request, attempt) {
      const prepared = request as Prepared
      const { input } = prepared
      const { upload } = prepared
      const timed = connection.timed(prepared, attempt, isOpened || upload !== null)
      const wire = upload === null ? timed : new Uploading(timed, upload, attempt)
      const reply = await ask(connection, wire, attempt, rules)
      const isConflict = reply.status === 409 || (reply.status === 412 && spec.versions === true)
      if (isConflict && attempt.followsUnknown) {
        const note = `${service.name}: HTTP ${reply.status} after an attempt whose outcome is unknown; it may be in conflict with itself`
        throw failure("own-conflict", site.effect, { note })
      }
      const { revalidation } = attempt.call
      if (isUnchanged(reply.status, revalidation, exchange)) {
        discard(reply)
        attempt.call.noteServedBy(service.name)
        return revalidation?.kept
      }
      const error = errorOf(reply, rules)
      if (error) {
        discard(reply)
        throw error
      }
      if (spec.versions) noteVersion(attempt.call, versionIn(reply))
      if (revalidation === null) return read(reply as never, input, attempt)
      const answer = await read(reply as never, input, attempt)
      revalidation.note(validatorOf(reply, exchange))
      return answer
    },
  }
  const answer = site.guard(service, exchange, { policy: spec.policy, mayRepeatUnknown: repeat !== "none" })
  return lookup === null ? answer : lookedUp(answer, lookup)
}

/** What the service promises of a repeat; HTTP itself says so where the declaration does not. Source: RFC 9110, section 9.2.2. */
export function repeatOf({ method }: RouteTemplate, { repeat }: Pick<Spec, "repeat">): Repeat {
  return repeat ?? (method === "POST" || method === "PATCH" ? "none" : "natural")
}

function noteVersion(call: CallContext, version: string | null): void {
  if (version !== null) call.noteEtag(version)
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

/**
 * One key per call and declared request, the same over all attempts, so that the service can tell a repeat from a second intent. The caller
 * is in it: to the service we are one client, and two of our callers may well choose the same key.
 */
function keyFor(call: CallContext, service: Service, asked: string): string {
  const parts = [call.idempotencyKey(), service.name, asked, whoIs(call.principal)]
  return hash("sha256", JSON.stringify(parts), "base64url").slice(0, 32)
}

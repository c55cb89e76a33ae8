import { readJson } from "../base/json.ts"
import type { DeadlineField } from "../contract/deadline-field.ts"
import type { Operation } from "../contract/operation.ts"
import type { RequestHead } from "../contract/principal.ts"
import { type Issue, invalid, TrestleError } from "../errors/trestle-error.ts"
import type { Call } from "../runtime/call.ts"
import type { Stage, StageMakers } from "../runtime/stages.ts"
import { isStreamed } from "../runtime/streamed.ts"
import { hasBody, refuseCodings } from "./body-head.ts"
import { versionOf } from "./etag.ts"
import { refuseBadKey } from "./idempotency-key.ts"
import type { MaySeeMeta } from "./respond.ts"
import { encodeStream } from "./stream-stages.ts"
import { admitUpload, afterUpload, decodeUpload, readUpload } from "./upload-stages.ts"

export interface HttpLimits {
  /** Largest request body, in bytes. */
  readonly bodyBytesMax: number
  /** In which field callers may shorten the deadline. Its name is in lower case. */
  readonly callerDeadline: DeadlineField | undefined
}

/** The stages that know HTTP: what is admitted, how the body is read and decoded, how the answer is written. */
export function httpStages(limits: HttpLimits, maySeeMeta: MaySeeMeta): StageMakers {
  return {
    admit: ({ input, repeat }) => {
      if (input.file) return admitUpload(input.file)
      return repeat === "key" ? (call) => admitKeyed(call, limits) : (call) => admit(call.entry!.head, takesBody(call), limits)
    },
    read: ({ input }) => (input.file ? readUpload(input.file) : read),
    decode: (operation) => (operation.input.file ? decodeUpload(operation) : decoder(operation)),
    encode: (operation) => {
      const encode = isStreamed(operation) ? encodeStream(operation, maySeeMeta) : encoder(operation)
      return operation.input.file && !isStreamed(operation) ? afterUpload(encode, operation.input.file) : encode
    },
  }
}

function takesBody(call: Call): boolean {
  const { method } = call.entry!.head
  return method === "POST" || method === "PUT" || method === "PATCH"
}

function admitKeyed(call: Call, limits: HttpLimits): void {
  refuseBadKey(call)
  admit(call.entry!.head, takesBody(call), limits)
}

/** Refuses by the head alone what could never be taken; the body has not been read. */
function admit(head: RequestHead, takesBody: boolean, limits: HttpLimits): void {
  const { headers } = head
  const length = headers["content-length"]
  if (!hasBody(headers)) return
  if (!takesBody) throw invalid([], `${head.method} takes no body here.`)
  if (length !== undefined && Number(length) > limits.bodyBytesMax) {
    throw new TrestleError("TOO_LARGE", `The body may have ${limits.bodyBytesMax} bytes at most.`)
  }
  refuseCodings(headers)
  if (!isJson(headers["content-type"])) throw new TrestleError("UNSUPPORTED_MEDIA_TYPE")
}

function isJson(type: string | undefined): boolean {
  if (type === undefined) return false
  if (type === "application/json") return true
  return /^application\/(?:json|[\w.-]+\+json)\s*(?:;\s*charset="?utf-?8"?\s*)?$/i.test(type)
}

const read: Stage = (call) => {
  if (!takesBody(call) || !hasBody(call.entry!.head.headers)) {
    call.input = ""
    return undefined
  }
  return call.entry!.read().then((text) => {
    call.input = text
  })
}

/** Makes the input: the body as it is for rpc; path over query or body for the operation's own route. */
function decoder(operation: Operation): Stage {
  const isObject = operation.input.json.type !== "null" && operation.input.json.type !== "array"
  const empty = (): unknown => (isObject ? {} : undefined)
  return (call) => {
    const { kind, params, query } = call.entry!
    const text = call.input as string
    const body = text === "" ? undefined : parsed(text)
    if (kind === "rpc") call.input = text === "" ? empty() : body
    else if (takesBody(call)) call.input = withParams(text === "" ? empty() : body, params, query, operation)
    else call.input = fromAddress(params, query, operation)
  }
}

function parsed(text: string): unknown {
  const reading = readJson(text)
  if ("refused" in reading) throw invalid([{ path: "", message: reading.message }], "The body is not JSON that is taken here.")
  return reading.value
}

/** Path wins over body; a copy in the body that differs is refused, for it would be checked as one object and used as another. */
function withParams(
  body: unknown,
  params: Readonly<Record<string, string>>,
  query: Readonly<Record<string, unknown>>,
  operation: Operation,
): unknown {
  const issues: Issue[] = Object.keys(query).map((name) => ({
    path: name,
    message: "fields in the query are not taken here; put them in the body",
  }))
  const names = operation.route!.params
  if (names.length > 0 && (typeof body !== "object" || body === null || Array.isArray(body)))
    issues.push({ path: "", message: "the body must be a JSON object" })
  if (issues.length > 0) throw invalid(issues)
  if (names.length === 0) return body
  const fromPath = operation.input.coerce({ ...params })
  const fields = body as Record<string, unknown>
  for (const name of names) {
    const isOther = Object.hasOwn(fields, name) && fields[name] !== fromPath[name]
    if (isOther) issues.push({ path: name, message: "differs from the value in the path" })
  }
  if (issues.length > 0) throw invalid(issues)
  return { ...fields, ...fromPath }
}

function fromAddress(params: Readonly<Record<string, string>>, query: Readonly<Record<string, unknown>>, operation: Operation): unknown {
  if (operation.input.json.type === "null") {
    const issues = Object.keys(query).map((name) => ({ path: name, message: "unknown field" }))
    if (issues.length > 0) throw invalid(issues)
    return undefined
  }
  const issues = operation
    .route!.params.filter((name) => Object.hasOwn(query, name))
    .map((name) => ({ path: name, message: "is in the path; do not repeat it in the query" }))
  if (issues.length > 0) throw invalid(issues)
  return operation.input.coerce({ ...query, ...params })
}

function encoder({ isSilent, declaration }: Operation): Stage | null {
  if (isSilent) return null
  return declaration.contract.etag === true ? encodeVersioned : encode
}

const encodeVersioned: Stage = (call) => {
  call.encoded = JSON.stringify(call.output)
  // A version that the backend has named says more: it can be asked for in If-Match.
  if (call.etag === null) call.noteEtag(versionOf(call.encoded))
}

const encode: Stage = (call) => {
  call.encoded = JSON.stringify(call.output)
}

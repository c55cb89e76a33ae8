import { fileNameIn } from "../base/content-disposition.ts"
import { readJson } from "../base/json.ts"
import type { FileRules } from "../contract/file.ts"
import { Body, isOfType, tooLarge, UNKNOWN_TYPE } from "../contract/file-body.ts"
import type { Operation } from "../contract/operation.ts"
import type { Entry } from "../contract/ports.ts"
import type { RequestHead } from "../contract/principal.ts"
import { invalid, TrestleError } from "../errors/trestle-error.ts"
import type { Stage } from "../runtime/stages.ts"
import { hasBody, refuseCodings } from "./body-head.ts"
import { FORM_BYTES_MAX, type Received, receiveForm } from "./multipart.ts"

const FORM = /^multipart\/form-data\b/i

/** Refuses by the head alone a file that could never be taken. */
export function admitUpload({ bytesMax, types }: FileRules): Stage {
  return (call) => {
    const { headers } = call.entry!.head
    refuseCodings(headers)
    const isForm = FORM.test(headers["content-type"] ?? "")
    if (Number(headers["content-length"] ?? 0) > bytesMax + (isForm ? FORM_BYTES_MAX : 0)) throw tooLarge(bytesMax)
    if (!isForm && isThere(headers)) refuseType(headers["content-type"] ?? UNKNOWN_TYPE, types)
  }
}

function refuseType(type: string, types: readonly string[]): void {
  if (!isOfType(type, types)) throw new TrestleError("UNSUPPORTED_MEDIA_TYPE", `Send a file of type ${types.join(" or ")}.`)
}

/** An empty file is one too, if it says that it is. */
function isThere(headers: RequestHead["headers"]): boolean {
  return hasBody(headers) || (headers["content-length"] === "0" && headers["content-type"] !== undefined)
}

/** A form is read up to its file; a file that is the whole body is not touched. */
export function readUpload({ types }: FileRules): Stage {
  return (call) => {
    const entry = call.entry!
    const { headers } = entry.head
    if (!FORM.test(headers["content-type"] ?? "")) {
      call.input = { fields: {}, file: isThere(headers) ? wholeBody(entry) : null } satisfies Received
      return undefined
    }
    return receiveForm(entry).then((received) => {
      if (received.file) refuseType(received.file.type, types)
      call.input = received
    })
  }
}

function wholeBody(entry: Entry): Body {
  const { headers } = entry.head
  const length = headers["content-length"]
  const about = {
    name: fileNameIn(headers["content-disposition"]),
    type: headers["content-type"] ?? UNKNOWN_TYPE,
    size: length === undefined ? null : Number(length),
  }
  return new Body(about, () => entry.chunks())
}

/** Fields from path, query and form, each in one place only; through rpc from `?input=`, as JSON. */
export function decodeUpload(operation: Operation): Stage {
  return (call) => {
    const { kind, params, query } = call.entry!
    const { fields, file } = call.input as Received
    const given = kind === "rpc" && query.input !== undefined ? rpcInput(query) : together(operation.route!.params, params, query, fields)
    if (Object.hasOwn(given, "file")) throw invalid([{ path: "file", message: "must be sent as the body, or as a file in a form" }])
    call.input = { ...given, ...(file ? { file } : {}) }
    if (kind === "http" || query.input === undefined) operation.input.coerce(call.input as Record<string, unknown>)
  }
}

function rpcInput(query: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const reading = readJson(String(query.input))
  const value = "value" in reading ? reading.value : null
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  throw invalid([{ path: "", message: "the query's `input` must be a JSON object" }])
}

function together(
  names: readonly string[],
  params: Readonly<Record<string, string>>,
  query: Readonly<Record<string, unknown>>,
  form: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const twice = [
    ...[...Object.keys(query), ...Object.keys(form)].filter((name) => names.includes(name)).map((name) => [name, "is in the path"]),
    ...Object.keys(form)
      .filter((name) => Object.hasOwn(query, name))
      .map((name) => [name, "is in the query"]),
  ]
  if (twice.length > 0) throw invalid(twice.map(([path, message]) => ({ path: path!, message: `${message}; do not repeat it` })))
  const own = Object.fromEntries(names.map((name) => [name, params[name]]))
  return { ...query, ...form, ...own }
}

/** Before the answer the whole request is read: many clients hear nothing while they send. */
export function afterUpload(encode: Stage | null, { bytesMax }: FileRules): Stage {
  return (call) => call.entry!.skip(bytesMax + FORM_BYTES_MAX).then(() => encode?.(call))
}

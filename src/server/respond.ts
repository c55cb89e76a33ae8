import { PROBLEM_MEDIA_TYPE, problemOf } from "../errors/problem.ts"
import type { TrestleError } from "../errors/trestle-error.ts"
import type { Call } from "../runtime/call.ts"
import type { Fields, HttpEntry } from "./entry.ts"
import { isEntityTag, isHeld } from "./etag.ts"
import { workAddress } from "./work-address.ts"

/** Decides whether a caller may see who served it and in how many attempts. */
export type MaySeeMeta = (call: Call) => boolean

const JSON_MEDIA_TYPE = "application/json; charset=utf-8"

/** Writes a call's end to the wire. Sets the status on the call, for its record. */
export function respond(call: Call, status: number, entry: HttpEntry, maySeeMeta: MaySeeMeta): void {
  const { error } = call
  if (entry.sending !== null) {
    if (error) entry.sending.fail(error)
    return
  }
  if (error) {
    call.httpStatus = error.status
    return sendProblem(error, entry, call.trace, error.work === undefined ? {} : workFields(error.work, call, entry))
  }
  if (call.work !== null) return sendProvisional(call, call.work, entry, headFields(call, maySeeMeta))
  call.httpStatus = status
  const isEmpty = status === 204 || call.encoded === ""
  const fields = headFields(call, maySeeMeta)
  if (call.etag !== null && isVersioned(call, entry, fields)) {
    call.httpStatus = 304
    return entry.send(304, fields, "")
  }
  if (!isEmpty) fields["content-type"] = JSON_MEDIA_TYPE
  entry.send(status, fields, isEmpty ? "" : call.encoded)
}

/** The answer is there, and the work behind it goes on. Source: RFC 9110, section 15.3.3. */
function sendProvisional(call: Call, work: string, entry: HttpEntry, fields: Record<string, string>): void {
  call.httpStatus = 202
  const isEmpty = call.encoded === ""
  if (!isEmpty) fields["content-type"] = JSON_MEDIA_TYPE
  entry.send(202, { ...fields, ...workFields(work, call, entry) }, call.encoded)
}

/** Where the end of the work can be heard of. Source: RFC 7240, section 4.1. */
function workFields(work: string, { patienceMs }: Call, entry: HttpEntry): Fields {
  const applied = patienceMs === undefined ? {} : { "preference-applied": "respond-async" }
  return { location: workAddress(entry.prefix, work), ...applied }
}

/** Of every success. */
export function headFields(call: Call, maySeeMeta: MaySeeMeta): Record<string, string> {
  return {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "x-request-id": call.trace,
    "trestle-meta": metaOf(call, maySeeMeta),
  }
}

/** What an answer depends on beside its address: a client that acts for two must not take one's answer for the other's. */
const VARY = "authorization, cookie, x-api-key"

/** Names the answer's version; `true` when the client holds it already, so that nothing more has to be sent. */
function isVersioned(call: Call, entry: HttpEntry, fields: Record<string, string>): boolean {
  const { etag } = call.meta
  if (etag === undefined || !isEntityTag(etag)) return false
  fields.etag = etag
  const { method, headers } = entry.head
  // Of the others no client keeps an answer.
  if (method !== "GET" && method !== "HEAD") return false
  if (call.keepsVersions) {
    fields["cache-control"] = "private, no-cache"
    fields.vary = VARY
  }
  const held = headers["if-none-match"]
  return held !== undefined && isHeld(held, etag)
}

/** Everybody may know that an answer is not the first choice's, and of which version it is; only some may know the inside of the house. */
function metaOf(call: Call, maySeeMeta: MaySeeMeta): string {
  const { meta } = call
  if (!maySeeMeta(call)) {
    const version = meta.etag === undefined ? "" : `,"etag":${asciiJson(meta.etag)}`
    const work = call.work === null ? "" : `,"work":"${call.work}"`
    return `{"trace":"${call.trace}","degraded":${meta.degraded !== false}${version}${work}}`
  }
  return asciiJson({ ...meta, ms: Math.round(meta.ms * 100) / 100 })
}

/** Header fields carry ASCII; a reason may well hold other letters. */
function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(/[\u007f-\uffff]/g, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`)
}

export function sendProblem(error: TrestleError, entry: HttpEntry, trace: string, more: Fields = {}): void {
  if (error.trace === "") error.trace = trace
  const headers = {
    ...problemHeaders(trace),
    ...(error.status === 401 ? { "www-authenticate": "Bearer" } : {}),
    ...(error.retryAfterMs === undefined ? {} : { "retry-after": String(Math.max(1, Math.ceil(error.retryAfterMs / 1_000))) }),
    ...more,
  }
  entry.send(error.status, headers, JSON.stringify(problemOf(error)))
}

export function problemHeaders(trace: string): Record<string, string> {
  return {
    // Fastify would add the same to a text; said here, it is in the answers that Fastify does not write.
    "content-type": `${PROBLEM_MEDIA_TYPE}; charset=utf-8`,
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "x-request-id": trace,
  }
}

import type { FastifyReply } from "fastify"
import { PROBLEM_MEDIA_TYPE, problemOf } from "../errors/problem.ts"
import type { TrestleError } from "../errors/trestle-error.ts"
import type { Call } from "../runtime/call.ts"

/** Decides whether a caller may see who served it and in how many attempts. */
export type MaySeeMeta = (call: Call) => boolean

const JSON_MEDIA_TYPE = "application/json; charset=utf-8"

/** Writes a call's end to the wire. Sets the status on the call, for its record. */
export function respond(call: Call, status: number, reply: FastifyReply, maySeeMeta: MaySeeMeta): void {
  const { error } = call
  if (error) {
    call.httpStatus = error.status
    return sendProblem(error, reply, call.trace)
  }
  call.httpStatus = status
  reply.code(status).headers({
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "x-request-id": call.trace,
    "trestle-meta": metaOf(call, maySeeMeta),
  })
  if (status === 204 || call.encoded === "") reply.send()
  else reply.header("content-type", JSON_MEDIA_TYPE).send(call.encoded)
}

/** Everybody may know that an answer is not the first choice's; only some may know the inside of the house. */
function metaOf(call: Call, maySeeMeta: MaySeeMeta): string {
  const { meta } = call
  if (!maySeeMeta(call)) return `{"trace":"${call.trace}","degraded":${meta.degraded !== false}}`
  return asciiJson({ ...meta, ms: Math.round(meta.ms * 100) / 100 })
}

/** Header fields carry ASCII; a reason may well hold other letters. */
function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(/[\u007f-\uffff]/g, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`)
}

export function sendProblem(error: TrestleError, reply: FastifyReply, trace: string, more: Readonly<Record<string, string>> = {}): void {
  if (error.trace === "") error.trace = trace
  reply.code(error.status).headers({
    "content-type": PROBLEM_MEDIA_TYPE,
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "x-request-id": trace,
    ...(error.status === 401 ? { "www-authenticate": "Bearer" } : {}),
    ...(error.retryAfterMs === undefined ? {} : { "retry-after": String(Math.max(1, Math.ceil(error.retryAfterMs / 1_000))) }),
    // The rest of a refused body would otherwise be taken for the next request, or have to be read to its end.
    ...(error.status === 408 || error.status === 413 ? { connection: "close" } : {}),
    ...more,
  })
  reply.send(JSON.stringify(problemOf(error)))
}

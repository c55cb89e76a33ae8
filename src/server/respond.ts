import type { IncomingMessage } from "node:http"
import { Socket } from "node:net"
import type { FastifyReply } from "fastify"
import { PROBLEM_MEDIA_TYPE, problemOf } from "../errors/problem.ts"
import type { TrestleError } from "../errors/trestle-error.ts"
import type { Call } from "../runtime/call.ts"
import { hasBody } from "./http-stages.ts"

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
  endSlowReading(reply)
}

/** A client that takes nothing for twice this long does not want its answer: Node forgives the first time. */
const TAKE_MS_MAX = 6_000

/** What the system took at once needs no watching. Node ends the connection, and sets its own time again after the answer. */
function endSlowReading(reply: FastifyReply): void {
  const { socket } = reply.raw
  if (socket instanceof Socket && socket.writableLength > 0) socket.setTimeout(TAKE_MS_MAX)
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
  const headers = {
    ...problemHeaders(trace),
    ...(error.status === 401 ? { "www-authenticate": "Bearer" } : {}),
    ...(error.retryAfterMs === undefined ? {} : { "retry-after": String(Math.max(1, Math.ceil(error.retryAfterMs / 1_000))) }),
    ...more,
  }
  const body = JSON.stringify(problemOf(error))
  if (isUnread(reply.request.raw)) answerUnread(reply, error.status, headers, body)
  else reply.code(error.status).headers(headers).send(body)
}

export function problemHeaders(trace: string): Record<string, string> {
  return {
    "content-type": PROBLEM_MEDIA_TYPE,
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "x-request-id": trace,
  }
}

/** How long, and how much of, the rest of a refused body is thrown away before the connection ends. */
export const LINGER_MS = 1_000
const LINGER_BYTES = 1_048_576

/** Whether more of the body may come. Behind `fetch` there is no connection that it could spoil. */
function isUnread(request: IncomingMessage): boolean {
  return hasBody(request.headers) && !request.complete && !request.destroyed && request.socket instanceof Socket
}

/**
 * Answers at once and ends the connection, for the rest of the body would have to be read to its end to find the next request. Ends it a
 * little later: closing on bytes that have not been read resets the connection, and the client may lose the answer.
 */
function answerUnread(reply: FastifyReply, status: number, headers: Readonly<Record<string, string>>, body: string): void {
  reply.hijack()
  const { raw } = reply
  raw.writeHead(status, { ...headers, "content-length": Buffer.byteLength(body), connection: "close" })
  if (reply.request.method !== "HEAD") raw.write(body)
  const end = (): void => {
    clearTimeout(timer)
    raw.end()
  }
  const timer = setTimeout(end, LINGER_MS)
  const request = reply.request.raw
  let left = LINGER_BYTES
  request.on("data", (chunk: Buffer) => {
    left -= chunk.length
    if (left < 0) request.pause()
  })
  request.once("end", end).once("close", end)
}

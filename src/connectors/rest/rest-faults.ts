import type { ServerResponse } from "node:http"
import type { Fault } from "../../contract/stand-in.ts"
import type { HealthyReply } from "./rehearsed.ts"

/** What a fault has to work with: the answer to give, and the one that would be well. */
interface Scene {
  readonly response: ServerResponse
  readonly reply: HealthyReply
  /** Gives the good answer after half of the time that an attempt has. */
  well(): void
}

export interface RestFault extends Fault {
  /** Nobody listens. */
  readonly isRefusal?: true
  /** What it answers with, where that is all that it does. */
  readonly status?: number
  readonly answer?: (scene: Scene) => void
}

/** The ways in which a REST service can fail a call, as bytes on a socket. */
export const REST_FAULTS: readonly RestFault[] = [
  { name: "refuses connections", isRefusal: true },
  { name: "resets the connection", canPass: true, answer: ({ response }) => response.socket?.resetAndDestroy() },
  { name: "is slow", isMild: true, answer: ({ well }) => well() },
  { name: "hangs", answer: () => {} },
  { name: "says 500", status: 500 },
  { name: "says 503", status: 503 },
  { name: "says 429", status: 429 },
  { name: "rejects our credential", canPass: true, status: 401 },
  { name: "answers another shape", answer: ({ response }) => whole(response, "application/json", '"another shape"') },
  { name: "answers a web page", answer: ({ response }) => whole(response, "text/html", "<!doctype html><title>Gateway</title>") },
  { name: "truncates its answer", answer: ({ response, reply }) => whole(response, reply.type, halfOf(reply)) },
  { name: "leaves in mid-answer", answer: leave },
]

/** Statuses with which every service says that it has done nothing. */
const HARMLESS = [401, 429]

/** Whether the service that fails so cannot have done what was asked of it. */
export function isHarmless({ status }: RestFault, refuses: readonly number[]): boolean {
  return status !== undefined && (HARMLESS.includes(status) || refuses.includes(status))
}

export function answerBadly({ status, answer }: RestFault, scene: Scene): void {
  if (status !== undefined) whole(scene.response, "application/json", JSON.stringify({ error: status }), status)
  else answer?.(scene)
}

function whole(response: ServerResponse, type: string, body: string, status = 200): void {
  response.writeHead(status, { "content-type": type, "content-length": Buffer.byteLength(body) }).end(body)
}

/** Promises the whole answer, sends a half of it, and is gone. */
function leave({ response, reply }: Scene): void {
  const half = halfOf(reply)
  response.writeHead(200, { "content-type": reply.type, "content-length": Buffer.byteLength(half) + 16 })
  response.write(half, () => response.socket?.destroy())
}

function halfOf({ body }: HealthyReply): string {
  return body.length < 2 ? "{" : body.slice(0, Math.ceil(body.length / 2))
}

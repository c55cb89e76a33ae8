import type { IncomingMessage, ServerResponse } from "node:http"
import { Socket } from "node:net"
import { hasBody } from "./body-head.ts"
import type { Fields } from "./entry.ts"

/** How long, and how much of, the rest of a refused body is thrown away before the connection ends. */
export const LINGER_MS = 1_000
const LINGER_BYTES = 1_048_576

/** Whether more of the body may come on a connection that it would block; HTTP/2 ends the one stream by itself. */
export function isUnread(request: IncomingMessage): boolean {
  return (
    request.httpVersionMajor === 1 &&
    hasBody(request.headers) &&
    !request.complete &&
    !request.destroyed &&
    request.socket instanceof Socket
  )
}

interface Answer {
  readonly status: number
  readonly fields: Fields
  readonly body: string
}

/**
 * Answers at once and ends the connection, for the rest of the body would have to be read to its end to find the next request. Ends it a
 * little later: closing on bytes that have not been read resets the connection, and the client may lose the answer.
 */
export function answerUnread(request: IncomingMessage, response: ServerResponse, { status, fields, body }: Answer): void {
  response.writeHead(status, { ...fields, "content-length": Buffer.byteLength(body), connection: "close" })
  if (request.method !== "HEAD") response.write(body)
  const end = (): void => {
    clearTimeout(timer)
    response.end()
  }
  const timer = setTimeout(end, LINGER_MS)
  let left = LINGER_BYTES
  request.on("data", (chunk: Buffer) => {
    left -= chunk.length
    if (left < 0) request.pause()
  })
  request.once("end", end).once("close", end)
}

import type { ServerResponse } from "node:http"
import type { Socket } from "node:net"
import { problemOf } from "../errors/problem.ts"
import { failWith, invalid, type TrestleError } from "../errors/trestle-error.ts"
import { problemHeaders } from "./respond.ts"
import { LINGER_MS } from "./unread.ts"

/** Node's own link from a connection to the answer that it is for now. */
type Answering = Socket & { readonly _httpMessage?: ServerResponse | null }

/**
 * Answers what is no HTTP request, on the bare socket, and closes it.
 *
 * @param note Gets what was answered, before it is.
 */
export function answerMalformed(error: Error & { code?: string }, socket: Socket, note: (refusal: TrestleError) => void): void {
  if (error.code === "ECONNRESET" || socket.destroyed) {
    socket.destroy()
    return
  }
  if (socket.writableEnded) return
  const answering = (socket as Answering)._httpMessage
  // Its refusal has been written already; this is the rest of its body.
  if (answering?.headersSent) return endGently(socket, "")
  // Sent behind a request that is still being answered: another answer now would be taken for that one's.
  if (answering?.req.complete) {
    answering.shouldKeepAlive = false
    return
  }
  const refusal = refusalOf(error.code)
  note(refusal)
  endGently(socket, answerOf(refusal))
}

function answerOf(refusal: TrestleError): string {
  const body = JSON.stringify(problemOf(refusal))
  const headers = { ...problemHeaders(refusal.trace), "content-length": Buffer.byteLength(body), connection: "close" }
  const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${refusal.status} ${refusal.title}\r\n${fields.join("")}\r\n${body}`
}

/** What still comes is thrown away for a while: closing on unread bytes resets the connection, and the answer is lost. */
function endGently(socket: Socket, text: string): void {
  const timer = setTimeout(() => socket.destroy(), LINGER_MS)
  socket.once("close", () => clearTimeout(timer))
  socket.end(text)
}

function refusalOf(code: string | undefined): TrestleError {
  if (code === "HPE_HEADER_OVERFLOW") return failWith("HEADERS_TOO_LARGE")
  if (code === "HPE_CHUNK_EXTENSIONS_OVERFLOW") return failWith("TOO_LARGE")
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") return failWith("REQUEST_TIMEOUT")
  return invalid([], "This is not a well-formed HTTP request.")
}

import type { Socket } from "node:net"
import { PROBLEM_MEDIA_TYPE, problemOf } from "../errors/problem.ts"
import { failWith, invalid, type TrestleError } from "../errors/trestle-error.ts"

/** Answers what is no HTTP request, on the bare socket, and closes it. */
export function answerMalformed(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy()
    return
  }
  const refusal = refusalOf(error.code)
  const body = JSON.stringify(problemOf(refusal))
  const head = [
    `HTTP/1.1 ${refusal.status} ${refusal.title}`,
    `content-type: ${PROBLEM_MEDIA_TYPE}`,
    `content-length: ${Buffer.byteLength(body)}`,
    "connection: close",
  ]
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`, () => socket.destroy())
}

function refusalOf(code: string | undefined): TrestleError {
  if (code === "HPE_HEADER_OVERFLOW") return failWith("HEADERS_TOO_LARGE")
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") return failWith("REQUEST_TIMEOUT")
  return invalid([], "This is not a well-formed HTTP request.")
}

/** The HTTP service behind every subject: raw sockets, because it shares a core with the load generator. */
import { createServer, type Server, type Socket } from "node:net"

/** Answers a request from its head, as the bytes of a whole HTTP response. */
export type Answer = (requestLine: string) => string

export function startFastUpstream(answer: Answer): Promise<{ server: Server; port: number }> {
  const server = createServer({ noDelay: true }, (socket) => serve(socket, answer))
  return new Promise((resolve) =>
    server.listen(0, "127.0.0.1", () => resolve({ server, port: (server.address() as { port: number }).port })),
  )
}

function serve(socket: Socket, answer: Answer): void {
  let pending = ""
  socket.on("error", () => socket.destroy())
  socket.on("data", (chunk) => {
    pending += chunk.toString("latin1")
    for (let end = requestEnd(pending); end > 0; end = requestEnd(pending)) {
      socket.write(answer(pending.slice(0, pending.indexOf("\r\n"))), "latin1")
      pending = pending.slice(end)
    }
  })
}

/** Length of the first complete request in the text, or -1. */
function requestEnd(text: string): number {
  const head = text.indexOf("\r\n\r\n")
  if (head < 0) return -1
  if (text.startsWith("GET ")) return head + 4
  const length = /\r\ncontent-length: *(\d+)/i.exec(text)
  if (length) return text.length >= head + 4 + Number(length[1]) ? head + 4 + Number(length[1]) : -1
  const last = text.indexOf("\r\n0\r\n\r\n", head)
  return last < 0 ? -1 : last + 7
}

export function jsonResponse(status: string, body: string): string {
  return `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`
}

/** Closed-loop load over keep-alive connections on raw sockets; cheap enough to out-run any subject from one core. */
import { connect, type Socket } from "node:net"

export interface Counts {
  completed: number
  failed: number
}

export interface Load {
  counts: Counts
  stop(): void
}

/** Each connection sends one request, waits for its whole answer, sends the next. Anything but 2xx counts as failed. */
export function startLoad(port: number, requests: readonly string[], connections: number): Load {
  const counts = { completed: 0, failed: 0 }
  const buffers = requests.map((request) => Buffer.from(request, "latin1"))
  const caller = { running: true, port, buffers, counts }
  const sockets = Array.from({ length: connections }, (_, at) => openCaller(caller, at))
  return {
    counts,
    stop() {
      caller.running = false
      for (const socket of sockets) socket.destroy()
    },
  }
}

interface Caller {
  running: boolean
  port: number
  buffers: Buffer[]
  counts: Counts
}

function openCaller(caller: Caller, first: number): Socket {
  let next = first
  let kept: Buffer | null = null
  const send = () => socket.write(caller.buffers[next++ % caller.buffers.length]!)
  const onAnswer = (length: number, bytes: Uint8Array): boolean => {
    const fresh = bytes as Buffer
    const answer: Buffer = kept ? Buffer.concat([kept, fresh.subarray(0, length)]) : fresh.subarray(0, length)
    if (!isComplete(answer)) {
      kept = Buffer.from(answer) // the read buffer is used again
      return true
    }
    kept = null
    caller.counts.completed++
    if (answer[9] !== 0x32) caller.counts.failed++ // "HTTP/1.1 2xx"
    if (caller.running) send()
    return true
  }
  const onread = { buffer: Buffer.allocUnsafe(65_536), callback: onAnswer }
  const socket: Socket = connect({ port: caller.port, host: "127.0.0.1", noDelay: true, onread }, send)
  const onLost = () => {
    if (caller.running) caller.counts.failed++
  }
  socket.on("error", onLost).on("end", onLost)
  return socket
}

function isComplete(answer: Buffer): boolean {
  const head = answer.indexOf("\r\n\r\n", 0, "latin1")
  if (head < 0) return false
  const length = /\r\ncontent-length: *(\d+)/i.exec(answer.toString("latin1", 0, head + 2))
  if (length) return answer.length >= head + 4 + Number(length[1])
  return answer.toString("latin1", answer.length - 5) === "0\r\n\r\n" // chunked
}

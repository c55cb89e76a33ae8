import type { Socket } from "node:net"
import type { Behaviour } from "./receiver.ts"

const head = (status: number, fields: Readonly<Record<string, string | number>>): string =>
  `HTTP/1.1 ${status} Whatever\r\n${Object.entries(fields)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join("")}\r\n`

/** A whole answer of JSON. */
export function replies(status: number, body: unknown = {}, fields: Readonly<Record<string, string | number>> = {}): Behaviour {
  const text = Buffer.from(typeof body === "string" ? body : JSON.stringify(body))
  return sends(head(status, { "content-type": "application/json", "content-length": text.length, ...fields }), text)
}

/** These bytes, whatever they are. */
export function sends(...bytes: readonly (string | Buffer)[]): Behaviour {
  return (socket) => {
    for (const part of bytes) socket.write(part)
  }
}

/** The request is read, and nothing comes back. */
export const silence: Behaviour = () => undefined

/** The connection is torn down by a reset. */
export const resets: Behaviour = (socket) => {
  socket.resetAndDestroy()
}

/** The connection ends in order, without an answer. */
export const hangsUp: Behaviour = (socket) => {
  socket.end()
}

/** These bytes, then the end of the connection. */
export function breaksOff(...bytes: readonly (string | Buffer)[]): Behaviour {
  return (socket) => {
    for (const part of bytes) socket.write(part)
    socket.end()
  }
}

/** A text that comes a byte at a time, so slowly that nobody should wait for its end. */
export function drips(before: string, slow: string): Behaviour {
  return (socket) => {
    socket.write(before)
    let at = 0
    const timer = setInterval(() => socket.write(slow[at++ % slow.length]!), 20)
    socket.once("close", () => clearInterval(timer))
  }
}

/** A head, then blocks as fast as they are taken, up to so many bytes. */
export function pours(start: string, block: Buffer, bytesMax = Infinity): Behaviour {
  return (socket) => {
    let bytes = 0
    socket.write(start)
    const pour = (): void => {
      while (!socket.destroyed && bytes < bytesMax) {
        bytes += block.length
        if (!socket.write(block)) return void socket.once("drain", pour)
      }
    }
    pour()
  }
}

/** The first so many requests meet one behaviour, the others the next one. */
export function first(times: number, one: Behaviour, then: Behaviour): Behaviour {
  let seen = 0
  return (socket: Socket, arrival) => (seen++ < times ? one : then)(socket, arrival)
}

export { head }

import type { Socket } from "node:net"

export const GIB: number = 2 ** 30
const BLOCK = Buffer.alloc(65_536, "a")

/** Writes until the other side has had enough; counts the bytes. */
export function flood(limit: number, chunked: boolean, count: { bytes: number } = { bytes: 0 }): (socket: Socket) => void {
  const block = chunked ? Buffer.concat([Buffer.from(`${BLOCK.length.toString(16)}\r\n`), BLOCK, Buffer.from("\r\n")]) : BLOCK
  return (socket) => {
    const more = (): void => {
      while (!socket.destroyed && count.bytes < limit) {
        count.bytes += block.length
        if (!socket.write(block)) return
      }
    }
    socket.on("drain", more)
    more()
  }
}

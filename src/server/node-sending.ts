import { once } from "node:events"
import type { ServerResponse } from "node:http"
import { Socket } from "node:net"
import type { ChunkedAnswer, Sending } from "../contract/ports.ts"
import type { TrestleError } from "../errors/trestle-error.ts"
import { gone, TAKE_MS_MAX } from "./entry.ts"

/** An answer that is written as it comes, no faster than its client takes it. */
export class NodeSending implements Sending {
  bytes = 0
  readonly over: Promise<void>
  readonly #response: ServerResponse
  readonly #answer: ChunkedAnswer
  #isStopped = false

  constructor(response: ServerResponse, answer: ChunkedAnswer) {
    this.#response = response
    this.#answer = answer
    this.over = this.#send()
  }

  stop(): void {
    this.#isStopped = true
    this.#answer.chunks.return?.().catch(() => {})
  }

  /** A half-sent answer must not look like a whole one: HTTP/1.1 misses its last chunk or bytes, anybody else a reset connection. */
  fail(error: TrestleError): void {
    const response = this.#response
    if (response.writableEnded || response.destroyed) return
    const last = this.#answer.failed?.(error)
    if (last !== undefined) return void response.end(last)
    const { socket } = response
    if (!(socket instanceof Socket)) response.destroy()
    else if (response.req.httpVersion !== "1.1") socket.resetAndDestroy()
    else {
      // What was sent before is still good; a client that does not take it is not waited for.
      socket.setTimeout(TAKE_MS_MAX)
      // Since Node 26 what was written in this turn is with the socket only in the next.
      setImmediate(() => socket.destroySoon())
    }
  }

  async #send(): Promise<void> {
    const response = this.#response
    const { status, headers, chunks } = this.#answer
    try {
      if (response.destroyed) throw gone()
      response.writeHead(status, headers)
      if (response.req.method !== "HEAD") await this.#write()
    } finally {
      // Of what was not asked for to its end.
      chunks.return?.().catch(() => {})
    }
    if (this.#isStopped) return
    response.end()
    if (!response.writableFinished) await Promise.race([once(response, "finish"), once(response, "close")])
    if (!response.writableFinished) throw gone()
    leaveIfClosing(response.socket)
  }

  async #write(): Promise<void> {
    const response = this.#response
    const { chunks } = this.#answer
    for (let next = await chunks.next(); !next.done && !this.#isStopped; next = await chunks.next()) {
      if (response.destroyed) throw gone()
      this.bytes += typeof next.value === "string" ? Buffer.byteLength(next.value) : next.value.length
      if (!response.write(next.value)) await drained(response)
    }
  }
}

/** A client that takes nothing in this time, and that time again, has its connection ended. */
async function drained(response: ServerResponse): Promise<void> {
  const { socket } = response
  const isOurs = socket instanceof Socket
  if (isOurs) socket.setTimeout(TAKE_MS_MAX)
  await new Promise<void>((resolve) => {
    const wake = (): void => {
      response.off("drain", wake).off("close", wake)
      resolve()
    }
    response.on("drain", wake).on("close", wake)
  })
  if (isOurs) socket.setTimeout(0)
  if (response.destroyed) throw gone()
}

/** A server that closes waits for connections; this one has nothing more to carry. */
function leaveIfClosing(socket: (Socket & { readonly server?: { readonly listening: boolean } }) | null): void {
  if (socket?.server?.listening === false) socket.destroySoon()
}

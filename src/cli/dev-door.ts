import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net"

/** What is said to a connection while no version of the application can answer. */
const BROKEN_BODY = JSON.stringify({
  type: "about:blank",
  title: "The application does not start",
  status: 503,
  detail: "Its last change has a mistake: see the terminal of trestle dev.",
})
const BROKEN = `HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/problem+json\r\ncontent-length: ${BROKEN_BODY.length}\r\nconnection: close\r\n\r\n${BROKEN_BODY}`

/**
 * The port of `trestle dev`, which stays open whatever becomes of the application behind it: connections are passed on to the version
 * that is up, wait while there is none yet, and hear why while there can be none. Bytes go through as they are.
 */
export class Door {
  readonly #server: Server
  readonly #open = new Set<Socket>()
  readonly #waiting = new Set<Socket>()
  #target: number | null = null
  #isBroken = false

  constructor() {
    this.#server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) => this.#enter(client))
  }

  listen(port: number, host: string): Promise<AddressInfo> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject)
      this.#server.listen(port, host, () => resolve(this.#server.address() as AddressInfo))
    })
  }

  /** Everybody who waits, and who comes from now on, goes to this port of this machine. */
  lead(port: number): void {
    this.#target = port
    this.#isBroken = false
    for (const client of this.#waiting) this.#pass(client)
    this.#waiting.clear()
  }

  /** Nobody is there for now, but soon: who comes waits. */
  hold(): void {
    this.#target = null
    this.#isBroken = false
  }

  /** Nobody is there before the next change. */
  refuse(): void {
    this.#target = null
    this.#isBroken = true
    for (const client of this.#waiting) client.end(BROKEN)
    this.#waiting.clear()
  }

  /** Takes nobody new; resolves when the last connection has ended. */
  close(): Promise<void> {
    for (const client of this.#waiting) client.destroy()
    return new Promise((resolve) => this.#server.close(() => resolve()))
  }

  /** Ends every connection. */
  slam(): void {
    for (const client of this.#open) client.destroy()
  }

  #enter(client: Socket): void {
    this.#open.add(client)
    client.on("error", () => client.destroy())
    client.on("close", () => {
      this.#open.delete(client)
      this.#waiting.delete(client)
    })
    if (this.#target !== null) this.#pass(client)
    else if (this.#isBroken) client.end(BROKEN)
    else this.#waiting.add(client)
  }

  #pass(client: Socket): void {
    const port = this.#target!
    const behind = connect({ port, host: "127.0.0.1", allowHalfOpen: true })
    behind.once("connect", () => {
      client.pipe(behind)
      behind.pipe(client)
      client.once("close", () => behind.destroy())
      behind.once("close", () => client.destroySoon())
    })
    // Nothing of the request has been read yet: it can still go to the next version.
    behind.on("error", () => {
      if (!behind.connecting && behind.bytesWritten > 0) client.destroy()
      else this.#again(client, port)
    })
  }

  #again(client: Socket, failed: number): void {
    if (client.destroyed) return
    if (this.#target !== null && this.#target !== failed) this.#pass(client)
    else if (this.#isBroken) client.end(BROKEN)
    else this.#waiting.add(client)
  }
}

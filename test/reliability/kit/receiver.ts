import { once } from "node:events"
import { type AddressInfo, createServer, type Server, type Socket } from "node:net"
import { createServer as createTlsServer, type TlsOptions } from "node:tls"

/** One whole request as it came off the wire. */
export interface Arrival {
  readonly method: string
  readonly path: string
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** What becomes of one request; it may write, wait, close or do nothing. */
export type Behaviour = (socket: Socket, arrival: Arrival) => void

/** Longest wait for something that must come by itself. */
const PATIENCE_MS = 5_000

/**
 * A service on a real socket that counts what arrives, and then does as it was told. It reads bytes, not HTTP of a library: a request that
 * is sent twice is seen twice, whoever sent it, and what it writes may be as wrong as a test wants it.
 */
export class Receiver {
  behaviour: Behaviour
  /** Whole requests, in the order in which they came. */
  readonly arrivals: Arrival[] = []
  /** Connections ever made. */
  connected = 0
  /** For those who change its certificate. */
  readonly server: Server
  #port = 0
  readonly #open = new Set<Socket>()
  readonly #watchers = new Set<() => void>()

  private constructor(server: Server, behaviour: Behaviour) {
    this.server = server
    this.behaviour = behaviour
  }

  /** @param tls makes it an HTTPS service */
  static async open(behaviour: Behaviour, tls?: TlsOptions): Promise<Receiver> {
    const server = tls ? createTlsServer(tls) : createServer()
    const receiver = new Receiver(server, behaviour)
    server.on(tls ? "secureConnection" : "connection", (socket: Socket) => receiver.#take(socket))
    // A client that does not like our certificate.
    server.on("tlsClientError", () => undefined)
    await receiver.up()
    return receiver
  }

  get port(): number {
    return this.#port
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  /** Connections that are open. */
  get open(): number {
    return this.#open.size
  }

  /** Resolves when it holds; rejects after five seconds. */
  until(holds: () => boolean, complaint: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (settle: () => void): void => {
        this.#watchers.delete(look)
        clearTimeout(timer)
        settle()
      }
      const look = (): void => {
        if (holds()) end(resolve)
      }
      const timer = setTimeout(() => end(() => reject(new Error(complaint))), PATIENCE_MS)
      this.#watchers.add(look)
      look()
    })
  }

  /** Takes connections, at the same place as before. */
  async up(): Promise<void> {
    this.server.listen(this.#port, "127.0.0.1")
    await once(this.server, "listening")
    this.#port = (this.server.address() as AddressInfo).port
  }

  /** Refuses connections and closes those that are open. */
  async close(): Promise<void> {
    if (!this.server.listening) return
    const closed = once(this.server, "close")
    this.server.close()
    for (const socket of this.#open) socket.destroy()
    await closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #take(socket: Socket): void {
    this.connected++
    // What is written in parts leaves at once; nobody waits for the system to put them together.
    socket.setNoDelay()
    this.#open.add(socket)
    this.#changed()
    let bytes: Buffer = Buffer.alloc(0)
    socket.on("data", (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk])
      for (let read = requestIn(bytes); read !== null; read = requestIn(bytes)) {
        bytes = bytes.subarray(read.length)
        this.arrivals.push(read.arrival)
        this.behaviour(socket, read.arrival)
        this.#changed()
      }
    })
    socket.on("error", () => undefined)
    socket.on("close", () => {
      this.#open.delete(socket)
      this.#changed()
    })
  }

  #changed(): void {
    for (const look of this.#watchers) look()
  }
}

/** The first whole request among the bytes, and how many of them it takes. */
function requestIn(bytes: Buffer): { arrival: Arrival; length: number } | null {
  const headEnd = bytes.indexOf("\r\n\r\n")
  if (headEnd === -1) return null
  const [line = "", ...fields] = bytes.toString("latin1", 0, headEnd).split("\r\n")
  const [method = "", path = ""] = line.split(" ")
  const headers = Object.fromEntries(
    fields.map((field) => [field.slice(0, field.indexOf(":")).toLowerCase(), field.slice(field.indexOf(":") + 1).trim()]),
  )
  const length = headEnd + 4 + Number(headers["content-length"] ?? 0)
  if (bytes.length < length) return null
  return { arrival: { method, path, headers, body: bytes.toString("utf8", headEnd + 4, length) }, length }
}

// Connections to one memcached server: each carries one command at a time, so that none shares the fate of another.
import { connect, type Socket } from "node:net"
import { type Attempt, type Connection, failure, TrestleError } from "trestle/connector"
import { type Reply, ReplyReader, Unreadable } from "./reply.ts"

const CONNECT_TIMEOUT_MS = 2_000

/** The server does not take our login: trying again cannot help. */
class NotLoggedIn extends Error {}

export class MemcachedConnection implements Connection {
  readonly #name: string
  readonly #host: string
  readonly #port: number
  readonly #login: () => string | undefined
  readonly #idle: Link[] = []
  readonly #all = new Set<Link>()

  constructor(name: string, address: string, login: () => string | undefined) {
    const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d+)$/.exec(address)
    if (!match) throw new TrestleError("START_REFUSED", `the address of ${name} is not "host:port"`)
    this.#name = name
    this.#host = match[1] ?? match[2]!
    this.#port = Number(match[3])
    this.#login = login
  }

  /** One command and its answer. Fails as `not-connected` before the first byte of the command has left, later as a loss. */
  async exchange(command: Buffer, attempt: Attempt): Promise<Reply> {
    const link = this.#idle.pop() ?? this.#open()
    attempt.stoppable = link
    try {
      await link.ready
      attempt.isSent = true
      const reply = await link.ask(command)
      this.#idle.push(link)
      return reply
    } catch (cause) {
      link.stop()
      throw this.#lost(cause, attempt)
    }
  }

  async probe(): Promise<void> {
    const link = this.#open()
    try {
      await link.ready
      await link.ask(Buffer.from("version\r\n"))
    } finally {
      link.stop()
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#all].map((link) => link.end()))
  }

  #open(): Link {
    const link = new Link(connect({ host: this.#host, port: this.#port }), this.#login(), () => {
      this.#all.delete(link)
      const place = this.#idle.indexOf(link)
      if (place >= 0) this.#idle.splice(place, 1)
    })
    this.#all.add(link)
    return link
  }

  #lost(cause: unknown, { isSent, call }: Attempt): TrestleError {
    const { effect } = call
    if (cause instanceof NotLoggedIn) {
      const note = `${this.#name}: it does not accept our login`
      return failure("refused-by-service", effect, { note })
    }
    if (cause instanceof Unreadable) {
      return failure("answer-unreadable", effect, { cause, note: `${this.#name}: the answer cannot be read: ${cause.message}` })
    }
    const note = `${this.#name}: ${isSent ? "the connection was lost" : "cannot be reached"}`
    return failure(isSent ? "connection-lost" : "not-connected", effect, { cause, note })
  }
}

/** One socket, and the one answer it waits for. */
class Link {
  readonly ready: Promise<void>
  readonly #socket: Socket
  readonly #closed: Promise<void>
  #waiting: { reader: ReplyReader; resolve(reply: Reply): void; reject(error: Error): void } | null = null
  #error: Error = new Error("the connection was closed")

  constructor(socket: Socket, login: string | undefined, closed: () => void) {
    this.#socket = socket
    socket.setNoDelay(true).setTimeout(CONNECT_TIMEOUT_MS, () => socket.destroy(new Error("no connection in time")))
    this.#closed = new Promise((resolve) => {
      socket.once("close", () => {
        closed()
        resolve()
        this.#waiting?.reject(this.#error)
      })
    })
    socket.on("error", (error) => {
      this.#error = error
    })
    socket.on("data", (bytes: Buffer) => this.#take(bytes))
    this.ready = this.#connected(login)
    // Whoever waits for it is told; if nobody does any more, that is no error of the process.
    this.ready.catch(() => undefined)
  }

  ask(command: Buffer): Promise<Reply> {
    return new Promise((resolve, reject) => {
      if (this.#socket.destroyed) return reject(this.#error)
      this.#waiting = { reader: new ReplyReader(), resolve, reject }
      this.#socket.write(command)
    })
  }

  /** Ends it now, whatever is under way. */
  stop(): void {
    this.#socket.destroy()
  }

  end(): Promise<void> {
    this.#socket.end()
    this.#socket.destroySoon()
    return this.#closed
  }

  async #connected(login: string | undefined): Promise<void> {
    const opened = new Promise<void>((resolve) => this.#socket.once("connect", () => resolve()))
    const lost = this.#closed.then(() => {
      throw this.#error
    })
    await Promise.race([opened, lost])
    this.#socket.setTimeout(0)
    if (login === undefined) return
    const reply = await this.ask(Buffer.from(`set login 0 0 ${Buffer.byteLength(login)}\r\n${login}\r\n`))
    if (reply.line !== "STORED") throw new NotLoggedIn()
  }

  #take(bytes: Buffer): void {
    const waiting = this.#waiting
    // Nobody has asked: what comes now would be taken for the answer to the next question.
    if (waiting === null) return void this.#socket.destroy()
    try {
      const reply = waiting.reader.take(bytes)
      if (reply === null) return
      this.#waiting = null
      waiting.resolve(reply)
    } catch (error) {
      this.#waiting = null
      this.#socket.destroy()
      waiting.reject(error as Error)
    }
  }
}

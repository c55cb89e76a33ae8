import { once } from "node:events"
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net"
import { TestFailure } from "./test-failure.ts"

/** Where a real server listens. */
export interface ServerPlace {
  readonly host: string
  readonly port: number
}

/**
 * What the proxy does with the server's answers; requests always reach the server, so that what it did can be looked at afterwards.
 *
 * - `pass`: hands them on.
 * - `mute`: swallows them, and keeps the connection open.
 * - `drop`: closes the connection instead.
 * - `truncate`: hands on the first byte, then closes the connection.
 * - `garble`: sends bytes of no protocol in their place.
 * - `flood`: sends bytes without end in their place, as fast as they are taken.
 */
export type ProxyMode = "pass" | "mute" | "drop" | "truncate" | "garble" | "flood"

const GARBAGE = Buffer.from([0, 255, 13, 10, 7, 128, 13, 10, 13, 10])
const FLOOD = Buffer.alloc(65_536, "x")
/** Longest wait for something that must come by itself. */
const PATIENCE_MS = 5_000

/** A TCP proxy between a connector and its real server, with the faults of networks at hand. Looks at bytes, knows no protocol. */
export class FaultProxy {
  mode: ProxyMode = "pass"
  /** Connections made since the proxy was opened. */
  opened = 0
  /** Bytes of a flood that the connector has taken. */
  flooded = 0
  readonly #target: ServerPlace
  /** Those that are open, and all that ever were. */
  readonly #links = new Set<Link>()
  readonly #everyLink: Link[] = []
  readonly #watchers = new Set<() => void>()
  #server: Server
  #port = 0

  private constructor(target: ServerPlace) {
    this.#target = target
    this.#server = this.#createServer()
  }

  static async open(target: ServerPlace): Promise<FaultProxy> {
    const proxy = new FaultProxy(target)
    await proxy.up()
    return proxy
  }

  get place(): ServerPlace {
    return { host: "127.0.0.1", port: this.#port }
  }

  /** How often a text has passed on its way to the server, over all connections. */
  timesSent(text: string): number {
    return this.#everyLink.reduce((sum, link) => sum + link.timesSent(text), 0)
  }

  /** Resolves when the text has left for the server. */
  async sent(text: string): Promise<void> {
    await this.#until(
      () => this.timesSent(text) > 0,
      () => `"${text}" was not sent to the server`,
    )
  }

  /** Resolves when the connection that carried the text is closed. */
  async left(text: string): Promise<void> {
    const isOpen = (): boolean => [...this.#links].some((link) => link.timesSent(text) > 0)
    await this.#until(
      () => !isOpen(),
      () => `the connection that carried "${text}" is still open`,
    )
  }

  /** Resolves when no connection is open. */
  async quiet(): Promise<void> {
    await this.#until(
      () => this.#links.size === 0,
      () => `${this.#links.size} connection(s) are still open`,
    )
  }

  /** Closes every connection, takes new ones as before. */
  async cut(): Promise<void> {
    for (const link of this.#links) link.close()
    await this.quiet()
  }

  /** Refuses connections and closes those that are open. */
  async down(): Promise<void> {
    const closed = once(this.#server, "close")
    this.#server.close()
    await this.cut()
    await closed
  }

  /** Takes connections, at the same place as before. */
  async up(): Promise<void> {
    this.#server = this.#createServer()
    this.#server.listen(this.#port, "127.0.0.1")
    await once(this.#server, "listening")
    this.#port = (this.#server.address() as AddressInfo).port
  }

  async close(): Promise<void> {
    if (this.#server.listening) await this.down()
  }

  #createServer(): Server {
    return createServer((client) => {
      this.opened++
      const link = new Link(client, connect(this.#target), this, () => this.#changed())
      this.#links.add(link)
      this.#everyLink.push(link)
      client.once("close", () => {
        this.#links.delete(link)
        this.#changed()
      })
    })
  }

  #changed(): void {
    for (const look of this.#watchers) look()
  }

  #until(holds: () => boolean, complaint: () => string): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (settle: () => void): void => {
        this.#watchers.delete(look)
        clearTimeout(timer)
        settle()
      }
      const look = (): void => {
        if (holds()) end(resolve)
      }
      const timer = setTimeout(() => end(() => reject(new TestFailure(complaint()))), PATIENCE_MS)
      this.#watchers.add(look)
      look()
    })
  }
}

/** One connection of the connector, and the one to the server behind it. */
class Link {
  readonly #client: Socket
  readonly #server: Socket
  readonly #proxy: FaultProxy
  readonly #requests: Buffer[] = []

  constructor(client: Socket, server: Socket, proxy: FaultProxy, changed: () => void) {
    this.#client = client
    this.#server = server
    this.#proxy = proxy
    client.on("error", () => this.close()).on("close", () => this.close())
    server.on("error", () => this.close()).on("close", () => this.#client.end())
    client.on("data", (bytes: Buffer) => {
      this.#requests.push(bytes)
      server.write(bytes)
      changed()
    })
    server.on("data", (bytes: Buffer) => this.#answer(bytes))
  }

  timesSent(text: string): number {
    return Buffer.concat(this.#requests).toString("latin1").split(Buffer.from(text).toString("latin1")).length - 1
  }

  close(): void {
    this.#client.destroy()
    this.#server.destroy()
  }

  #answer(bytes: Buffer): void {
    switch (this.#proxy.mode) {
      case "pass":
        return void this.#client.write(bytes)
      case "mute":
        return
      case "drop":
        return this.close()
      case "truncate":
        return void this.#client.end(bytes.subarray(0, 1))
      case "garble":
        return void this.#client.write(GARBAGE)
      case "flood":
        return this.#flood()
    }
  }

  #flood(): void {
    const pour = (): void => {
      while (!this.#client.destroyed) {
        this.#proxy.flooded += FLOOD.length
        if (!this.#client.write(FLOOD)) return void this.#client.once("drain", pour)
      }
    }
    pour()
  }
}

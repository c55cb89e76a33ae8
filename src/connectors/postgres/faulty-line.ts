import { once } from "node:events"
import { type AddressInfo, connect, createServer, type Socket } from "node:net"
import { WRITING } from "./connection.ts"
import type { LineFault } from "./faults.ts"
import { fatalError, Messages, textsOf } from "./messages.ts"

/** Sees what the application commits, whether the server's word of it gets through or not. */
export interface CommitWatch {
  /** How the database is, before it commits. */
  look(): Promise<string | null>
  committed(statements: readonly string[], before: string | null): Promise<void>
}

interface LineOptions {
  readonly target: { readonly host: string; readonly port: number }
  readonly fault: LineFault | null
  /** Of a slow one, how late its answers come. */
  readonly slowMs: number
  readonly watch: CommitWatch
}

/**
 * The way between the connector and a real server, which fails as it is told. It reads the protocol: a fault strikes when a statement comes,
 * and what was committed is known by the server's own word, whether that gets through or not.
 */
export class FaultyLine {
  readonly options: LineOptions
  #isFailing = false
  /** The one commit alone that is lost; `null`: each is. */
  #nth: number | null = null
  #commits = 0
  #slowUntil: Promise<void> | null = null
  #timer: NodeJS.Timeout | undefined
  readonly #links = new Set<Link>()
  readonly #server = createServer((client) => this.#take(client))

  constructor(options: LineOptions) {
    this.options = options
  }

  async open(): Promise<number> {
    this.#server.listen(0, "127.0.0.1")
    await once(this.#server, "listening")
    return (this.#server.address() as AddressInfo).port
  }

  /** What the line does now; `null`: it is well. */
  get fault(): LineFault | null {
    return this.#isFailing ? this.options.fault : null
  }

  async fail(nth: number | null = null): Promise<void> {
    this.#isFailing = true
    this.#nth = nth
    if (this.fault === "down") await this.close()
    if (typeof this.fault === "object") this.#cut()
  }

  /** How the commit that has just been carried out fails; `null`: it does not. */
  commitFault(): LineFault | null {
    return this.#nth === null || (this.#isFailing && ++this.#commits === this.#nth) ? this.fault : null
  }

  /** When answers come that a statement has asked for. */
  slow(): Promise<void> {
    this.#slowUntil ??= new Promise((resolve) => {
      this.#timer = setTimeout(resolve, this.options.slowMs)
    })
    return this.#slowUntil
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer)
    if (!this.#server.listening) return
    const closed = once(this.#server, "close")
    this.#server.close()
    this.#cut()
    await closed
  }

  #cut(): void {
    for (const link of this.#links) link.close()
  }

  #take(client: Socket): void {
    const { fault } = this
    if (fault !== null && typeof fault === "object") {
      client.on("error", () => client.destroy())
      client.once("data", () => client.end(fatalError(fault.refuses, "made by trestle faults")))
      return
    }
    const link = new Link(client, connect(this.options.target), this)
    this.#links.add(link)
    client.once("close", () => this.#links.delete(link))
  }
}

/** One connection of the connector, and the one to the server behind it. */
class Link {
  readonly #client: Socket
  readonly #server: Socket
  readonly #line: FaultyLine
  readonly #asked = new Messages({ from: "client" })
  readonly #answered = new Messages({ from: "server" })
  /** A statement has come since the line began to fail. */
  #isStruck = false
  /** The statements of a transaction that writes; `null` outside of one. Those of Trestle's own tables begin with other words. */
  #statements: string[] | null = null
  /** Before the COMMIT that is under way. */
  #before: Promise<string | null> | null = null
  #answering: Promise<void> = Promise.resolve()

  constructor(client: Socket, server: Socket, line: FaultyLine) {
    this.#client = client
    this.#server = server
    this.#line = line
    for (const socket of [client, server]) socket.on("error", () => this.close()).on("close", () => this.close())
    client.on("data", (bytes: Buffer) => this.#ask(bytes))
    server.on("data", (bytes: Buffer) => this.#answer(bytes))
  }

  close(): void {
    this.#client.destroy()
    this.#server.destroy()
  }

  #ask(bytes: Buffer): void {
    for (const { type, body } of this.#asked.take(bytes)) {
      if (type === "P") this.#noteStatement(textsOf(body)[1]!)
      if (type === "Q" && this.#statements !== null && textsOf(body)[0] === "commit") this.#before = this.#line.options.watch.look()
    }
    const { fault } = this.#line
    if (this.#isStruck && fault === "mute") return
    if (this.#isStruck && fault === "reset") {
      this.#client.resetAndDestroy()
      this.#server.destroy()
    } else if (this.#before !== null) this.#before.then(() => this.#server.write(bytes))
    else this.#server.write(bytes)
  }

  #noteStatement(text: string): void {
    this.#isStruck = this.#line.fault !== null
    this.#before = null
    if (text === WRITING) this.#statements = []
    else this.#statements?.push(text)
  }

  #answer(bytes: Buffer): void {
    const commit = this.#answered.take(bytes).some(({ type, body }) => type === "C" && textsOf(body)[0] === "COMMIT")
    this.#answering = this.#answering.then(() => this.#handOn(bytes, commit))
  }

  async #handOn(bytes: Buffer, isCommit: boolean): Promise<void> {
    const { fault, options } = this.#line
    if (isCommit && this.#before !== null) {
      await options.watch.committed(this.#statements!, await this.#before)
      this.#statements = null
      const commitFault = this.#line.commitFault()
      if (commitFault === "cut commit") return this.close()
      if (commitFault === "mute commit") return
    }
    if (this.#isStruck && fault === "slow") await this.#line.slow()
    if (this.#client.destroyed) return
    if (this.#isStruck && fault === "cut") this.#client.end(bytes.subarray(0, bytes.length / 2))
    else this.#client.write(bytes)
  }
}

/** One message of the protocol. Source: postgresql.org/docs/current/protocol-message-formats.html */
export interface Message {
  /** Its letter; empty for the first of a client, which has none. */
  readonly type: string
  readonly body: Buffer
}

const LENGTH = 4

/** Puts the bytes of one direction together into messages, however they were cut on the way. */
export class Messages {
  #rest: Buffer = Buffer.alloc(0)
  #hasLetter: boolean

  constructor({ from }: { readonly from: "client" | "server" }) {
    this.#hasLetter = from === "server"
  }

  /** Those that are whole by now. */
  take(bytes: Buffer): Message[] {
    this.#rest = Buffer.concat([this.#rest, bytes])
    const found: Message[] = []
    for (;;) {
      const letters = this.#hasLetter ? 1 : 0
      if (this.#rest.length < letters + LENGTH) return found
      const end = letters + this.#rest.readInt32BE(letters)
      if (this.#rest.length < end) return found
      found.push({ type: this.#rest.toString("latin1", 0, letters), body: this.#rest.subarray(letters + LENGTH, end) })
      this.#rest = this.#rest.subarray(end)
      this.#hasLetter = true
    }
  }
}

/** The texts in a body, each ended by a zero. */
export function textsOf(body: Buffer): string[] {
  return body.toString("utf8").split("\0")
}

/** A server's last word to a client that it does not take. */
export function fatalError(state: string, message: string): Buffer {
  const body = Buffer.from(`SFATAL\0VFATAL\0C${state}\0M${message}\0\0`)
  const head = Buffer.alloc(1 + LENGTH)
  head.write("E")
  head.writeInt32BE(LENGTH + body.length, 1)
  return Buffer.concat([head, body])
}

import { AnswerTooLarge } from "../connectors/rest/transport.ts"
import type { WireListener, WireReply, WireRequest, WireStreamListener } from "../contract/ports.ts"

/** One request under way; once it has been stopped, answered or lost, nothing more is heard of it. */
export class Flight {
  readonly #request: WireRequest
  readonly #listener: WireListener | WireStreamListener
  #sent: { isStopped: boolean } | null = null
  #isOver = false

  constructor(request: WireRequest, listener: WireListener | WireStreamListener) {
    this.#request = request
    this.#listener = listener
  }

  /** The first byte leaves; `false` when the request was stopped before. */
  begin(sent: { isStopped: boolean }): boolean {
    if (this.#isOver) return false
    this.#sent = sent
    this.#listener.sent()
    return true
  }

  reply(reply: WireReply, pieces?: AsyncIterable<Uint8Array>): void {
    const listener = this.#listener
    if ("opened" in listener) {
      if (this.#isOver) return
      const { status, headers, body } = reply
      return listener.opened({ status, headers, body: this.#untilStopped(pieces ?? [Buffer.from(body)]) })
    }
    if (!this.#end()) return
    const { answerBytesMax } = this.#request
    if (Buffer.byteLength(reply.body) <= answerBytesMax) listener.replied(reply)
    else listener.failed(new AnswerTooLarge(`the answer is larger than ${answerBytesMax} bytes`))
  }

  async *#untilStopped(pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const piece of pieces) {
      if (this.#isOver) throw new TypeError("stopped")
      yield piece
    }
    this.#end()
  }

  /** The body of the request has failed. */
  lose(error: unknown): void {
    if (this.#end()) this.#listener.failed(error)
  }

  fail(code: "ECONNREFUSED" | "ECONNRESET"): void {
    if (this.#end()) this.#listener.failed(Object.assign(new Error(code), { code }))
  }

  stop(): void {
    if (this.#end() && this.#sent) this.#sent.isStopped = true
  }

  #end(): boolean {
    if (this.#isOver) return false
    this.#isOver = true
    return true
  }
}

/**
 * A reply that throws as soon as it is read. The port knows only answers and lost connections, and a lost connection would be retried and
 * fallen back from; a mistake of the test must come out as itself.
 */
export function poisoned(error: Error): WireReply {
  return {
    get status(): number {
      throw error
    },
    headers: {},
    body: "",
  }
}

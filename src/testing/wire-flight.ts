import { AnswerTooLarge } from "../connectors/rest/transport.ts"
import type { WireListener, WireReply, WireRequest } from "../contract/ports.ts"

/** One request under way; once it has been stopped, answered or lost, nothing more is heard of it. */
export class Flight {
  readonly #request: WireRequest
  readonly #listener: WireListener
  #sent: { isStopped: boolean } | null = null
  #isOver = false

  constructor(request: WireRequest, listener: WireListener) {
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

  reply(reply: WireReply): void {
    if (!this.#end()) return
    const { answerBytesMax } = this.#request
    if (Buffer.byteLength(reply.body) <= answerBytesMax) this.#listener.replied(reply)
    else this.#listener.failed(new AnswerTooLarge(`the answer is larger than ${answerBytesMax} bytes`))
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

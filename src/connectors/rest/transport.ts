import type { Dispatcher, Pool } from "undici"
import type { HttpTransport, OpenTransport, WireListener, WireReply, WireRequest, WireStreamListener } from "../../contract/ports.ts"
import type { Carried, Carrier } from "./transport-pool.ts"
import { UndiciStream } from "./transport-stream.ts"

/** The answer was larger than the declaration allows. */
export class AnswerTooLarge extends Error {
  override readonly name = "AnswerTooLarge"
}

/** The real network, through one pool of kept-alive connections per service. It repeats nothing by itself. */
export const openUndici: OpenTransport = async ({ origin, connections }) => {
  const { openPool } = await import("./transport-pool.ts")
  return new UndiciTransport(openPool(origin, connections))
}

class UndiciTransport implements HttpTransport {
  readonly #pool: Pool

  constructor(pool: Pool) {
    this.#pool = pool
  }

  send(request: WireRequest, listener: WireListener): { stop(): void } {
    const exchange = new UndiciExchange(listener, request.answerBytesMax)
    // A request has the fields that undici asks for under the same names.
    this.#pool.dispatch(request as WireRequest & Dispatcher.DispatchOptions, exchange)
    return exchange
  }

  open(request: WireRequest, listener: WireStreamListener): { stop(): void } {
    const exchange = new UndiciStream(listener)
    this.#pool.dispatch(request as WireRequest & Dispatcher.DispatchOptions, exchange)
    return exchange
  }

  close(): Promise<void> {
    return this.#pool.close()
  }
}

class UndiciExchange implements Carried {
  carrier: Carrier | null = null
  readonly #listener: WireListener
  readonly #bytesMax: number
  #controller: Dispatcher.DispatchController | null = null
  #isOver = false
  #status = 0
  #headers: WireReply["headers"] = {}
  #bytes = 0
  #first: Buffer | null = null
  #rest: Buffer[] | null = null

  constructor(listener: WireListener, bytesMax: number) {
    this.#listener = listener
    this.#bytesMax = bytesMax
  }

  /** Before the first byte this sends nothing at all: undici asks once more before it writes. */
  stop(): void {
    if (this.#isOver) return
    this.#isOver = true
    if (this.#controller) this.#controller.abort(new Error("stopped"))
    else this.carrier?.giveUp()
  }

  /** undici calls this right before it writes the head of the request. */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#isOver) controller.abort(new Error("stopped"))
    else this.#listener.sent()
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: WireReply["headers"]): void {
    this.#status = status
    this.#headers = headers
    // What says beforehand that it is too much need not be read; a 304 speaks of a body that it does not have.
    if (Number(headers["content-length"]) > this.#bytesMax && status !== 304) this.#tooLarge()
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bytes += chunk.length
    if (this.#bytes > this.#bytesMax) return this.#tooLarge()
    if (this.#first === null) this.#first = chunk
    else if (this.#rest === null) this.#rest = [this.#first, chunk]
    else this.#rest.push(chunk)
  }

  onResponseEnd(): void {
    if (this.#isOver) return
    this.#isOver = true
    const body = this.#rest ? Buffer.concat(this.#rest) : this.#first
    this.#listener.replied(new Reply(this.#status, this.#headers, body === null ? "" : body.toString("utf8")))
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#listener.failed(error)
  }

  #tooLarge(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#first = this.#rest = null
    const error = new AnswerTooLarge(`the answer is larger than ${this.#bytesMax} bytes`)
    this.#listener.failed(error)
    this.#controller?.abort(error)
  }
}

/** A class for the reason of `Listener` in `exchange.ts`: a literal of this lifetime would come to hold its body in V8's old space. */
class Reply implements WireReply {
  readonly status: number
  readonly headers: WireReply["headers"]
  readonly body: string

  constructor(status: number, headers: WireReply["headers"], body: string) {
    this.status = status
    this.headers = headers
    this.body = body
  }
}

import { Readable } from "node:stream"
import type { Dispatcher } from "undici"
import type { WireStreamListener } from "../../contract/ports.ts"
import type { Carried, Carrier } from "./transport-pool.ts"

/** Bytes that are read ahead of who takes them. */
const AHEAD_BYTES = 65_536

/** A request whose answer is read while it comes: the connection is not read from while nobody takes what came. */
export class UndiciStream implements Carried {
  carrier: Carrier | null = null
  readonly #listener: WireStreamListener
  #controller: Dispatcher.DispatchController | null = null
  #body: Readable | null = null
  #isOver = false

  constructor(listener: WireStreamListener) {
    this.#listener = listener
  }

  stop(): void {
    if (this.#isOver) return
    this.#isOver = true
    const why = new Error("stopped")
    this.#body?.destroy(why)
    if (this.#controller) this.#controller.abort(why)
    else this.carrier?.giveUp()
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#isOver) controller.abort(new Error("stopped"))
    else this.#listener.sent()
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: Record<string, string | string[] | undefined>): void {
    if (status < 200 || this.#isOver) return
    const body = new Readable({
      highWaterMark: AHEAD_BYTES,
      read: () => controller.resume(),
      destroy: (error, done) => {
        this.stop()
        done(error)
      },
    })
    // Whoever reads it hears of it; nobody may.
    body.on("error", () => {})
    this.#body = body
    this.#listener.opened({ status, headers, body })
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#body?.push(chunk) === false) controller.pause()
  }

  onResponseEnd(): void {
    this.#isOver = true
    this.#body?.push(null)
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#isOver) return
    this.#isOver = true
    if (this.#body) this.#body.destroy(error)
    else this.#listener.failed(error)
  }
}

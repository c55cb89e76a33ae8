import type { IncomingMessage } from "node:http"
import { type Rings, systemClock } from "../base/clock.ts"
import { failWith, type TrestleError } from "../errors/trestle-error.ts"
import { READ_MS_MAX } from "./entry.ts"

/**
 * The body of a request as it comes, no faster than it is taken; in real time, whatever the application's clock. Ending it early leaves the
 * connection as it is, so that a refusal still finds its way.
 *
 * @throws {TrestleError} `REQUEST_TIMEOUT` when nothing comes for 9 s, `CANCELLED` when the connection ends before the body.
 */
export async function* incoming(request: IncomingMessage, invite: () => void): AsyncGenerator<Uint8Array, void, undefined> {
  const waiting = new Waiting(request)
  try {
    invite()
    for (;;) {
      const chunk: Buffer | null = request.read()
      if (chunk !== null) yield chunk
      else if (request.readableEnded) return
      else await waiting.forMore()
    }
  } finally {
    waiting.end()
  }
}

/** Wakes who waits for more of a request: with more of it, with its end, or with why none will come. */
class Waiting implements Rings {
  readonly #request: IncomingMessage
  #wake: ((why: TrestleError | null) => void) | null = null
  readonly #more = (): void => this.#wake?.(null)
  readonly #lost = (): void => this.#wake?.(this.#request.readableEnded ? null : lost())

  constructor(request: IncomingMessage) {
    this.#request = request
    request.on("readable", this.#more).on("end", this.#more).on("error", this.#lost).on("close", this.#lost)
  }

  forMore(): Promise<void> {
    if (this.#request.destroyed) return Promise.reject(lost())
    return new Promise((resolve, reject) => {
      const alarm = systemClock.after(READ_MS_MAX, this)
      this.#wake = (why) => {
        this.#wake = null
        systemClock.cancel(alarm)
        if (why) reject(why)
        else resolve()
      }
    })
  }

  ring(): void {
    this.#wake?.(failWith("REQUEST_TIMEOUT"))
  }

  end(): void {
    this.#request.off("readable", this.#more).off("end", this.#more).off("error", this.#lost).off("close", this.#lost)
  }
}

export function lost(cause?: unknown): TrestleError {
  return failWith("CANCELLED", { cause, note: "the connection ended in the middle of the body" })
}

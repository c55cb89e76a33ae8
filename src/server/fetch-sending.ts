import type { ChunkedAnswer, Sending } from "../contract/ports.ts"
import type { TrestleError } from "../errors/trestle-error.ts"
import { gone } from "./entry.ts"

const encoder = new TextEncoder()

/** An answer whose body is a stream of the fetch standard: each piece is made when it is asked for. */
export class FetchSending implements Sending {
  bytes = 0
  readonly over: Promise<void>
  readonly body: ReadableStream<Uint8Array>
  readonly #answer: ChunkedAnswer
  #controller!: ReadableStreamDefaultController<Uint8Array>
  #ended!: () => void
  #failed!: (error: unknown) => void
  #isOver = false

  /** @param signal Aborts when nobody waits for the answer any more. */
  constructor(answer: ChunkedAnswer, signal: AbortSignal) {
    this.#answer = answer
    this.over = new Promise((resolve, reject) => {
      this.#ended = resolve
      this.#failed = reject
    })
    this.body = new ReadableStream(
      {
        start: (controller) => {
          this.#controller = controller
        },
        pull: () => this.#pull(),
        cancel: () => this.#leave(),
      },
      { highWaterMark: 0 },
    )
    signal.addEventListener("abort", () => this.#leave(), { once: true })
  }

  stop(): void {
    this.#answer.chunks.return?.().catch(() => {})
  }

  fail(error: TrestleError): void {
    if (this.#isOver) return
    this.#isOver = true
    const last = this.#answer.failed?.(error)
    if (last === undefined) return this.#controller.error(error)
    this.#controller.enqueue(encoder.encode(last))
    this.#controller.close()
  }

  /** Nothing of the body is wanted. */
  skip(): void {
    this.#isOver = true
    this.stop()
    this.#ended()
  }

  async #pull(): Promise<void> {
    try {
      const next = await this.#answer.chunks.next()
      if (this.#isOver) return
      if (!next.done) {
        const piece = typeof next.value === "string" ? encoder.encode(next.value) : next.value
        this.bytes += piece.length
        return this.#controller.enqueue(piece)
      }
      this.#isOver = true
      this.#controller.close()
      this.#ended()
    } catch (error) {
      this.#failed(error)
    }
  }

  #leave(): void {
    if (this.#isOver) return
    this.stop()
    this.#failed(gone())
  }
}

import type { Alarm, Rings } from "../../base/clock.ts"
import type { Stoppable } from "../../contract/call.ts"
import { failure } from "../../contract/failure.ts"
import type { WireStream } from "../../contract/ports.ts"
import type { Attempt } from "../../contract/service.ts"
import { TrestleError } from "../../errors/trestle-error.ts"

/**
 * The body of an answer whose head has come. It keeps the attempt's place in the bulkhead until its last byte, ends with its call, and
 * fails when the service, asked for more, sends nothing for as long as an attempt may take.
 */
export class AnswerBody implements AsyncIterable<Uint8Array>, Rings, Stoppable {
  readonly endsWithCall = true
  readonly #attempt: Attempt
  readonly #service: string
  readonly #source: AsyncIterator<Uint8Array>
  readonly #release: (error: TrestleError | null) => void
  #alarm: Alarm = null
  #isOver = false
  #why: TrestleError | null = null

  constructor(reply: WireStream, attempt: Attempt, service: string) {
    this.#attempt = attempt
    this.#service = service
    this.#source = reply.body[Symbol.asyncIterator]()
    this.#release = attempt.hold()
    attempt.call.attach(this)
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for (let next = await this.#next(); !next.done; next = await this.#next()) yield next.value
      this.#end(null)
    } catch (thrown) {
      const error = this.#why ?? this.#lost(thrown)
      this.#end(error)
      throw error
    } finally {
      this.close()
    }
  }

  /** Nobody wants the rest: the connection is closed, and the service is not to blame. */
  close(): void {
    if (this.#isOver) return
    this.#end(null)
    this.#attempt.stoppable?.stop()
  }

  /** The service is silent. */
  ring(): void {
    const { call, timeoutMs } = this.#attempt
    const note = `${this.#service}: its answer has stopped: nothing came for ${Math.round(timeoutMs)} ms`
    this.#abort(failure("timeout-sent", call.effect, { note }))
  }

  /** The call is over. */
  stop(why: TrestleError): void {
    const reason = why.code === "CANCELLED" ? "cancelled-sent" : "timeout-sent"
    if (!this.#isOver)
      this.#abort(failure(reason, this.#attempt.call.effect, { note: `${this.#service}: the call ended within its answer` }))
  }

  #abort(why: TrestleError): void {
    this.#why = why
    // The end of the call's own time says nothing of the service.
    this.#end(this.#attempt.call.stopped ? null : why)
    this.#attempt.stoppable?.stop()
  }

  async #next(): Promise<IteratorResult<Uint8Array>> {
    if (this.#why) throw this.#why
    const { call, timeoutMs } = this.#attempt
    this.#alarm = call.clock.after(timeoutMs, this)
    const next = await this.#source.next()
    call.clock.cancel(this.#alarm)
    return next
  }

  #lost(cause: unknown): TrestleError {
    const code = (cause as { code?: string } | null)?.code ?? "no code"
    const note = `${this.#service}: connection lost within its answer (${code})`
    return TrestleError.is(cause) ? cause : failure("connection-lost", this.#attempt.call.effect, { cause, note })
  }

  #end(error: TrestleError | null): void {
    if (this.#isOver) return
    this.#isOver = true
    const { call } = this.#attempt
    if (this.#alarm !== null) call.clock.cancel(this.#alarm)
    call.detach(this)
    this.#release(error)
  }
}

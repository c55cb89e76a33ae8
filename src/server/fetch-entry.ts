import { isUtf8 } from "node:buffer"
import { systemClock } from "../base/clock.ts"
import type { Stoppable } from "../contract/call.ts"
import type { ChunkedAnswer, Sending } from "../contract/ports.ts"
import type { RequestHead } from "../contract/principal.ts"
import { failWith, TrestleError } from "../errors/trestle-error.ts"
import { type Fields, gone, hasNoBody, type MountedEntry, notUtf8, READ_MS_MAX, tooLarge } from "./entry.ts"
import { FetchSending } from "./fetch-sending.ts"
import { lost } from "./incoming.ts"
import { textOfParsed } from "./parsed-body.ts"

export interface FetchEntryOptions {
  readonly prefix: string
  readonly host: unknown
  readonly address: string
  /** The body, where the host has read it already. */
  readonly body: unknown
  readonly bodyBytesMax: number
}

/** A `Request` of the fetch standard, and the promise of its `Response`. */
export class FetchEntry implements MountedEntry, RequestHead {
  kind: "http" | "rpc" = "http"
  params: Readonly<Record<string, string>> = {}
  query: Readonly<Record<string, unknown>> = {}
  readonly headers: RequestHead["headers"]
  readonly response: Promise<Response>
  readonly path: string
  readonly #request: Request
  readonly #options: FetchEntryOptions
  readonly #preset: Record<string, string> = {}
  #answer!: (response: Response) => void
  sending: Sending | null = null

  /** @param path Of the request, without the prefix. */
  constructor(request: Request, path: string, options: FetchEntryOptions) {
    this.#request = request
    this.#options = options
    this.path = path
    this.headers = headersOf(request)
    this.response = new Promise((resolve) => {
      this.#answer = resolve
    })
  }

  get head(): RequestHead {
    return this
  }

  get method(): string {
    return this.#request.method
  }

  get address(): string {
    return this.#options.address
  }

  get prefix(): string {
    return this.#options.prefix
  }

  get host(): unknown {
    return this.#options.host
  }

  setHeader(name: string, value: string): void {
    // Connections are the business of whoever carries the answer.
    if (name !== "connection") this.#preset[name] = value
  }

  send(status: number, fields: Fields, body: string): void {
    const isBare = hasNoBody(status)
    const isEmpty = isBare || this.method === "HEAD"
    const length = isBare ? {} : { "content-length": String(Buffer.byteLength(body)) }
    this.#answer(new Response(isEmpty ? null : body, { status, headers: { ...this.#preset, ...fields, ...length } }))
  }

  stopWhenGone(call: Stoppable): void {
    const { signal } = this.#request
    if (signal.aborted) return call.stop(gone())
    const stop = (): void => call.stop(gone())
    signal.addEventListener("abort", stop, { once: true })
    // A signal may outlive its request.
    void this.response.then(() => signal.removeEventListener("abort", stop))
  }

  /** @throws {TrestleError} `TOO_LARGE`, `REQUEST_TIMEOUT`, `CANCELLED`, `INVALID` for what is no UTF-8. */
  async read(): Promise<string> {
    const { body, bodyBytesMax } = this.#options
    if (body !== undefined) return textOfParsed(body, bodyBytesMax)
    this.#refuseUsed()
    return this.#request.body ? readText(this.#request.body, bodyBytesMax) : ""
  }

  async *chunks(): AsyncGenerator<Uint8Array, void, undefined> {
    const { body } = this.#options
    if (body instanceof Uint8Array) return void (yield body)
    this.#refuseUsed()
    const reader = this.#request.body?.getReader()
    if (!reader) return
    let isLate = false
    const late = {
      ring: () => {
        isLate = true
        reader.cancel().catch(() => {})
      },
    }
    try {
      for (;;) {
        const alarm = systemClock.after(READ_MS_MAX, late)
        const next = await reader.read().catch((cause: unknown) => Promise.reject(lost(cause)))
        systemClock.cancel(alarm)
        if (isLate) throw failWith("REQUEST_TIMEOUT")
        if (next.done) return
        yield next.value
      }
    } finally {
      reader.releaseLock()
    }
  }

  /** There is no connection that the rest could spoil. */
  async skip(): Promise<void> {
    const { body, bodyUsed } = this.#request
    if (body && !bodyUsed && !body.locked) await body.cancel().catch(() => {})
  }

  sendChunks(answer: ChunkedAnswer): Sending {
    const sending = new FetchSending(answer, this.#request.signal)
    this.sending = sending
    const isEmpty = this.method === "HEAD"
    if (isEmpty) sending.skip()
    this.#answer(new Response(isEmpty ? null : sending.body, { status: answer.status, headers: { ...this.#preset, ...answer.headers } }))
    return sending
  }

  #refuseUsed(): void {
    if (!this.#request.bodyUsed) return
    throw new TrestleError("INTERNAL", undefined, { note: "the host has read the body; pass it on: fetch(request, { body })" })
  }
}

/**
 * A request made in process says neither how long its body is nor that it comes in chunks; a body it has all the same. Without a type
 * it has none: adapters give an empty stream to requests that came without a body, a DELETE for one.
 */
function headersOf(request: Request): RequestHead["headers"] {
  const headers: Record<string, string> = { host: new URL(request.url).host, ...Object.fromEntries(request.headers) }
  if (request.body && headers["content-type"] !== undefined && headers["content-length"] === undefined)
    headers["transfer-encoding"] ??= "chunked"
  return headers
}

async function readText(stream: ReadableStream<Uint8Array>, bytesMax: number): Promise<string> {
  const reader = stream.getReader()
  let late: TrestleError | null = null
  const stop = (why: TrestleError): void => {
    late = why
    void reader.cancel(why).catch(() => {})
  }
  // Real time, whatever the application's clock: the network does not stand still for a test.
  const alarm = systemClock.after(READ_MS_MAX, { ring: () => stop(failWith("REQUEST_TIMEOUT")) })
  try {
    const body = await collect(reader, bytesMax, stop)
    if (late) throw late
    if (!isUtf8(body)) throw notUtf8()
    return body.toString("utf8")
  } finally {
    systemClock.cancel(alarm)
  }
}

async function collect(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  bytesMax: number,
  stop: (why: TrestleError) => void,
): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      bytes += next.value.byteLength
      if (bytes > bytesMax) stop(tooLarge(bytesMax))
      else chunks.push(next.value)
    }
  } catch (cause) {
    throw failWith("CANCELLED", { cause, note: "the connection ended in the middle of the body" })
  }
  return Buffer.concat(chunks)
}

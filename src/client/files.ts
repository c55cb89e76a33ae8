// The door `trestle/client/files`: the typed client for applications with files and streams. Apart from the plain one, which everybody
// loads and which therefore must stay small; it can do all that the plain one can.
import { attachment, fileNameIn } from "../base/content-disposition.ts"
import type { CallOptions, ToldMeta } from "../contract/call.ts"
import type { Remote } from "../contract/caller.ts"
import { Body, type FileContent, type FileSource, UNKNOWN_TYPE } from "../contract/file-body.ts"
import { ClientError, type ClientFailure } from "./client-error.ts"
import type { ClientOptions } from "./exchange.ts"
import { linesOf } from "./lines.ts"
import { metaOf, parse } from "./meta.ts"
import { millisecondsOf } from "./milliseconds.ts"

export type { FileBody, FileContent, FileSource } from "../contract/file-body.ts"
export type { ClientOptions } from "./exchange.ts"

/**
 * As `createClient`, for applications with `file()` and `stream(Item)`: an input's `file` is sent as it is read, a file comes back as a
 * `FileBody`, a stream as an `AsyncIterable` of its items. The call's `deadline` and `signal` hold until the last byte. What is read again
 * after a failure must be asked for again.
 *
 * Browsers send a `Blob` or a `File` piece by piece; most of them cannot send a stream of one's own over HTTP/1.1.
 *
 * @throws {ClientError} as `createClient`; while an answer is read `UNAVAILABLE` when it breaks off.
 */
export function createFileClient<A extends { readonly ops: any }>(options: ClientOptions): Remote<A["ops"]> {
  const node = (url: string): any => {
    const call = (input: unknown, more?: CallOptions): Promise<{ value: any; meta: ToldMeta }> =>
      new Exchange(options, url, more ?? {}).run(input)
    const how: Record<string, unknown> = {
      detailed: call,
      safe: (input: unknown, more?: CallOptions) =>
        call(input, more).then(
          (done) => ({ ...done, ok: true }),
          (error) => ({ ...error, ok: false }),
        ),
    }
    return new Proxy(async (input: unknown, more?: CallOptions) => (await call(input, more)).value, {
      get: (_, key) => {
        if (typeof key !== "string" || key === "then" || key === "toJSON") return undefined
        return how[key] ?? node(url.endsWith("/") ? url + key : `${url}.${key}`)
      },
    })
  }
  return node(`${options.url}/rpc/`)
}

/** What every `fetch` takes as a body. */
type Payload = string | Blob | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>

interface Sent {
  readonly url: string
  readonly headers: Record<string, string>
  readonly body: Payload
}

/** One call, and what is to be said if it ends here. */
class Exchange {
  readonly #options: ClientOptions
  readonly #url: string
  readonly #more: CallOptions
  readonly #limit: AbortSignal | undefined
  readonly #failure: ClientFailure = { code: "INVALID", detail: "No answer", outcome: "refused", issues: [], trace: "", status: 0 }

  constructor(options: ClientOptions, url: string, more: CallOptions) {
    this.#options = options
    this.#url = url
    this.#more = more
    this.#limit = more.deadline === undefined ? undefined : AbortSignal.timeout(millisecondsOf(more.deadline))
  }

  async run(input: unknown): Promise<{ value: any; meta: ToldMeta }> {
    const failure = this.#failure
    let reply: Response
    try {
      reply = await this.#send(encoded(this.#url, input))
      const { status, ok, headers } = reply
      const meta = metaOf(parse(headers.get("trestle-meta")))
      const streamed = ok ? this.#streamed(reply) : undefined
      if (streamed !== undefined) return { value: streamed, meta }
      const value = parse(await reply.text())
      const isProblem = headers.get("content-type")?.includes("+json")
      if (status === 204 || (ok && !isProblem && value !== undefined)) return { value, meta }
      Object.assign(failure, { status, ...(typeof value?.code === "string" ? told(value) : {}) })
    } catch (thrown) {
      throw this.#broken(thrown)
    }
    throw errorOf(failure)
  }

  async #send({ url, headers, body }: Sent): Promise<Response> {
    const { token, fetch: send = fetch } = this.#options
    const { idempotencyKey, ifMatch, signal: given } = this.#more
    const signal = AbortSignal.any([given, this.#limit].filter((one) => one !== undefined))
    headers["idempotency-key"] = idempotencyKey ?? crypto.getRandomValues(new Uint32Array(4)).join("-")
    if (ifMatch) headers["if-match"] = ifMatch
    const failure = this.#failure
    if (token) {
      failure.code = "UNAUTHENTICATED"
      headers.authorization = `Bearer ${await token()}`
    }
    signal.throwIfAborted()
    failure.code = "UNAVAILABLE"
    failure.outcome = "unknown"
    const isStream = body instanceof ReadableStream
    return send(url, { method: "POST", headers, body, signal, ...(isStream ? { duplex: "half" } : {}) } as RequestInit)
  }

  /** `undefined` for an answer of JSON. */
  #streamed({ headers, body }: Response): unknown {
    const field = headers.get("content-disposition")
    const type = headers.get("content-type") ?? UNKNOWN_TYPE
    if (field !== null && /^attachment\b/i.test(field)) {
      const length = headers.get("content-length")
      const about = { name: fileNameIn(field), type, size: length === null ? null : Number(length) }
      return new Body(about, () => this.#chunks(body))
    }
    return type.startsWith("application/x-ndjson") ? linesOf(this.#chunks(body)) : undefined
  }

  async *#chunks(body: ReadableStream<Uint8Array> | null): AsyncGenerator<Uint8Array, void, undefined> {
    const reader = body?.getReader()
    if (!reader) return
    let isRead = false
    try {
      for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value
      isRead = true
    } catch (thrown) {
      throw this.#broken(thrown)
    } finally {
      if (!isRead) reader.cancel().catch(() => {})
    }
  }

  #broken(cause: unknown): ClientError {
    const isGivenUp = this.#limit?.aborted || this.#more.signal?.aborted
    const code = isGivenUp ? (this.#limit?.aborted ? "TIMEOUT" : "CANCELLED") : this.#failure.code
    return errorOf({ ...this.#failure, code, cause })
  }
}

function errorOf(failure: ClientFailure): ClientError {
  return Object.assign(new ClientError(`${failure.code}: ${failure.detail}`, failure), failure)
}

/** No other member of an answer is taken over. */
function told({ code, detail, outcome, issues, trace, retryAfterMs, work }: ClientFailure): Partial<ClientFailure> {
  return {
    code,
    detail,
    outcome,
    issues: issues ?? [],
    trace,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(work === undefined ? {} : { work }),
  }
}

/** A file is the body, and its fields stand in the address; anything else is JSON. */
function encoded(url: string, input: unknown): Sent {
  const { file, ...fields } = (typeof input === "object" && input !== null ? input : {}) as { file?: FileSource }
  const part = file === undefined ? null : partOf(file)
  if (!part) return { url, headers: { "content-type": "application/json" }, body: JSON.stringify(input) }
  const headers = { "content-type": part.type, "content-disposition": attachment(part.name) }
  return { url: `${url}?input=${encodeURIComponent(JSON.stringify(fields))}`, headers, body: part.body }
}

interface Part {
  readonly body: Payload
  readonly type: string
  readonly name: string | null
}

/** `null` for what is no file, which may be a field of that name. */
function partOf(source: FileSource): Part | null {
  if (typeof source !== "object" || source === null) return null
  if ("content" in source) {
    const inner = partOf(source.content)
    return inner && { ...inner, type: source.type ?? inner.type, name: source.name ?? inner.name }
  }
  if (source instanceof Blob)
    return { body: source, type: source.type || UNKNOWN_TYPE, name: "name" in source ? String(source.name) : null }
  if (source instanceof Uint8Array) return { body: source as Uint8Array<ArrayBuffer>, type: UNKNOWN_TYPE, name: null }
  if ("stream" in source) return { body: streamOf(source.stream()), type: source.type, name: source.name }
  const isStream = source instanceof ReadableStream || Symbol.asyncIterator in source
  return isStream ? { body: streamOf(source), type: UNKNOWN_TYPE, name: null } : null
}

function streamOf(content: Exclude<FileContent, Blob | Uint8Array>): ReadableStream<Uint8Array> {
  return content instanceof ReadableStream ? content : ReadableStream.from(content)
}

import { TrestleError } from "../errors/trestle-error.ts"
import { failure } from "./failure.ts"

/** Bytes under way, with what is known of them. */
export interface FileBody {
  /** Base name without path and control characters; `null` where nobody gave one. */
  readonly name: string | null
  /** Media type, with its parameters. `application/octet-stream` where nobody gave one. */
  readonly type: string
  /** Bytes; `null` where only the end will tell. */
  readonly size: number | null
  /** The bytes as they come. Once only, unless they were given as a whole: a stream that has been begun cannot be begun again. */
  stream(): AsyncIterable<Uint8Array>
  /** All of them. @throws {TrestleError} `TOO_LARGE` beyond `max` bytes; default 16 MiB. */
  bytes(max?: number): Promise<Uint8Array>
  /** As `bytes`, as a `Blob` of the same type. */
  blob(max?: number): Promise<Blob>
}

/** Where bytes can come from. A `Blob` and a `Uint8Array` can be sent again; everything else is sent once. */
export type FileContent = Blob | Uint8Array | ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>

/** What callers pass as a file and backends answer as one. */
export type FileSource =
  | FileBody
  | FileContent
  | { readonly content: FileContent; readonly name?: string | null; readonly type?: string; readonly size?: number | null }

export const BYTES_MAX = 16 * 1_048_576
export const UNKNOWN_TYPE = "application/octet-stream"

/** `type/subtype` and parameters without what could end a header field. Source: RFC 9110, section 8.3.1. */
const MEDIA_TYPE = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(?:\s*;\s*[\w!#$&^.+-]+=(?:[\w!#$&^.+:/-]+|"[ !#-[\]-~]*"))*$/

/** The one `FileBody` of Trestle: knows whether its bytes can be read a second time. */
export class Body implements FileBody {
  readonly name: string | null
  readonly type: string
  readonly size: number | null
  readonly isReplayable: boolean
  readonly #open: () => AsyncIterable<Uint8Array>
  #isBegun = false

  constructor(
    about: { readonly name: string | null; readonly type: string; readonly size: number | null; readonly isReplayable?: boolean },
    open: () => AsyncIterable<Uint8Array>,
  ) {
    this.name = about.name === null ? null : safeName(about.name)
    this.type = MEDIA_TYPE.test(about.type) ? about.type : UNKNOWN_TYPE
    this.size = about.size
    this.isReplayable = about.isReplayable === true
    this.#open = open
  }

  /** Some of it has been read, and it cannot be read again. */
  get isSpent(): boolean {
    return this.#isBegun && !this.isReplayable
  }

  async *stream(): AsyncGenerator<Uint8Array, void, undefined> {
    // Here and not when the generator is made: a request that never leaves has taken nothing of it.
    if (this.isSpent) throw failure("body-spent", "read", { note: "the bytes of a file were read a second time; they come only once" })
    this.#isBegun = true
    yield* this.#open()
  }

  async bytes(max: number = BYTES_MAX): Promise<Uint8Array<ArrayBuffer>> {
    const chunks: Uint8Array[] = []
    let size = 0
    for await (const chunk of this.stream()) {
      size += chunk.length
      if (size > max) throw tooLarge(max)
      chunks.push(chunk)
    }
    const all = new Uint8Array(size)
    let at = 0
    for (const chunk of chunks) {
      all.set(chunk, at)
      at += chunk.length
    }
    return all
  }

  async blob(max?: number): Promise<Blob> {
    return new Blob([await this.bytes(max)], { type: this.type })
  }

  /** The same bytes, which end with `TOO_LARGE` where there are more than `max`. */
  within(max: number): Body {
    return new Body(this, () => counted(this.stream(), max))
  }
}

async function* counted(chunks: AsyncIterable<Uint8Array>, max: number): AsyncGenerator<Uint8Array, void, undefined> {
  let size = 0
  for await (const chunk of chunks) {
    size += chunk.length
    if (size > max) throw tooLarge(max)
    yield chunk
  }
}

export function tooLarge(max: number): TrestleError {
  return new TrestleError("TOO_LARGE", `The file may have ${max} bytes at most.`)
}

/** A file made from what was given as one, or `null` when it is none. */
export function bodyOf(given: unknown): Body | null {
  if (given instanceof Body) return given
  if (typeof given !== "object" || given === null) return null
  if ("content" in given) return named(given as Extract<FileSource, { content: unknown }>)
  if (given instanceof Uint8Array)
    return new Body({ name: null, type: UNKNOWN_TYPE, size: given.length, isReplayable: true }, () => once(given))
  if (given instanceof Blob) {
    const name = "name" in given && typeof given.name === "string" ? given.name : null
    return new Body({ name, type: given.type || UNKNOWN_TYPE, size: given.size, isReplayable: true }, () => chunksOf(given.stream()))
  }
  if (isIterable(given)) return new Body({ name: null, type: UNKNOWN_TYPE, size: null }, () => chunksOf(given))
  if (typeof (given as FileBody).stream !== "function") return null
  const { name = null, type = UNKNOWN_TYPE, size = null } = given as FileBody
  return new Body({ name, type, size }, () => chunksOf((given as FileBody).stream()))
}

function named({ content, name, type, size }: Extract<FileSource, { content: unknown }>): Body | null {
  const body = bodyOf(content)
  if (body === null) return null
  const { isReplayable } = body
  return new Body({ name: name ?? body.name, type: type ?? body.type, size: body.size ?? size ?? null, isReplayable }, () => body.stream())
}

function isIterable(value: object): value is AsyncIterable<Uint8Array> {
  return Symbol.asyncIterator in value || (typeof ReadableStream === "function" && value instanceof ReadableStream)
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  if (bytes.length > 0) yield bytes
}

async function* chunksOf(source: AsyncIterable<Uint8Array> | ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of source as AsyncIterable<Uint8Array>) {
    if (!(chunk instanceof Uint8Array)) throw new TypeError("a file's stream gave something that is no Uint8Array")
    if (chunk.length > 0) yield chunk
  }
}

const NAME_LENGTH_MAX = 200

/** The last step of a path, without what could command a terminal, a header field or a file system; `null` where nothing is left. */
export function safeName(given: string): string | null {
  const base = given.toWellFormed().split(/[/\\]/).at(-1)!
  // Control and format characters: a right-to-left mark makes "gpj.exe" of "exe.jpg".
  const name = [...base.replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cn}<>:"|?*]/gu, "").trim()].slice(0, NAME_LENGTH_MAX).join("")
  return /^\.*$/.test(name) ? null : name
}

/** Whether a media type is among those declared: `application/pdf`, `video/*`. None declared: every type is. */
export function isOfType(type: string, declared: readonly string[]): boolean {
  const plain = type.split(";")[0]!.trim().toLowerCase()
  return declared.length === 0 || declared.some((one) => (one.endsWith("/*") ? plain.startsWith(one.slice(0, -1)) : plain === one))
}

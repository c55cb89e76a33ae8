import type { Readable } from "node:stream"
import { Body } from "../contract/file-body.ts"
import type { Entry } from "../contract/ports.ts"
import { type Issue, TrestleError } from "../errors/trestle-error.ts"

/** What came with a request that carries a file: its fields as texts, and the file, where there is one. */
export interface Received {
  readonly fields: Readonly<Record<string, unknown>>
  readonly file: Body | null
}

/** Of all fields of a form, their names included, and of the heads of its parts. */
export const FORM_BYTES_MAX = 262_144
const FIELDS_MAX = 100
const FIELD_BYTES_MAX = 65_536
const NAME_BYTES_MAX = 200
const PART_HEAD_BYTES_MAX = 4_096

/**
 * Reads a form up to its file; the file's bytes come when they are asked for. Fields after the file would be checked after it was used, so
 * they are refused. Source: RFC 7578.
 *
 * @throws {TrestleError} `INVALID` for what is no such form.
 */
export async function receiveForm(entry: Entry): Promise<Received> {
  const { Busboy } = await import("@fastify/busboy")
  const limits = { fields: FIELDS_MAX, fieldSize: FIELD_BYTES_MAX, files: 1, headerPairs: 16, headerSize: PART_HEAD_BYTES_MAX }
  let form: Form
  try {
    const type = entry.head.headers["content-type"]!
    const isPartAFile = (name: string | undefined, _type: unknown, fileName: string | undefined): boolean =>
      name === "file" || fileName !== undefined
    form = new Form(new Busboy({ headers: { "content-type": type }, limits, isPartAFile }))
  } catch {
    throw refused([{ path: "", message: "it names no boundary" }])
  }
  return form.read(entry.chunks())
}

/** A real answer to whoever sent the form, even when it is found while a backend reads the file. */
function refused(issues: readonly Issue[]): TrestleError {
  return new TrestleError("INVALID", "The form cannot be taken.", { issues, reason: "answered" })
}

type Parser = InstanceType<typeof import("@fastify/busboy").Busboy>

/** One form on its way in. */
class Form {
  readonly #parser: Parser
  readonly #fields: Record<string, unknown> = Object.create(null)
  #fieldBytes = 0
  #hasFile = false
  #error: TrestleError | null = null
  /** Nobody wants the rest of the file. */
  #abandon!: () => void
  readonly #abandoned = new Promise<void>((resolve) => {
    this.#abandon = resolve
  })
  /** Settles when the whole form has been read. */
  #read!: Promise<void>

  constructor(parser: Parser) {
    this.#parser = parser
  }

  /** Resolves at the file, or at the end of a form without one. */
  read(chunks: AsyncIterable<Uint8Array>): Promise<Received> {
    return new Promise((resolve, reject) => {
      const parser = this.#parser
      parser.on("field", (name, value, _isNameCut, isCut) => this.#field(name, value, isCut))
      parser.on("fieldsLimit", () => this.#refuse("", `it has more than ${FIELDS_MAX} fields`))
      parser.on("filesLimit", () => this.#refuse("file", "is there twice"))
      parser.on("file", (name, stream, fileName, _encoding, type) => {
        this.#hasFile = true
        // Whoever reads it hears of it.
        stream.on("error", () => {})
        if (name !== "file") this.#refuse(name, "is a file; the file's field is named `file`")
        const about = { name: fileName ?? null, type, size: null }
        if (this.#error === null) resolve({ fields: this.#fields, file: new Body(about, () => this.#bytes(stream)) })
      })
      this.#read = this.#feed(chunks)
      this.#read.then(() => resolve({ fields: this.#fields, file: null }), reject)
    })
  }

  async #feed(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const parser = this.#parser
    const ended = new Promise<void>((resolve, reject) => {
      parser.on("finish", resolve).on("error", () => reject(refused([{ path: "", message: "it is not well-formed" }])))
    })
    // Heard of below, when the rest has been written.
    ended.catch(() => {})
    for await (const chunk of chunks) {
      if (!parser.write(chunk)) await Promise.race([new Promise((resolve) => parser.once("drain", resolve)), ended, this.#abandoned])
      if (this.#error) throw this.#error
    }
    parser.end()
    await ended
    if (this.#error) throw this.#error
  }

  /** Its end is known to be good only when the form's end is. */
  async *#bytes(stream: Readable): AsyncGenerator<Uint8Array, void, undefined> {
    // A form that breaks off leaves the file without an end.
    this.#read.catch((error) => stream.destroy(error))
    try {
      for await (const chunk of stream) yield chunk as Buffer
    } catch (error) {
      await this.#read
      throw error
    } finally {
      if (!stream.readableEnded) this.#refuse("file", "was not wanted to its end")
      this.#abandon()
    }
    await this.#read
  }

  #field(name: string | undefined, value: string, isCut: boolean): void {
    const field = name ?? ""
    this.#fieldBytes += Buffer.byteLength(field) + Buffer.byteLength(value)
    if (this.#hasFile) return this.#refuse(field, "comes after the file; send the fields before it")
    if (Buffer.byteLength(field) > NAME_BYTES_MAX) return this.#refuse("", `a field's name is longer than ${NAME_BYTES_MAX} bytes`)
    if (isCut || this.#fieldBytes > FORM_BYTES_MAX) return this.#refuse(field, "is too long")
    const before = this.#fields[field]
    this.#fields[field] = before === undefined ? value : [...(Array.isArray(before) ? before : [before]), value]
  }

  #refuse(path: string, message: string): void {
    this.#error ??= refused([{ path, message }])
  }
}

import { type Body, bodyOf, type FileSource } from "../../contract/file-body.ts"

/** A request body that is no JSON; made by `form`, `multipart` and `raw`. */
export interface BodyEncoding {
  readonly "~body": "form" | "multipart" | "raw"
}

type Scalar = string | number | boolean | null | undefined
/** One field, or the same field several times; `undefined` and `null` leave it out. */
export type FormFields = Readonly<Record<string, Scalar | readonly Scalar[]>>
/** Fields and files; a file's part carries its name and type. */
export type MultipartFields = Readonly<Record<string, Scalar | FileSource | readonly (Scalar | FileSource)[]>>

export const FORM_TYPE = "application/x-www-form-urlencoded"

/** A body of `application/x-www-form-urlencoded`: `body: form((i) => ({ name: i.name }))`. */
export function form<V>(map: (input: V) => FormFields): ((input: V) => unknown) & BodyEncoding {
  const encode = (input: V): string => {
    const fields = new URLSearchParams()
    for (const [name, value] of pairsOf(map(input))) fields.append(name, String(value))
    return fields.toString()
  }
  return Object.assign(encode, { "~body": "form" as const })
}

/**
 * A body of `multipart/form-data`, sent as it is read: `body: multipart((i) => ({ title: i.title, file: i.file }))`. Its length is said
 * where every file's size is known. Source: RFC 7578.
 */
export function multipart<V>(map: (input: V) => MultipartFields): ((input: V) => unknown) & BodyEncoding {
  return Object.assign((input: V) => new Upload(partsOf(map(input)), `trestle-${crypto.randomUUID()}`), { "~body": "multipart" as const })
}

/** The file itself as the body, with its type: `body: raw((i) => i.file)`. */
export function raw<V>(map: (input: V) => FileSource): ((input: V) => unknown) & BodyEncoding {
  return Object.assign((input: V) => new Upload([{ head: "", file: fileIn("the body", map(input)) }], null), { "~body": "raw" as const })
}

interface Part {
  readonly head: string
  readonly file: Body | Uint8Array
}

/** A body that is sent as it is read. */
export class Upload {
  readonly type: string
  /** `null` where only the end will tell. */
  readonly size: number | null
  readonly #parts: readonly Part[]
  readonly #boundary: string | null

  constructor(parts: readonly Part[], boundary: string | null) {
    this.#parts = parts
    this.#boundary = boundary
    this.type = boundary === null ? (parts[0]!.file as Body).type : `multipart/form-data; boundary=${boundary}`
    this.size = parts.reduce<number | null>((sum, part) => together(sum, this.#sizeOf(part)), boundary === null ? 0 : boundary.length + 6)
  }

  /** Some of it has been read, and it cannot be read again. */
  get isSpent(): boolean {
    return this.#parts.some(({ file }) => "isSpent" in file && file.isSpent)
  }

  async *open(): AsyncGenerator<Uint8Array, void, undefined> {
    for (const { head, file } of this.#parts) {
      if (this.#boundary !== null) yield Buffer.from(`--${this.#boundary}\r\n${head}\r\n\r\n`)
      if (file instanceof Uint8Array) yield file
      else yield* file.stream()
      if (this.#boundary !== null) yield Buffer.from("\r\n")
    }
    if (this.#boundary !== null) yield Buffer.from(`--${this.#boundary}--\r\n`)
  }

  #sizeOf({ head, file }: Part): number | null {
    const size = file instanceof Uint8Array ? file.length : file.size
    // Two dashes and three line ends, one of them double.
    return this.#boundary === null ? size : together(size, this.#boundary.length + Buffer.byteLength(head) + 10)
  }
}

function together(one: number | null, other: number | null): number | null {
  return one === null || other === null ? null : one + other
}

function partsOf(fields: MultipartFields): Part[] {
  return pairsOf(fields).map(([name, value]) => {
    const disposition = `Content-Disposition: form-data; name="${quoted(name)}"`
    if (typeof value !== "object" || value === null) return { head: disposition, file: Buffer.from(String(value)) }
    const file = fileIn(name, value)
    return { head: `${disposition}; filename="${quoted(file.name ?? "file")}"\r\nContent-Type: ${file.type}`, file }
  })
}

function pairsOf<T>(fields: Readonly<Record<string, T | readonly T[]>>): [string, NonNullable<T>][] {
  return Object.entries(fields).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value])
      .filter((one) => one !== undefined && one !== null)
      .map((one): [string, NonNullable<T>] => [name, one]),
  )
}

/** As browsers do it. Source: HTML Standard, "Multipart form data". */
function quoted(text: string): string {
  return text.toWellFormed().replaceAll("\r", "%0D").replaceAll("\n", "%0A").replaceAll('"', "%22")
}

function fileIn(name: string, value: unknown): Body {
  const body = bodyOf(value)
  if (body === null) throw new TypeError(`${name} is no file: bytes, a Blob, a stream or a FileBody`)
  return body
}

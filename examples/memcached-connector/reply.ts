// memcached's answers, out of the pieces in which they arrive.

export interface Reply {
  /** The first line: `STORED`, `END`, `VALUE ...`, `CLIENT_ERROR ...`. */
  readonly line: string
  /** What a `get` has found. */
  readonly text: string | null
}

export class Unreadable extends Error {}

const LINE_BYTES_MAX = 2_048
/** memcached's own default for an item. */
const VALUE_BYTES_MAX = 1_048_576
const NEW_LINE = Buffer.from("\r\n")
const LINES = /^(?:STORED|NOT_STORED|END|ERROR|VALUE \S+ \d+ \d+|(?:CLIENT|SERVER)_ERROR .*|VERSION .*)$/

/** Collects the bytes of one answer. */
export class ReplyReader {
  #bytes = Buffer.alloc(0)

  /** @returns the answer when it is whole. @throws {Unreadable} when it can never become one, or is larger than allowed. */
  take(bytes: Buffer): Reply | null {
    this.#bytes = Buffer.concat([this.#bytes, bytes])
    const end = this.#bytes.indexOf(NEW_LINE)
    if (end < 0 && this.#bytes.length > LINE_BYTES_MAX) throw new Unreadable("a line without end")
    if (end < 0) return null
    const line = this.#bytes.toString("latin1", 0, end)
    if (!LINES.test(line)) throw new Unreadable("not an answer of memcached")
    if (!line.startsWith("VALUE ")) return { line, text: null }
    return this.#value(line, end + NEW_LINE.length)
  }

  #value(line: string, start: number): Reply | null {
    const length = Number(line.split(" ")[3])
    if (length > VALUE_BYTES_MAX) throw new Unreadable(`a value of ${length} bytes`)
    const rest = "\r\nEND\r\n"
    if (this.#bytes.length < start + length + rest.length) return null
    if (this.#bytes.toString("latin1", start + length) !== rest) throw new Unreadable("a value that does not end where it says")
    return { line, text: this.#bytes.toString("utf8", start, start + length) }
  }
}

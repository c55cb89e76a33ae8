/**
 * How answers are written to a file, so that a key ring can stand in the place of plain text. `key` names the row: an encrypting seal binds
 * it, so that no row can be passed off as another.
 */
export interface Seal {
  seal(text: string, key: string): Uint8Array
  /** `null` for what it cannot read: it then counts as lost. */
  open(bytes: Uint8Array, key: string): string | null
}

/** Text as it is, behind the file's mode alone. */
export const PLAIN: Seal = {
  seal: (text) => Buffer.from(text, "utf8"),
  open: (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8"),
}

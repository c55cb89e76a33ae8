import { cloned, kept } from "../base/kept-value.ts"
import { failure } from "../contract/failure.ts"
import { PLAIN, type Seal } from "./seal.ts"

/** Sealed bytes as a text for a column: plain text stays readable, anything else is written in base64. */
export class SealedText {
  readonly #seal: Seal

  constructor(seal: Seal) {
    this.#seal = seal
  }

  /** @throws {TrestleError} `refused`: it is no JSON, such as a bigint or a circle. */
  write(value: unknown, key: string): string {
    const text = asJson(value)
    return this.#seal === PLAIN ? text : Buffer.from(this.#seal.seal(text, key)).toString("base64")
  }

  /**
   * Any value that can be cloned: as JSON where that says all of it, else in the form of the structured clone algorithm, for answers may
   * hold a Date. Later versions of V8 read what earlier ones have written.
   *
   * @throws {DataCloneError} for what cannot be kept: a function, a stream.
   */
  writeAny(value: unknown, key: string): string {
    return this.write(cloned(value), key)
  }

  /** `null` for what cannot be read. */
  readAny(text: string, key: string): unknown {
    return kept(this.read(text, key))
  }

  /** `null` for what cannot be read. */
  read(text: string, key: string): unknown {
    try {
      const plain = this.#seal === PLAIN ? text : this.#seal.open(Buffer.from(text, "base64"), key)
      return plain === null ? null : JSON.parse(plain)
    } catch {
      return null
    }
  }
}

function asJson(value: unknown): string {
  try {
    return JSON.stringify(value)
  } catch (cause) {
    throw failure("request-not-mapped", "write", { cause, note: "what is to be kept in the store must be JSON; convert it first" })
  }
}

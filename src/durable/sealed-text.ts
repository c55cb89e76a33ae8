import { PLAIN, type Seal } from "./seal.ts"

/** Sealed bytes as a text for a column: plain text stays readable, anything else is written in base64. */
export class SealedText {
  readonly #seal: Seal

  constructor(seal: Seal) {
    this.#seal = seal
  }

  write(value: unknown, key: string): string {
    const text = JSON.stringify(value)
    return this.#seal === PLAIN ? text : Buffer.from(this.#seal.seal(text, key)).toString("base64")
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

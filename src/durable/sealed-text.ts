import { deserialize, serialize } from "node:v8"
import { PLAIN, type Seal } from "./seal.ts"

/** Before a value that JSON cannot say. */
const CLONED = "~"

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

  /**
   * Any value that can be cloned: as JSON where that says all of it, else in the form of the structured clone algorithm, for answers may
   * hold a Date. Later versions of V8 read what earlier ones have written.
   *
   * @throws {DataCloneError} for what cannot be kept: a function, a stream.
   */
  writeAny(value: unknown, key: string): string {
    return this.write(isJson(value) ? value : CLONED + serialize(value).toString("base64"), key)
  }

  /** `null` for what cannot be read. */
  readAny(text: string, key: string): unknown {
    const value = this.read(text, key)
    if (typeof value !== "string" || !value.startsWith(CLONED)) return value
    return deserialize(Buffer.from(value.slice(CLONED.length), "base64"))
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

/** Whether JSON gives it back as it is. */
function isJson(value: unknown): boolean {
  switch (typeof value) {
    case "string":
      return !value.startsWith(CLONED)
    case "number":
      return Number.isFinite(value) && !Object.is(value, -0)
    case "boolean":
      return true
    case "object":
      return value === null || (Array.isArray(value) ? value.every(isJson) : isPlain(value) && Object.values(value).every(isJson))
    default:
      return false
  }
}

function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value)
  return (prototype === Object.prototype || prototype === null) && !Object.hasOwn(value, "__proto__") && !Object.hasOwn(value, "toJSON")
}

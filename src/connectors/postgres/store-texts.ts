import { assert } from "../../base/assert.ts"
import { failure } from "../../contract/failure.ts"
import { isStorable, type StoreStatement, type StoreValue } from "../../contract/store.ts"
import type { StoreAsked } from "./store-folds.ts"

/** Texts are constants of the program; more of them than this are texts into which values were written. */
const TEXTS_MAX = 1_000
export const INT8 = 20
const TEXT = 25
/** Its type is for the server to find out. */
export const NULL = 0

interface Text {
  readonly text: string
  readonly name: string
}

/** The statements of a store as PostgreSQL takes them: values by number, with their types, each prepared once per connection. */
export class StoreTexts {
  readonly #name: string
  readonly #known = new Map<string, Text>()

  constructor(name: string) {
    this.#name = name
  }

  /** @throws {TrestleError} `refused`: a value that no store keeps. */
  asked({ text, values, rowId }: StoreStatement): StoreAsked {
    for (const value of values) if (!isStorable(value)) throw this.#unstorable()
    const known = this.#known.get(text) ?? this.#numbered(text)
    const types = values.map(typeOf)
    // With a number in the place of nothing it is another statement to the server.
    return { text: known.text, values, types, name: `${known.name}_${types.map((type) => KINDS[type]).join("")}`, rowId }
  }

  #numbered(text: string): Text {
    assert(this.#known.size < TEXTS_MAX, `the store has met more than ${TEXTS_MAX} texts; what varies must be bound`)
    let count = 0
    const made = { text: text.replace(/\?/g, () => `$${++count}`), name: `trestle_${this.#known.size}` }
    this.#known.set(text, made)
    return made
  }

  #unstorable(): Error {
    const what = "texts without NUL and without half of a character, whole numbers within 2^53, or null"
    return failure("request-not-mapped", "write", { note: `${this.#name}: the values of a statement must be ${what}` })
  }
}

const KINDS: Readonly<Record<number, string>> = { [INT8]: "n", [TEXT]: "t", [NULL]: "x" }

function typeOf(value: StoreValue): number {
  return value === null ? NULL : typeof value === "number" ? INT8 : TEXT
}

import type { Redactor } from "../base/redact.ts"

/** Texts that are their own JSON encoding between quotes; nearly all that is logged. */
const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/
/** Legal in JSON, yet a line break or a command to some reader of logs: DEL and C1 (NEL, CSI), U+2028 and U+2029, marks of direction, BOM. */
const AWKWARD = /[\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g
const MEMO_MAX = 1_000

/** The text as a JSON string that no reader takes for more than one line. */
export function jsonText(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : escapeAwkward(JSON.stringify(text))
}

/** Of a whole JSON text: outside of its strings these characters cannot stand, so that it stays the same JSON. */
export function escapeAwkward(json: string): string {
  return json.replace(AWKWARD, unicodeEscape)
}

export function unicodeEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`
}

/**
 * Redacts and encodes texts that come again and again, once each, with constant JSON before and after. Holds 1,000 of them, each cut at
 * `lengthMax`; forgets all when full,
 * and when the redactor has learned a new secret.
 */
export class QuotedTexts {
  readonly #redactor: Redactor
  readonly #lengthMax: number
  readonly #before: string
  readonly #after: string
  readonly #known = new Map<string, string>()
  #version = -1

  constructor(redactor: Redactor, lengthMax: number, before = "", after = "") {
    this.#redactor = redactor
    this.#lengthMax = lengthMax
    this.#before = before
    this.#after = after
  }

  get(text: string): string {
    if (this.#version !== this.#redactor.version) {
      this.#known.clear()
      this.#version = this.#redactor.version
    }
    return this.#known.get(text) ?? this.#add(text)
  }

  #add(text: string): string {
    // Cut after masking: half of a secret would not be recognised.
    const safe = this.#redactor.text(text)
    const cut = safe.length > this.#lengthMax ? `${safe.slice(0, this.#lengthMax)}…` : safe
    const quoted = this.#before + jsonText(cut) + this.#after
    if (text.length > this.#lengthMax) return quoted
    if (this.#known.size >= MEMO_MAX) this.#known.clear()
    this.#known.set(text, quoted)
    return quoted
  }
}

const THREE_DIGITS = Array.from({ length: 1_000 }, (_, i) => String(i).padStart(3, "0"))

/** ISO 8601 in UTC with milliseconds, without the `Z`, after a constant text; formatted up to the second once and kept while it lasts. */
export class Timestamps {
  readonly #before: string
  #second = Number.NaN
  #text = ""

  constructor(before = "") {
    this.#before = before
  }

  of(epochMs: number): string {
    const second = Math.floor(epochMs / 1_000)
    if (second !== this.#second) {
      this.#text = this.#before + new Date(second * 1_000).toISOString().slice(0, -4)
      this.#second = second
    }
    return this.#text + THREE_DIGITS[Math.floor(epochMs - second * 1_000)]
  }
}

const DECIMALS = Array.from({ length: 100 }, (_, i) => `.${String(i).padStart(2, "0")}`)
const SMALL_INTEGER_MAX = 2 ** 30

/** A number of milliseconds with two decimals, as JSON; 0 for what is no duration. By integers, which costs a third of `toFixed`. */
export function jsonMs(ms: number): string {
  const hundredths = Math.round(ms * 100)
  if (!(hundredths >= 0)) return "0"
  if (hundredths > SMALL_INTEGER_MAX) return Number.isFinite(ms) ? String(Math.round(ms)) : "0"
  const rest = hundredths % 100
  return (hundredths - rest) / 100 + DECIMALS[rest]!
}

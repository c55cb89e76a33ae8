import { REDACTED, type RedactOptions, ValueRedaction } from "./redact-value.ts"
import { SECRET_LENGTH_MIN, secretForms } from "./secret-forms.ts"

export { isSecretKey, REDACTED, type RedactOptions } from "./redact-value.ts"

const TEXT_LENGTH_MAX = 8_192

/**
 * Masks secrets before anything is written, by key and by value: a token in an error message, in a URL or in an encoded header is
 * found because its value is known. Add every secret when it is resolved. Does not mask values shorter than 6 characters.
 */
export class Redactor {
  #pattern: RegExp | null = null
  #longest = 0
  #version = 0
  readonly #values = new Set<string>()

  /** Grows with every `add`: what was masked under an older version may show a newer secret. */
  get version(): number {
    return this.#version
  }

  /** Masks this value from now on, as it is and as base64, hexadecimal, URL, form and JSON encode it. */
  add(secret: string): void {
    if (secret.length < SECRET_LENGTH_MIN) return
    for (const form of secretForms(secret)) this.#values.add(form)
    const longestFirst = [...this.#values].sort((a, b) => b.length - a.length)
    this.#longest = longestFirst[0]?.length ?? 0
    this.#pattern = longestFirst.length > 0 ? new RegExp(longestFirst.map(escapeForPattern).join("|"), "g") : null
    this.#version++
  }

  /** The text with every known secret masked, cut at 8,192 characters. */
  text(text: string): string {
    if (text.length > TEXT_LENGTH_MAX) return `${this.#beginning(text)}… (${text.length} characters)`
    return this.#pattern ? text.replace(this.#pattern, REDACTED) : text
  }

  /** A copy with every secret masked; bounded in depth and size, safe for cycles and for getters that throw. Plain JSON comes out. */
  value(value: unknown, options: RedactOptions = {}): unknown {
    return new ValueRedaction((text) => this.text(text), options).copy(value, 0)
  }

  /** A secret that lies across the cut goes whole: half of it would not be recognised any more. */
  #beginning(text: string): string {
    if (!this.#pattern) return text.slice(0, TEXT_LENGTH_MAX)
    for (const match of text.slice(0, TEXT_LENGTH_MAX + this.#longest).matchAll(this.#pattern)) {
      if (match.index >= TEXT_LENGTH_MAX) break
      if (match.index + match[0].length > TEXT_LENGTH_MAX) return text.slice(0, match.index).replace(this.#pattern, REDACTED) + REDACTED
    }
    return text.slice(0, TEXT_LENGTH_MAX).replace(this.#pattern, REDACTED)
  }
}

function escapeForPattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&")
}

import { SECRET_LENGTH_MIN, secretForms } from "./secret-forms.ts"

/** What stands in a log line in the place of something secret. */
export const REDACTED = "[redacted]"

/** Keys whose value is never shown, whatever it is; compared without case, `-` and `_`. The second half also ends longer keys: `dbPassword`. */
const SECRET_KEYS =
  /^(authorization|proxyauthorization|cookie|setcookie|pwd|credentials?|sessionid|cardnumber|cvv|cvc|pin|ssn)$|(passwd|password|passphrase|secret|token|apikey|privatekey)$/

const DEPTH_MAX = 8
const ENTRIES_MAX = 100
/** Over the whole value: a value that holds itself a hundred times would otherwise be copied a hundred times at every depth. */
const OBJECTS_MAX = 1_000
const TEXT_LENGTH_MAX = 8_192

export interface RedactOptions {
  /** Stacks of errors are kept. Default `true`; reading one costs some 10 µs. */
  readonly stacks?: boolean
}

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
    return new Walk(this, options.stacks ?? true).copy(value, 0)
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

/** One pass over one value. */
class Walk {
  readonly #redactor: Redactor
  readonly #stacks: boolean
  readonly #above = new Set<object>()
  #objects = 0

  constructor(redactor: Redactor, stacks: boolean) {
    this.#redactor = redactor
    this.#stacks = stacks
  }

  copy(value: unknown, depth: number): unknown {
    if (typeof value === "string") return this.#redactor.text(value)
    if (typeof value === "bigint" || typeof value === "symbol") return this.#redactor.text(String(value))
    if (typeof value === "function") return "[function]"
    if (typeof value !== "object" || value === null) return value
    if (this.#above.has(value)) return "[circular]"
    if (depth >= DEPTH_MAX) return "[deeper]"
    if (++this.#objects > OBJECTS_MAX) return "[more]"
    this.#above.add(value)
    try {
      return this.#object(value, depth)
    } catch {
      return "[unreadable]"
    } finally {
      this.#above.delete(value)
    }
  }

  #object(value: object, depth: number): unknown {
    if (value instanceof Error || Object.prototype.toString.call(value) === "[object Error]") return this.#error(value, depth)
    if (Array.isArray(value)) return this.#list(value, value.length, depth)
    if (value instanceof Set) return this.#list(value, value.size, depth)
    if (value instanceof Map)
      return this.#entries(
        [...first(value)].map(([key, entry]) => [keyText(key), () => entry]),
        value.size,
        depth,
      )
    if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `[${value.byteLength} bytes]`
    if (value instanceof Date) return Number.isNaN(value.getTime()) ? "Invalid Date" : value.toISOString()
    if (value instanceof URL) return this.#redactor.text(withoutPassword(value))
    // A boxed string would come out letter by letter, where no secret is recognised.
    if (value instanceof String || value instanceof RegExp || value instanceof URLSearchParams) return this.#redactor.text(value.toString())
    const keys = Object.keys(value)
    return this.#entries(
      keys.slice(0, ENTRIES_MAX).map((key) => [key, () => (value as Record<string, unknown>)[key]]),
      keys.length,
      depth,
    )
  }

  #list(values: Iterable<unknown>, length: number, depth: number): unknown[] {
    const copies = [...first(values)].map((entry) => this.copy(entry, depth + 1))
    return length > ENTRIES_MAX ? [...copies, `[${length - ENTRIES_MAX} more]`] : copies
  }

  #entries(entries: readonly (readonly [string, () => unknown])[], length: number, depth: number): Record<string, unknown> {
    const copies = entries.map(([key, read]) => [this.#redactor.text(key), this.#field(key, read, depth)] as const)
    if (length > ENTRIES_MAX) copies.push(["[more]", length - ENTRIES_MAX])
    // Not by assignment: the key `__proto__` would set the copy's prototype.
    return Object.fromEntries(copies)
  }

  #field(key: string, read: () => unknown, depth: number): unknown {
    try {
      const value = read()
      return isSecretKey(key) && value != null ? REDACTED : this.copy(value, depth + 1)
    } catch {
      return "[unreadable]"
    }
  }

  /** Only what helps: libraries hang whole requests, tokens included, on their error objects. */
  #error(error: object, depth: number): Record<string, unknown> {
    const { name, message, code, reason, cause, errors } = error as Record<string, unknown>
    const stack = this.#stacks ? (error as { stack?: unknown }).stack : undefined
    return {
      type: this.#redactor.text(String(name)),
      message: this.#redactor.text(String(message)),
      ...(typeof code === "string" || typeof code === "number" ? { code: this.copy(code, depth) } : {}),
      ...(typeof reason === "string" ? { reason: this.#redactor.text(reason) } : {}),
      ...(typeof stack === "string" ? { stack: this.#redactor.text(stack) } : {}),
      ...(cause !== undefined ? { cause: this.copy(cause, depth + 1) } : {}),
      ...(Array.isArray(errors) ? { errors: this.copy(errors, depth + 1) } : {}),
    }
  }
}

export function isSecretKey(key: string): boolean {
  return SECRET_KEYS.test(key.toLowerCase().replace(/[-_]/g, ""))
}

function* first<T>(values: Iterable<T>): Generator<T> {
  let count = 0
  for (const value of values) {
    if (count++ === ENTRIES_MAX) return
    yield value
  }
}

function keyText(key: unknown): string {
  return typeof key === "object" || typeof key === "function" ? "[object]" : String(key)
}

function withoutPassword(url: URL): string {
  if (url.password === "") return url.href
  const copy = new URL(url)
  copy.password = REDACTED
  return copy.href.replace(copy.password, REDACTED)
}

function escapeForPattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&")
}

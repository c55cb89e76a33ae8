/** What stands in a log line in the place of something secret. */
export const REDACTED = "[redacted]"

/** Keys whose value is never shown, whatever it is; compared without case, `-` and `_`. The second half also ends longer keys: `dbPassword`. */
const SECRET_KEYS =
  /^(authorization|proxyauthorization|cookie|setcookie|pwd|credentials?|sessionid|cardnumber|cvv|cvc|pin|ssn)$|(passwd|password|passphrase|secret|token|apikey|privatekey)$/

const DEPTH_MAX = 8
const ENTRIES_MAX = 100
/** Over the whole value: a value that holds itself a hundred times would otherwise be copied a hundred times at every depth. */
const VALUES_MAX = 1_000
const ALL_TEXT_LENGTH_MAX = 65_536
export interface RedactOptions {
  /** Stacks of errors are kept. Default `true`; reading one costs some 10 µs. */
  readonly stacks?: boolean
}

/** One pass over one value; `mask` is what masks a text. */
export class ValueRedaction {
  readonly #mask: (text: string) => string
  readonly #stacks: boolean
  readonly #above = new Set<object>()
  #values = 0
  #textLength = 0

  constructor(mask: (text: string) => string, { stacks = true }: RedactOptions) {
    this.#mask = mask
    this.#stacks = stacks
  }

  copy(value: unknown, depth: number): unknown {
    if (++this.#values > VALUES_MAX) return "[more]"
    if (typeof value === "string") return this.#text(value)
    if (typeof value === "bigint" || typeof value === "symbol") return this.#text(String(value))
    if (typeof value === "function") return "[function]"
    if (typeof value !== "object" || value === null) return value
    if (this.#above.has(value)) return "[circular]"
    if (depth >= DEPTH_MAX) return "[deeper]"
    this.#above.add(value)
    try {
      return this.#object(value, depth)
    } catch {
      return "[unreadable]"
    } finally {
      this.#above.delete(value)
    }
  }

  #text(text: string): string {
    if (this.#textLength > ALL_TEXT_LENGTH_MAX) return "[more]"
    const masked = this.#mask(text)
    this.#textLength += masked.length
    return masked
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
    if (value instanceof URL) return this.#text(withoutPassword(value))
    // Its source writes a secret with other characters between.
    if (value instanceof RegExp) return "[pattern]"
    // A boxed string would come out letter by letter, where no secret is recognised.
    if (value instanceof String || value instanceof URLSearchParams) return this.#text(value.toString())
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
    const copies = entries.map(([key, read]) => [this.#text(key), this.#field(key, read, depth)] as const)
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
      type: this.#text(String(name)),
      message: this.#text(String(message)),
      ...(typeof code === "string" || typeof code === "number" ? { code: this.copy(code, depth) } : {}),
      ...(typeof reason === "string" ? { reason: this.#text(reason) } : {}),
      ...(typeof stack === "string" ? { stack: this.#text(stack) } : {}),
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

/** What stands in a log line in the place of something secret. */
export const REDACTED = "[redacted]"

/** Keys whose value is never shown, whatever it is; compared without case, `-` and `_`. */
const SECRET_KEYS =
  /^(authorization|proxyauthorization|cookie|setcookie|password|passwd|pwd|passphrase|secret|clientsecret|token|accesstoken|refreshtoken|idtoken|apikey|xapikey|privatekey|credential|credentials|sessionid|cardnumber|cvv|cvc|pin|ssn)$/

/** A shorter secret would turn half of a log into stars, and is no secret. */
const SECRET_LENGTH_MIN = 6
const DEPTH_MAX = 8
const ENTRIES_MAX = 100
const TEXT_LENGTH_MAX = 8_192

/**
 * Masks secrets before anything is written, by key and by value: a token in an error message, in a URL or in an encoded header is
 * found because its value is known. Add every secret when it is resolved.
 */
export class Redactor {
  #pattern: RegExp | null = null
  readonly #values = new Set<string>()

  /** Masks this value from now on, as it is and as base64, URL and JSON encode it. */
  add(secret: string): void {
    if (secret.length < SECRET_LENGTH_MIN) return
    for (const form of encodedForms(secret)) this.#values.add(form)
    const longestFirst = [...this.#values].sort((a, b) => b.length - a.length)
    this.#pattern = new RegExp(longestFirst.map(escapeForPattern).join("|"), "g")
  }

  text(text: string): string {
    const bounded = text.length > TEXT_LENGTH_MAX ? `${text.slice(0, TEXT_LENGTH_MAX)}… (${text.length} characters)` : text
    return this.#pattern ? bounded.replace(this.#pattern, REDACTED) : bounded
  }

  /** A copy with every secret masked; bounded in depth and size, safe for cycles. */
  value(value: unknown, depth = 0): unknown {
    if (typeof value === "string") return this.text(value)
    if (typeof value !== "object" || value === null) return typeof value === "bigint" || typeof value === "symbol" ? String(value) : value
    if (depth >= DEPTH_MAX) return "[deeper]"
    if (value instanceof Error) return this.#error(value, depth)
    if (Array.isArray(value)) return value.slice(0, ENTRIES_MAX).map((entry) => this.value(entry, depth + 1))
    if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`
    return this.#record(value as Record<string, unknown>, depth)
  }

  #record(record: Record<string, unknown>, depth: number): Record<string, unknown> {
    const copy: Record<string, unknown> = {}
    for (const key of Object.keys(record).slice(0, ENTRIES_MAX)) {
      copy[this.text(key)] = isSecretKey(key) && record[key] != null ? REDACTED : this.value(record[key], depth + 1)
    }
    return copy
  }

  /** Only what helps: libraries hang whole requests, tokens included, on their error objects. */
  #error(error: Error, depth: number): Record<string, unknown> {
    const { code, reason } = error as { code?: unknown; reason?: unknown }
    return {
      type: error.name,
      message: this.text(error.message),
      ...(typeof code === "string" || typeof code === "number" ? { code } : {}),
      ...(typeof reason === "string" ? { reason } : {}),
      ...(error.stack ? { stack: this.text(error.stack) } : {}),
      ...(error.cause !== undefined ? { cause: this.value(error.cause, depth + 1) } : {}),
    }
  }
}

export function isSecretKey(key: string): boolean {
  return SECRET_KEYS.test(key.toLowerCase().replace(/[-_]/g, ""))
}

function encodedForms(secret: string): string[] {
  const base64 = Buffer.from(secret).toString("base64")
  const forms = [secret, base64, base64.replace(/=+$/, ""), base64.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "")]
  return [...forms, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)]
}

function escapeForPattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&")
}

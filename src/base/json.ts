/** Why a text was not accepted as JSON; `at` is a JSON pointer where there is one to give. */
export interface JsonRefusal {
  readonly refused: "syntax" | "depth" | "forbidden-key"
  readonly message: string
}

export type JsonReading = { readonly value: unknown } | JsonRefusal

/** Deep enough for any honest document, shallow enough for every recursive reader behind it. */
export const JSON_DEPTH_MAX = 32

/**
 * Parses untrusted JSON: bounded depth, no `__proto__` key and no `constructor.prototype` anywhere.
 * Never throws.
 */
export function readJson(text: string, depthMax: number = JSON_DEPTH_MAX): JsonReading {
  if (exceedsDepth(text, depthMax)) return { refused: "depth", message: `nested deeper than ${depthMax} levels` }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    return { refused: "syntax", message: syntaxMessage(error as SyntaxError) }
  }
  // A forbidden key must appear literally or through an escape; texts with neither need no walk.
  if (/__proto__|"constructor"|\\u00/.test(text)) {
    const place = forbiddenKey(value, "")
    if (place !== undefined) return { refused: "forbidden-key", message: `the key ${place} is not allowed` }
  }
  return { value }
}

const QUOTE = 34
const BACKSLASH = 92
const OPEN_BRACKET = 91
const CLOSE_BRACKET = 93
const OPEN_BRACE = 123
const CLOSE_BRACE = 125

function exceedsDepth(text: string, depthMax: number): boolean {
  if (text.length <= depthMax) return false
  let depth = 0
  let isInString = false
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (isInString) {
      if (code === BACKSLASH) i++
      else if (code === QUOTE) isInString = false
    } else if (code === QUOTE) isInString = true
    else if (code === OPEN_BRACE || code === OPEN_BRACKET) {
      if (++depth > depthMax) return true
    } else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) depth--
  }
  return false
}

function forbiddenKey(value: unknown, path: string): string | undefined {
  if (typeof value !== "object" || value === null) return undefined
  for (const key of Object.keys(value)) {
    const place = `${path}/${key}`
    if (key === "__proto__") return place
    const inner = (value as Record<string, unknown>)[key]
    if (key === "constructor" && typeof inner === "object" && inner !== null && Object.hasOwn(inner, "prototype"))
      return `${place}/prototype`
    const found = forbiddenKey(inner, place)
    if (found !== undefined) return found
  }
  return undefined
}

/** V8 quotes the text around the mistake; a caller's own text may hold a secret and must not come back in a log, so only the place stays. */
function syntaxMessage(error: SyntaxError): string {
  const position = /at position (\d+)/.exec(error.message)
  if (position) return `not valid JSON at character ${Number(position[1]) + 1}`
  return /end of JSON|Unterminated/.test(error.message) ? "not valid JSON: it ends too early" : "not valid JSON"
}

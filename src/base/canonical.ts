const DEPTH_MAX = 64

/**
 * A text that two values share only when they are alike, whatever the order of their fields. Takes plain values (those of JSON, dates,
 * bigints, `undefined`); `null` for anything else.
 */
export function canonical(value: unknown, depth = 0): string | null {
  switch (typeof value) {
    case "string":
      return JSON.stringify(value)
    case "number":
    case "boolean":
    case "undefined":
      return String(value)
    case "bigint":
      return `${value}n`
    case "object":
      if (value === null) return "null"
      return depth < DEPTH_MAX ? structure(value, depth + 1) : null
    default:
      return null
  }
}

function structure(value: object, depth: number): string | null {
  if (Array.isArray(value)) return list(value, depth)
  const prototype = Object.getPrototypeOf(value)
  if (prototype === Date.prototype) return `@${(value as Date).getTime()}`
  return prototype === Object.prototype || prototype === null ? fields(value as Record<string, unknown>, depth) : null
}

function list(values: readonly unknown[], depth: number): string | null {
  let text = "["
  for (let i = 0; i < values.length; i++) {
    const item = canonical(values[i], depth)
    if (item === null) return null
    text += `${item},`
  }
  return `${text}]`
}

function fields(value: Record<string, unknown>, depth: number): string | null {
  let text = "{"
  for (const name of Object.keys(value).sort()) {
    const field = canonical(value[name], depth)
    if (field === null) return null
    text += `${JSON.stringify(name)}:${field},`
  }
  return `${text}}`
}

/**
 * The same for maps, sets and bytes too, which keep the order of their fields; `null` where something would be left out, so that two values that
 * differ could look alike: a circle, a function, an object of a class.
 */
export function exactText(value: unknown): string | null {
  return canonical(value) ?? exactJson(value)
}

function exactJson(value: unknown): string | null {
  let isExact = true
  try {
    const text = JSON.stringify(value, (_name, part: unknown) => {
      if (part instanceof Map || part instanceof Set) return [part instanceof Map ? "map" : "set", ...part]
      isExact &&= typeof part === "object" ? isPlain(part) : typeof part !== "function" && typeof part !== "symbol"
      return part
    })
    return isExact ? text : null
  } catch {
    return null
  }
}

function isPlain(value: object | null): boolean {
  if (value === null || Array.isArray(value) || ArrayBuffer.isView(value)) return true
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

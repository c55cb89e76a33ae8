import { deserialize, serialize } from "node:v8"

/** Before a value that JSON cannot say. */
const CLONED = "~"

/**
 * A value as JSON can carry it: itself where that says all of it, else its structured clone as a text, for answers may hold a Date. Later
 * versions of V8 read what earlier ones have written.
 *
 * @throws {DataCloneError} for what cannot be kept: a function, a stream.
 */
export function cloned(value: unknown): unknown {
  return isJson(value) ? value : CLONED + serialize(value).toString("base64")
}

/** The value that `cloned` was given. */
export function kept(value: unknown): unknown {
  return typeof value === "string" && value.startsWith(CLONED) ? deserialize(Buffer.from(value.slice(CLONED.length), "base64")) : value
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

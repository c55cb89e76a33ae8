import { types } from "node:util"
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

/** A value would not come back as it is. */
export class NotKept extends TypeError {}

/**
 * Sees that a value will come back as it is: a function cannot, and an object of a class would have lost its methods.
 *
 * @param what the value, for people
 * @throws {NotKept} names the part that cannot be kept.
 */
export function seeThatItIsKept(value: unknown, what: string): void {
  if (!isJson(value)) refuseUnkept(value, what, new Set())
}

function refuseUnkept(value: unknown, place: string, seen: Set<unknown>): void {
  if (typeof value === "function" || typeof value === "symbol") throw new NotKept(`${place} is a ${typeof value}`)
  if (typeof value !== "object" || value === null || seen.has(value)) return
  seen.add(value)
  if (Array.isArray(value)) for (const [i, item] of value.entries()) refuseUnkept(item, `${place}[${i}]`, seen)
  else if (value instanceof Map || value instanceof Set)
    for (const item of value) refuseUnkept(item, `${place}, in the ${nameOf(value)},`, seen)
  else if (isRecord(value)) for (const [name, field] of Object.entries(value)) refuseUnkept(field, `${place}.${name}`, seen)
  else if (!isCloned(value)) throw new NotKept(`${place} is of the class ${nameOf(value)}`)
}

function isRecord(value: object): boolean {
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

function isCloned(value: object): boolean {
  const { isDate, isRegExp, isAnyArrayBuffer, isNativeError, isBoxedPrimitive } = types
  return ArrayBuffer.isView(value) || [isDate, isRegExp, isAnyArrayBuffer, isNativeError, isBoxedPrimitive].some((is) => is(value))
}

function nameOf(value: object): string {
  return value.constructor?.name ?? "?"
}

/** The value that `cloned` was given. */
export function kept(value: unknown): unknown {
  return typeof value === "string" && value.startsWith(CLONED) ? deserialize(Buffer.from(value.slice(CLONED.length), "base64")) : value
}

/** What is deeper, or a circle, is left to the structured clone. */
const DEPTH_MAX = 1_000

/** Whether JSON gives it back as it is. */
function isJson(value: unknown, depth = 0): boolean {
  switch (typeof value) {
    case "string":
      return !value.startsWith(CLONED)
    case "number":
      return Number.isFinite(value) && !Object.is(value, -0)
    case "boolean":
      return true
    case "object":
      return value === null || (depth < DEPTH_MAX && isJsonStructure(value, depth + 1))
    default:
      return false
  }
}

function isJsonStructure(value: object, depth: number): boolean {
  if (!Array.isArray(value) && !isPlain(value)) return false
  return Object.values(value).every((part) => isJson(part, depth))
}

function isPlain(value: object): boolean {
  return isRecord(value) && !Object.hasOwn(value, "__proto__") && !Object.hasOwn(value, "toJSON")
}

import { isUtf8 } from "node:buffer"
import { invalid, TrestleError } from "../errors/trestle-error.ts"
import { notUtf8, tooLarge } from "./entry.ts"

/**
 * The text of a body that the host has read already, so that it meets the same refusals as one that nobody has: size, depth, forbidden
 * keys. A text and bytes stay what they are; of a parsed value the shortest JSON is taken.
 *
 * @throws {TrestleError} `TOO_LARGE`, `INVALID` for what is no JSON, `INTERNAL` where the host has left nothing.
 */
export function textOfParsed(body: unknown, bytesMax: number): string {
  const text = textOf(body)
  if (Buffer.byteLength(text) > bytesMax) throw tooLarge(bytesMax)
  return text
}

function textOf(body: unknown): string {
  if (typeof body === "string") return body
  if (body instanceof Uint8Array) {
    if (!isUtf8(body)) throw notUtf8()
    return Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("utf8")
  }
  if (body === undefined) {
    throw new TrestleError("INTERNAL", undefined, { note: "the host has read the body and left nothing of it; mount before what reads it" })
  }
  try {
    return JSON.stringify(body, finiteOnly) ?? ""
  } catch {
    // Nested deeper than the stack, a bigint, a cycle: nothing that JSON could have said.
    throw invalid([{ path: "", message: "not JSON" }], "The body is not JSON that is taken here.")
  }
}

/** 1e999 is Infinity once it is parsed; as JSON it would become null, which means something else. */
function finiteOnly(_key: string, value: unknown): unknown {
  if (typeof value === "number" && !Number.isFinite(value)) throw new RangeError("no number of JSON")
  return value
}

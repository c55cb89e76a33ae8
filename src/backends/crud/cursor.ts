import { hash } from "node:crypto"
import { readJson } from "../../base/json.ts"
import { invalid, type TrestleError } from "../../errors/trestle-error.ts"

/** Where a page ends: the values by which its last row is sorted, the key last. */
export type Position = readonly (string | number)[]

const SUM_LENGTH = 10

/**
 * A position as text. Opaque, not secret: it holds only what its own page showed, and every condition of the list holds for the next page
 * too. The checksum ties it to its list, so that a cursor that was changed, or comes from another list, is noticed.
 *
 * @param list what the cursor belongs to: operation, order and filters
 */
export function cursorOf(position: Position, list: string): string {
  const payload = Buffer.from(JSON.stringify(position)).toString("base64url")
  return `${payload}.${checksum(payload, list)}`
}

/** @throws {TrestleError} `INVALID` that names `after`. */
export function positionOf(cursor: string, list: string, length: number): Position {
  const [payload = "", sum = "", ...more] = cursor.split(".")
  if (more.length > 0 || sum !== checksum(payload, list)) throw foreign()
  const read = readJson(Buffer.from(payload, "base64url").toString())
  const position = "value" in read ? read.value : null
  if (!Array.isArray(position) || position.length !== length || !position.every(isScalar)) throw foreign()
  return position
}

function isScalar(value: unknown): boolean {
  return typeof value === "string" || (typeof value === "number" && Number.isFinite(value))
}

function checksum(payload: string, list: string): string {
  return hash("sha256", `${list}\n${payload}`, "base64url").slice(0, SUM_LENGTH)
}

function foreign(): TrestleError {
  return invalid([{ path: "after", message: "is no cursor of this list; take it from `next` of a page with the same filters and order" }])
}

import { invalid } from "../errors/trestle-error.ts"
import { isSqlName, type SqlName, type SqlText, type SqlValue } from "./sql.ts"
import type { SqlCapabilities } from "./sql-session.ts"

/** A value as a driver takes it. */
export type BoundValue = string | number | bigint | boolean | null | Date | Uint8Array

/** A statement as one database takes it. */
export interface SqlStatement {
  readonly text: string
  readonly values: readonly BoundValue[]
}

/**
 * Writes a statement by the rules of one database.
 *
 * @throws {TrestleError} `INVALID` for a text that no database keeps as it is: one with a NUL character, or with half of a character.
 * @throws {TypeError} for what cannot be bound, such as `undefined`.
 */
export function compileSql(sql: SqlText, capabilities: SqlCapabilities): SqlStatement {
  const { pieces, slots } = sql
  const values: BoundValue[] = []
  let text = pieces[0]!
  for (let i = 0; i < slots.length; i++) {
    const slot = slots[i] as SqlValue | SqlName
    if (isSqlName(slot)) text += quoted(slot, capabilities.quote)
    else {
      values.push(bindable(slot, values.length + 1, capabilities))
      text += capabilities.placeholder === "numbered" ? `$${values.length}` : "?"
    }
    text += pieces[i + 1]!
  }
  return { text, values }
}

/** The parts were checked when the name was made; no quote can be in them. */
function quoted({ parts }: SqlName, quote: string): string {
  return parts.map((part) => quote + part + quote).join(".")
}

const INTEGER_MAX = 2n ** 63n - 1n

function bindable(value: unknown, place: number, { booleans, dates }: SqlCapabilities): BoundValue {
  switch (typeof value) {
    case "string":
      // PostgreSQL refuses NUL, and Node 22 reads a text from SQLite only up to it.
      if (value.includes("\0")) throw invalid([{ path: "", message: "a text holds a NUL character" }])
      if (!value.isWellFormed()) throw invalid([{ path: "", message: "a text holds half of a character" }])
      return value
    case "number":
      if (!Number.isFinite(value)) throw unbindable(place, "no finite number")
      return value
    case "bigint":
      if (value > INTEGER_MAX || value < -INTEGER_MAX - 1n) throw unbindable(place, "an integer of more than 64 bits")
      return value
    case "boolean":
      return booleans === "native" ? value : value ? 1 : 0
    case "undefined":
      throw unbindable(place, "undefined; write `?? null` where the value may be missing")
    default:
      return boundObject(value, place, dates)
  }
}

function boundObject(value: unknown, place: number, dates: SqlCapabilities["dates"]): BoundValue {
  if (value === null || value instanceof Uint8Array) return value
  if (value instanceof Date) {
    if (Number.isNaN(value.getTime())) throw unbindable(place, "an invalid Date")
    return dates === "native" ? value : value.toISOString()
  }
  if (Array.isArray(value))
    throw unbindable(place, "an array; write sql.list(values) between the parentheses of in (...), or bind JSON.stringify(value)")
  throw unbindable(place, `of type ${typeof value}; bind single values, or JSON.stringify(value)`)
}

function unbindable(place: number, what: string): TypeError {
  return new TypeError(`value ${place} of the statement is ${what}`)
}

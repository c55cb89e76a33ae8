/** What may stand for a `?`. A Date is bound as its instant: as ISO 8601 text in UTC where the database has no type for it. */
export type SqlValue = string | number | bigint | boolean | null | Date | Uint8Array

/** Found on statements and names, even through two copies of the package. Parsed JSON can hold no symbol, so input can never pass for one. */
const BRAND = Symbol.for("trestle.sql")

/**
 * A statement, or a part of one: pieces of text that the application's author has written, and between them what is bound or quoted.
 * Only `sql` makes one, so a value can never become text.
 */
export class SqlText {
  /** One more than there are slots. */
  readonly pieces: readonly string[]
  readonly slots: readonly (SqlValue | SqlName)[]

  constructor(pieces: readonly string[], slots: readonly (SqlValue | SqlName)[]) {
    this.pieces = pieces
    this.slots = slots
    Object.defineProperty(this, BRAND, { value: "text" })
  }
}

/** The checked name of a table or column, quoted by the rules of the database that it reaches. */
export class SqlName {
  readonly parts: readonly string[]

  constructor(parts: readonly string[]) {
    this.parts = parts
    Object.defineProperty(this, BRAND, { value: "name" })
  }
}

export type SqlSlot = SqlValue | SqlName | SqlText

export function isSqlText(value: unknown): value is SqlText {
  return brandOf(value) === "text"
}

export function isSqlName(value: unknown): value is SqlName {
  return brandOf(value) === "name"
}

function brandOf(value: unknown): unknown {
  return typeof value === "object" && value !== null ? (value as Record<symbol, unknown>)[BRAND] : undefined
}

/** Letters, digits and `_`, as far as every database takes it without surprise. */
const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,62}$/

export function isSqlNamePart(name: string): boolean {
  return NAME.test(name)
}

interface SqlTag {
  /**
   * A statement with values: sql\`select id from notes where owner = ${who}\`. Each value is bound, never written into the text; another
   * `sql` text is put in with its own values; `sql.id` is quoted.
   *
   * @throws {TypeError} when it is not called as the tag of a template.
   */
  (pieces: TemplateStringsArray, ...slots: readonly SqlSlot[]): SqlText
  /**
   * The name of a table or column that is only known at run time: `sql.id("notes")`, `sql.id("notes", "owner")` for `"notes"."owner"`.
   * Choose it from names of your own; the check keeps it from being anything but one name.
   *
   * @throws {TypeError} for what is not 1 to 63 letters, digits and `_`, beginning with no digit.
   */
  id(...parts: readonly string[]): SqlName
  /** Values for `in (${sql.list(ids)})`. Of an empty list nothing is a member, as in logic. */
  list(values: readonly SqlValue[]): SqlText
  /** Parts that are only known at run time, such as conditions. */
  join(parts: readonly SqlText[], separator: ", " | " and " | " or "): SqlText
}

const SEPARATORS: readonly string[] = [", ", " and ", " or "]

function template(pieces: TemplateStringsArray, ...slots: readonly SqlSlot[]): SqlText {
  // A template's pieces are frozen; a list that came with a request is not.
  if (!Array.isArray(pieces) || !Object.isFrozen(pieces) || pieces.length !== slots.length + 1)
    throw new TypeError("sql is the tag of a template: sql`select ...`, not sql(text)")
  return slots.some(isSqlText) ? flattened(pieces, slots) : new SqlText(pieces, slots as readonly (SqlValue | SqlName)[])
}

function flattened(outer: readonly string[], slots: readonly SqlSlot[]): SqlText {
  const pieces: string[] = [outer[0]!]
  const flat: (SqlValue | SqlName)[] = []
  const write = (text: string): void => {
    pieces[pieces.length - 1] += text
  }
  for (const [i, slot] of slots.entries()) {
    if (isSqlText(slot)) {
      write(slot.pieces[0]!)
      // One by one: a list may be longer than what a call takes as arguments.
      for (let k = 0; k < slot.slots.length; k++) {
        flat.push(slot.slots[k]!)
        pieces.push(slot.pieces[k + 1]!)
      }
    } else {
      flat.push(slot)
      pieces.push("")
    }
    write(outer[i + 1]!)
  }
  return new SqlText(pieces, flat)
}

function id(...parts: readonly string[]): SqlName {
  for (const part of parts)
    if (typeof part !== "string" || !isSqlNamePart(part))
      throw new TypeError("sql.id takes names of 1 to 63 letters, digits and _, beginning with no digit")
  if (parts.length === 0) throw new TypeError('sql.id needs a name: sql.id("notes")')
  return new SqlName(parts)
}

function list(values: readonly SqlValue[]): SqlText {
  if (values.length === 0) return template`select null where 1 = 0`
  return new SqlText(["", ...Array.from({ length: values.length - 1 }, () => ", "), ""], values)
}

function join(parts: readonly SqlText[], separator: ", " | " and " | " or "): SqlText {
  if (!SEPARATORS.includes(separator)) throw new TypeError('sql.join separates by ", ", " and " or " or "')
  return flattened(
    ["", ...Array.from({ length: Math.max(0, parts.length - 1) }, () => separator), ...(parts.length > 0 ? [""] : [])],
    parts,
  )
}

/** Writes SQL with bound values. */
export const sql: SqlTag = Object.assign(template, { id, list, join })

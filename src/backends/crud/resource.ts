import type { CallContext } from "../../contract/call.ts"
import type { BuiltInAccess, Principal } from "../../contract/principal.ts"
import { type JsonSchema, jsonSchemaOf, type Std } from "../../contract/schema.ts"
import { type SqlText, sql } from "../../contract/sql.ts"
import type { Column, SqlTable } from "../../contract/sql-table.ts"
import { invalid, TrestleError } from "../../errors/trestle-error.ts"
import type { CrudOptions } from "../crud.ts"
import { fieldSchema } from "./schemas.ts"

type Options = CrudOptions<any, any, any, any, any, any, any>
export type Values = Readonly<Record<string, unknown>>
type Scope = (who: Principal) => Values

/** What the five operations of one resource share: its table, its key, and whose rows a caller sees. */
export class Resource {
  readonly table: SqlTable
  readonly id: string
  readonly version: string | undefined
  readonly mistakes: readonly string[]
  readonly #scope: Scope | undefined

  constructor(options: Options, table: SqlTable) {
    this.table = table
    this.id = options.id
    this.version = options.version
    this.#scope = options.scope as Scope | undefined
    // Of columns that could not be read, nothing more can be said.
    this.mistakes = table.mistakes.length > 0 ? table.mistakes.map((mistake) => `table: ${mistake}`) : mistakesOf(options, table)
  }

  column(field: string): Column {
    return this.table.columns.get(field)!
  }

  /** Of one field, for inputs that name it. */
  jsonOf(field: string): JsonSchema {
    const found = jsonSchemaOf(this.table.row, "input")
    const column = this.table.columns.get(field)
    return column && "json" in found ? fieldSchema(column.json, found.json) : {}
  }

  /**
   * What the caller's rows have in common, with their values; nothing where the resource has no scope.
   * @throws {TrestleError} `UNAUTHENTICATED` where there is a scope and nobody it could be of.
   */
  scopeOf(call: CallContext): Values {
    if (!this.#scope) return {}
    if (call.principal === null)
      throw new TrestleError("UNAUTHENTICATED", undefined, { note: `${call.operation}: its scope needs a caller` })
    const scope = this.#scope(call.principal)
    // A promise, or a list, has no fields of its own: as a scope it would open the rows of everybody.
    if (Object.prototype.toString.call(scope) !== "[object Object]")
      throw new TypeError("scope gives no object; a promise is none, nor a list")
    for (const [field, value] of Object.entries(scope)) {
      if (!this.table.columns.has(field)) throw new TypeError(`scope names ${field}, which is no column of ${this.table.name}`)
      // Left out, it would open the rows of everybody.
      if (value === undefined) throw new TypeError(`scope gives no value for ${field}; write null, or another scope`)
    }
    return scope
  }

  /** Conditions that a row fulfils whose fields have these values. */
  equals(values: Values): SqlText[] {
    return Object.entries(values).map(([field, value]) => {
      const { name } = this.column(field)
      return value === null ? sql`${name} is null` : sql`${name} = ${this.table.encoded(field, value)}`
    })
  }

  /** The scope's values are the last word. @throws {TrestleError} `INVALID` for a caller who asks for others. */
  refuseOtherThan(scope: Values, given: Values): void {
    const issues = Object.entries(scope)
      .filter(([field, value]) => given[field] !== undefined && given[field] !== value)
      .map(([field]) => ({ path: field, message: "is decided by who calls" }))
    if (issues.length > 0) throw invalid(issues)
  }
}

/** Conditions that must all hold; none are no condition. */
export function where(conditions: readonly SqlText[]): SqlText {
  return conditions.length === 0 ? sql`` : sql` where ${sql.join(conditions, " and ")}`
}

function mistakesOf(options: Options, table: SqlTable): string[] {
  const { id, version, scope, allow, http, pageMax } = options
  const mistakes: string[] = []
  if (pageMax !== undefined && !(Number.isInteger(pageMax) && pageMax >= 1)) mistakes.push("pageMax must be a whole number of at least 1")
  const known = (what: string, field: string): void => {
    if (!table.columns.has(field)) mistakes.push(`${what} names ${field}, which is no column of ${table.name}`)
  }
  if (!/^\/[^{}]*[^{}/]$/.test(http)) mistakes.push(`http is a path such as "/questions", without parameters and without "/" at its end`)
  known("id", id)
  if (version !== undefined) known("version", version)
  for (const field of [...(options.filter ?? []), ...(options.sort ?? [])]) known("filter or sort", field)
  for (const field of options.filter ?? [])
    if (table.columns.get(field)?.kind === "json") mistakes.push(`filter: ${field} holds objects or lists, which cannot be compared`)
  for (const field of options.sort ?? [])
    if (table.columns.get(field)?.isNullable || table.columns.get(field)?.kind === "json")
      mistakes.push(`sort: ${field} may be missing, null or an object, and databases do not agree on the place of those`)
  const reserved = (options.filter ?? []).filter((field) => ["limit", "after", "sort"].includes(field))
  for (const field of reserved) mistakes.push(`filter: ${field} is the name of a field of every list`)
  if (scope && (allow.read as BuiltInAccess).kind === "anyone") mistakes.push("scope needs a caller, and allow.read lets in anyone()")
  if (scope && (allow.write as BuiltInAccess).kind === "anyone") mistakes.push("scope needs a caller, and allow.write lets in anyone()")
  for (const what of ["create", "update"] as const) mistakes.push(...fieldMistakes(what, options[what], options, table))
  return mistakes
}

function fieldMistakes(what: "create" | "update", schema: Std<any, any>, { id, version }: Options, table: SqlTable): string[] {
  const found = jsonSchemaOf(schema, "output")
  if ("why" in found) return [`${what}: its schema has no JSON form: ${found.why}`]
  const fields = Object.keys(found.json.properties ?? {})
  if (found.json.properties === undefined) return [`${what}: its schema is not an object with fields`]
  return fields.flatMap((field) => {
    if (!table.columns.has(field)) return [`${what}: ${field} is no column of ${table.name}`]
    if (field === version) return [`${what}: ${field} is counted by the resource itself`]
    return what === "update" && field === id ? [`update: ${field} names the row, and cannot be changed`] : []
  })
}

import type { Plan } from "./backend.ts"
import { type JsonSchema, jsonSchemaOf, type Std, targetOf, typesOf } from "./schema.ts"
import type { Service } from "./service.ts"
import { isSqlNamePart, type SqlName, type SqlText, type SqlValue, sql } from "./sql.ts"
import type { SqlCapabilities, SqlRow } from "./sql-session.ts"

/** A table of one SQL service, and the shape of its rows. */
export interface Table<T> {
  readonly name: string
  /** Carries the type only; never set. */
  readonly "~row"?: T
}

/** A column: its field in the row's schema, its own name, and what has to be converted on its way. */
export interface Column {
  readonly field: string
  readonly name: SqlName
  readonly json: JsonSchema
  readonly kind: "plain" | "boolean" | "json"
  readonly isNullable: boolean
}

/** How a table differs from the schema of its rows. */
export interface TableOptions {
  /** Names of columns that differ from their fields: `{ userId: "user_id" }`. */
  readonly columns?: Readonly<Record<string, string>>
}

export interface TableParts {
  readonly service: Service
  readonly row: Std<any, any>
  readonly options: TableOptions
  /** The ways in which its database can fail a statement. */
  readonly failures: NonNullable<Plan["failures"]>
}

/** What a `Table` is at run time. */
export class SqlTable {
  readonly name: string
  readonly service: Service
  readonly row: Std<any, any>
  readonly columns: ReadonlyMap<string, Column>
  readonly mistakes: readonly string[]
  readonly failures: NonNullable<Plan["failures"]>
  // Made when they are first used: a table with mistakes has neither.
  #from: SqlName | undefined
  #selection: SqlText | undefined

  constructor(name: string, { service, row, options, failures }: TableParts) {
    this.name = name
    this.failures = failures
    this.service = service
    this.row = row
    const columns = new Map<string, Column>()
    this.columns = columns
    this.mistakes = isSqlNamePart(name) ? columnsOf(row, options, columns) : [`"${name}" cannot be the name of a table`]
  }

  /** Its name, quoted. */
  get from(): SqlName {
    this.#from ??= sql.id(this.name)
    return this.#from
  }

  /** `"id", "user_id" as "userId"`: never `*`, so that a new column changes no answer. */
  get selection(): SqlText {
    this.#selection ??= sql.join([...this.columns.values()].map(selected), ", ")
    return this.#selection
  }

  /** A row as its schema has it. */
  decoded(row: SqlRow, capabilities: SqlCapabilities): Record<string, unknown> {
    const decoded: Record<string, unknown> = {}
    for (const column of this.columns.values()) decoded[column.field] = decodedValue(row[column.field], column, capabilities)
    return decoded
  }

  /** A value of a row as it is bound. */
  encoded(field: string, value: unknown): SqlValue {
    // On its way it is text, whatever the database makes of it.
    return (this.columns.get(field)!.kind === "json" && value !== null ? JSON.stringify(value) : value) as SqlValue
  }
}

function selected({ field, name }: Column): SqlText {
  return name.parts[0] === field ? sql`${name}` : sql`${name} as ${sql.id(field)}`
}

export function tableOf(table: Table<any>): SqlTable {
  return table as unknown as SqlTable
}

function columnsOf(row: Std<any, any>, options: TableOptions, columns: Map<string, Column>): string[] {
  const found = jsonSchemaOf(row, "input")
  if ("why" in found) return [`its schema has no JSON form: ${found.why}`]
  const { json } = found
  const fields = Object.entries(json.properties ?? {})
  if (fields.length === 0) return ["its schema is not an object with fields"]
  const mistakes: string[] = []
  for (const field of Object.keys(options.columns ?? {}))
    if (json.properties?.[field] === undefined) mistakes.push(`columns names ${field}, which is no field of the schema`)
  for (const [field, schema] of fields) {
    const name = options.columns?.[field] ?? field
    if (isSqlNamePart(name) && isSqlNamePart(field)) {
      const types = typesWithin(schema, json)
      const isNullable = types.has("null") || !json.required?.includes(field)
      columns.set(field, { field, name: sql.id(name), json: schema, kind: kindOf(types), isNullable })
    } else mistakes.push(`"${isSqlNamePart(field) ? name : field}" cannot be the name of a column`)
  }
  return mistakes
}

function kindOf(types: ReadonlySet<string>): Column["kind"] {
  if (types.has("object") || types.has("array")) return "json"
  return types.has("boolean") ? "boolean" : "plain"
}

/** The types that a value may have, those of alternatives included. */
function typesWithin(schema: JsonSchema, root: JsonSchema, seen = new Set<JsonSchema>()): Set<string> {
  if (typeof schema !== "object" || seen.has(schema)) return new Set()
  seen.add(schema)
  const values = [...(schema.enum ?? []), ...("const" in schema ? [schema.const] : [])]
  const own = [...typesOf(schema), ...values.map((value) => (value === null ? "null" : typeof value))]
  const inner = [...targetOf(schema, root), ...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])]
  return new Set([...own, ...inner.flatMap((part) => [...typesWithin(part, root, seen)])])
}

function decodedValue(value: unknown, { kind }: Column, { booleans, json }: SqlCapabilities): unknown {
  if (value === null || value === undefined) return null
  if (kind === "boolean" && booleans === "integer") return value === 0 ? false : value === 1 ? true : value
  if (kind !== "json" || json === "native" || typeof value !== "string") return value
  try {
    return JSON.parse(value)
  } catch {
    // The schema of the row will say what it is not.
    return value
  }
}

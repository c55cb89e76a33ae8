import { type JsonSchema, jsonSchemaOf, type Std, targetOf, typesOf } from "../../contract/schema.ts"
import type { SchemaIssue } from "../../contract/shape.ts"

type Result = { readonly value: unknown } | { readonly issues: readonly SchemaIssue[] }
type Validate = (value: unknown) => Result | Promise<Result>

/** A schema of ours: it has a JSON form, so that it is documented, coerced and checked for undeclared fields like any other. */
function schemaOf(json: JsonSchema, validate: Validate): Std<any, any> {
  const standard = { version: 1 as const, vendor: "trestle", validate, jsonSchema: { input: () => json, output: () => json } }
  return { "~standard": standard }
}

/** An object with single values, each by its JSON Schema. */
export function recordSchema(properties: Readonly<Record<string, JsonSchema>>, required: readonly string[] = []): Std<any, any> {
  const json: JsonSchema = { type: "object", properties, required, additionalProperties: false }
  return schemaOf(json, (value) => {
    const issues: SchemaIssue[] = []
    if (typeof value !== "object" || value === null) return { issues: [{ message: "must be an object" }] }
    const given = value as Record<string, unknown>
    const checked: Record<string, unknown> = {}
    for (const [field, schema] of Object.entries(properties)) {
      const one = Object.hasOwn(given, field) ? given[field] : undefined
      if (one === undefined) {
        if ("default" in schema) checked[field] = schema.default
        else if (required.includes(field)) issues.push({ path: [field], message: "is required" })
        continue
      }
      const complaint = complaintOf(one, schema)
      if (complaint === null) checked[field] = one
      else issues.push({ path: [field], message: complaint })
    }
    return issues.length > 0 ? { issues } : { value: checked }
  })
}

/** Why a single value does not fit, as far as a column can be compared with it; `null` when it does. */
function complaintOf(value: unknown, schema: JsonSchema): string | null {
  const alternatives = schema.anyOf ?? schema.oneOf
  if (alternatives) {
    const complaints = alternatives.map((one) => complaintOf(value, one))
    return complaints.includes(null) ? null : complaints[0]!
  }
  const values = schema.enum ?? ("const" in schema ? [schema.const] : undefined)
  if (values) return values.includes(value) ? null : `must be one of ${values.join(", ")}`
  const types = typesOf(schema)
  if (types.length > 0 && !types.some((type) => isOfType(value, type))) return `must be ${types.join(" or ")}`
  const { minimum, maximum, maxLength } = schema as { minimum?: number; maximum?: number; maxLength?: number }
  if (minimum !== undefined && (value as number) < minimum) return `must be at least ${minimum}`
  if (maximum !== undefined && (value as number) > maximum) return `must be at most ${maximum}`
  return maxLength !== undefined && (value as string).length > maxLength ? `must have at most ${maxLength} characters` : null
}

function isOfType(value: unknown, type: string): boolean {
  if (type === "integer") return Number.isSafeInteger(value)
  return type === "null" ? value === null : typeof value === type
}

/** The schema of one field as it stands alone, with its reference resolved. */
export function fieldSchema(json: JsonSchema, root: JsonSchema): JsonSchema {
  return targetOf(json, root)[0] ?? json
}

/**
 * What an update takes: the key, and any of the fields of its schema. A field that was not sent stays as it is, whatever default the schema
 * has for it.
 */
export function updateSchema(id: string, key: JsonSchema, update: Std<any, any>): Std<any, any> {
  const found = jsonSchemaOf(update, "input")
  const json = "json" in found ? found.json : {}
  const whole: JsonSchema = {
    ...json,
    type: "object",
    properties: { [id]: key, ...json.properties },
    required: [id, ...(json.required ?? [])],
  }
  const settle = (result: Result, idIssue: SchemaIssue | null, given: Record<string, unknown>): Result => {
    const issues = [...(idIssue ? [idIssue] : []), ...("issues" in result && result.issues ? result.issues : [])]
    if (issues.length > 0 || !("value" in result)) return { issues }
    const sent = Object.entries(result.value as object).filter(([field]) => given[field] !== undefined)
    return { value: { ...Object.fromEntries(sent), [id]: given[id] } }
  }
  return schemaOf(whole, (value) => {
    if (typeof value !== "object" || value === null) return { issues: [{ message: "must be an object" }] }
    const given = value as Record<string, unknown>
    const { [id]: own, ...rest } = given
    const complaint = own === undefined ? "is required" : complaintOf(own, key)
    const idIssue = complaint === null ? null : { path: [id], message: complaint }
    const result = update["~standard"].validate(rest) as Result | Promise<Result>
    return result instanceof Promise ? result.then((settled) => settle(settled, idIssue, given)) : settle(result, idIssue, given)
  })
}

/** A page of rows. */
export function pageSchema(row: Std<any, any>): Std<any, any> {
  const found = jsonSchemaOf(row, "output")
  const { $defs, ...items } = ("json" in found ? found.json : {}) as JsonSchema
  const json: JsonSchema = {
    type: "object",
    properties: { items: { type: "array", items }, next: { type: ["string", "null"] } },
    required: ["items", "next"],
    ...($defs ? { $defs } : {}),
  }
  const { validate } = row["~standard"]
  return schemaOf(json, (value) => {
    const { items: rows, next } = value as { items: unknown[]; next: string | null }
    const results = rows.map((one) => validate(one) as Result | Promise<Result>)
    return results.some((result) => result instanceof Promise)
      ? Promise.all(results).then((settled) => pageOf(settled, next))
      : pageOf(results as Result[], next)
  })
}

function pageOf(results: readonly Result[], next: string | null): Result {
  const issues = results.flatMap((result, i) =>
    "issues" in result && result.issues ? result.issues.map((issue) => ({ ...issue, path: ["items", i, ...(issue.path ?? [])] })) : [],
  )
  return issues.length > 0 ? { issues } : { value: { items: results.map((result) => (result as { value: unknown }).value), next } }
}

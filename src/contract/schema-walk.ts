import type { JsonSchema } from "./schema.ts"

/** Where JSON Schema 2020-12 keeps schemas inside a schema. Everything else (`const`, `enum`, `default`, `examples`) is somebody's data. */
const ONE = new Set([
  "items",
  "additionalProperties",
  "unevaluatedItems",
  "unevaluatedProperties",
  "propertyNames",
  "contains",
  "contentSchema",
  "not",
  "if",
  "then",
  "else",
])
const LIST = new Set(["anyOf", "oneOf", "allOf", "prefixItems"])
const MAP = new Set(["properties", "patternProperties", "dependentSchemas"])
/** Of the document they came from, with no meaning in another; `~standard` is how libraries mark their own objects. */
export const OF_THE_DOCUMENT: ReadonlySet<string> = new Set(["$schema", "$id", "id", "$defs", "definitions", "~standard"])

/** The value of one keyword, with `visit` applied to every schema that stands directly in it. */
export function mapKeyword(keyword: string, value: unknown, visit: (schema: JsonSchema) => unknown): unknown {
  const inner = (part: unknown): unknown => (isObject(part) ? visit(part as JsonSchema) : part)
  if (ONE.has(keyword)) return inner(value)
  if (LIST.has(keyword) && Array.isArray(value)) return value.map(inner)
  if (MAP.has(keyword) && isObject(value)) return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, inner(part)]))
  return value
}

/**
 * A copy in which `replace` has had its way with every schema, from the outside in; `undefined` leaves a schema to be walked further.
 * A field's name is never taken for a keyword: an object may well have a field called `$ref`.
 */
export function mapSchema(schema: JsonSchema, replace: (schema: JsonSchema) => JsonSchema | undefined): JsonSchema {
  const replaced = replace(schema)
  if (replaced !== undefined) return replaced
  const kept = Object.entries(schema).filter(([keyword]) => !OF_THE_DOCUMENT.has(keyword))
  const inner = (part: JsonSchema): JsonSchema => mapSchema(part, replace)
  return Object.fromEntries(kept.map(([keyword, value]) => [keyword, mapKeyword(keyword, value, inner)]))
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

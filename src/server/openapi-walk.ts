import type { JsonSchema } from "../contract/schema.ts"

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
/** Of the document they came from, with no meaning in this one; `~standard` is how libraries mark their own objects. */
const DROPPED = new Set(["$schema", "$id", "id", "$defs", "definitions", "~standard"])

/**
 * A copy in which `replace` has had its way with every schema, from the outside in; `undefined` leaves a schema to be walked further.
 * A field's name is never taken for a keyword: an object may well have a field called `$ref`.
 */
export function mapSchema(schema: JsonSchema, replace: (schema: JsonSchema) => JsonSchema | undefined): JsonSchema {
  const replaced = replace(schema)
  if (replaced !== undefined) return replaced
  const inner = (value: unknown): unknown => (isObject(value) ? mapSchema(value as JsonSchema, replace) : value)
  const kept = Object.entries(schema).filter(([keyword]) => !DROPPED.has(keyword))
  return Object.fromEntries(
    kept.map(([keyword, value]) => {
      if (ONE.has(keyword)) return [keyword, inner(value)]
      if (LIST.has(keyword) && Array.isArray(value)) return [keyword, value.map(inner)]
      if (MAP.has(keyword) && isObject(value))
        return [keyword, Object.fromEntries(Object.entries(value).map(([name, part]) => [name, inner(part)]))]
      return [keyword, value]
    }),
  )
}

/** What a reference inside `root` points at; `null` for one that leads outside, or nowhere. */
export function targetOf(reference: string, root: JsonSchema): JsonSchema | null {
  if (reference === "#") return root
  if (!reference.startsWith("#/")) return null
  let place: unknown = root
  for (const key of stepsOf(reference)) {
    if (!isObject(place) && !Array.isArray(place)) return null
    if (!Object.hasOwn(place, key)) return null
    place = (place as Record<string, unknown>)[key]
  }
  return isObject(place) ? (place as JsonSchema) : null
}

/**
 * A text that is equal for schemas of equal content, whatever their parts are called: references are written out where they are first
 * met and numbered from then on, which also ends the walk through a recursive schema.
 */
export function graphSignature(schema: JsonSchema, root: JsonSchema, pointer: string): string {
  const met = new Map<string, number>([[pointer, 0]])
  const expand = (inner: JsonSchema): JsonSchema | undefined => {
    const target = inner.$ref === undefined ? null : targetOf(inner.$ref, root)
    if (target === null) return undefined
    const { $ref, ...beside } = inner
    const known = met.get($ref!)
    if (known !== undefined) return { met: known, beside }
    met.set($ref!, met.size)
    return { is: mapSchema(target, expand), beside }
  }
  return JSON.stringify(mapSchema(schema, expand))
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

/** The last step of a pointer, as it was before it was encoded. */
export function lastStep(pointer: string): string {
  return stepsOf(pointer).at(-1) ?? ""
}

function stepsOf(pointer: string): string[] {
  return pointer
    .split("/")
    .slice(1)
    .map((part) => decoded(part).replaceAll("~1", "/").replaceAll("~0", "~"))
}

import { type JsonSchema, targetOf, typesOf } from "./schema.ts"

type Convert = (text: unknown) => unknown

/** A JSON number and nothing else: `Number` would also take "", " 1 ", "0x10" and "Infinity". */
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/

/**
 * Path and query carry only strings; the JSON Schema says what was meant. What does not fit stays a string, so that validation names
 * the field and the type it wants.
 */
export function compileCoercion(schema: JsonSchema): (fields: Record<string, unknown>) => Record<string, unknown> {
  const converts = new Map<string, Convert>()
  const parts = partsOf(schema, schema)
  for (const name of new Set(parts.flatMap((part) => Object.keys(part.properties ?? {})))) {
    const inner = parts.flatMap((part) => (part.properties && Object.hasOwn(part.properties, name) ? [part.properties[name]!] : []))
    const convert = convertOf(inner, schema)
    if (convert) converts.set(name, convert)
  }
  return (fields) => {
    for (const [name, convert] of converts) if (Object.hasOwn(fields, name)) fields[name] = convert(fields[name])
    return fields
  }
}

function convertOf(schemas: readonly JsonSchema[], root: JsonSchema): Convert | null {
  const parts = schemas.flatMap((schema) => partsOf(schema, root))
  const types = new Set(parts.flatMap((part) => [...typesOf(part), ...valuesOf(part).map((value) => typeof value as string)]))
  const convertOne = scalarConvert(types)
  if (!types.has("array")) return convertOne
  const items = parts.flatMap((part) => (typeof part.items === "object" ? [part.items] : []))
  const convertItem = items.length > 0 ? convertOf(items, root) : null
  // A list of one cannot be told from a single value; where the schema takes both, it is the single value.
  const takesOne = convertOne !== null || types.has("string")
  return (given) => {
    if (!Array.isArray(given) && takesOne) return convertOne ? convertOne(given) : given
    return (Array.isArray(given) ? given : [given]).map((item) => (convertItem ? convertItem(item) : item))
  }
}

function scalarConvert(types: ReadonlySet<string>): Convert | null {
  if (types.has("string")) return null
  const isNumeric = types.has("number") || types.has("integer")
  const isBoolean = types.has("boolean")
  if (!isNumeric && !isBoolean) return null
  return (text) => {
    if (typeof text !== "string") return text
    if (isNumeric && NUMBER.test(text)) return numberOf(text)
    if (isBoolean && (text === "true" || text === "false")) return text === "true"
    return text
  }
}

/** Stays text where the number would be another one: an id that silently becomes its neighbour is somebody else's. */
function numberOf(text: string): number | string {
  const value = Number(text)
  const isExact = Number.isFinite(value) && (!/^-?\d+$/.test(text) || Number.isSafeInteger(value))
  return isExact ? value : text
}

function valuesOf(schema: JsonSchema): readonly unknown[] {
  return schema.const !== undefined ? [schema.const] : (schema.enum ?? [])
}

/** The schema and all that hold with it or instead of it. */
function partsOf(schema: JsonSchema, root: JsonSchema, seen = new Set<JsonSchema>()): JsonSchema[] {
  if (typeof schema !== "object" || seen.has(schema)) return []
  seen.add(schema)
  const more = [...targetOf(schema, root), ...(schema.allOf ?? []), ...(schema.anyOf ?? []), ...(schema.oneOf ?? [])]
  return [schema, ...more.flatMap((part) => partsOf(part, root, seen))]
}

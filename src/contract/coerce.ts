import type { JsonSchema } from "./schema.ts"

type Convert = (text: unknown) => unknown

/** A JSON number and nothing else: `Number` would also take "", " 1 ", "0x10" and "Infinity". */
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/

/**
 * Path and query carry only strings; the JSON Schema says what was meant. What does not fit stays a string, so that validation names
 * the field and the type it wants.
 */
export function compileCoercion(schema: JsonSchema): (fields: Record<string, unknown>) => Record<string, unknown> {
  const converts = new Map<string, Convert>()
  for (const [name, inner] of Object.entries(schema.properties ?? {})) {
    const convert = convertOf(inner)
    if (convert) converts.set(name, convert)
  }
  return (fields) => {
    for (const [name, convert] of converts) if (name in fields) fields[name] = convert(fields[name])
    return fields
  }
}

function convertOf(schema: JsonSchema): Convert | null {
  const types = typesOf(schema)
  if (types.has("array")) {
    const inner = typeof schema.items === "object" ? convertOf(schema.items) : null
    return (text) => (Array.isArray(text) ? text : [text]).map((item) => (inner ? inner(item) : item))
  }
  if (types.has("string")) return null
  const isNumeric = types.has("number") || types.has("integer")
  if (!isNumeric && !types.has("boolean")) return null
  return (text) => {
    if (typeof text !== "string") return text
    if (isNumeric && NUMBER.test(text)) return Number(text)
    if (types.has("boolean") && (text === "true" || text === "false")) return text === "true"
    return text
  }
}

function typesOf(schema: JsonSchema): Set<string> {
  const own = typeof schema.type === "string" ? [schema.type] : [...(schema.type ?? [])]
  const values = schema.const !== undefined ? [schema.const] : (schema.enum ?? [])
  const nested = [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])].flatMap((part) => [...typesOf(part)])
  return new Set([...own, ...values.map((value) => typeof value as string), ...nested])
}

import { type JsonSchema, targetOf } from "./schema.ts"
import { isObject, mapKeyword } from "./schema-walk.ts"

/** Deeper than any honest schema of one field. */
const DEPTH_MAX = 16

/**
 * Whether a schema itself marks its value as secret: JSON Schema's `writeOnly`, or OpenAPI's `format: "password"`. With Zod
 * `z.string().meta({ format: "password" })`.
 */
export function isSecret(schema: JsonSchema, root: JsonSchema = schema, depth = 0): boolean {
  if (schema.writeOnly === true || schema.format === "password") return true
  if (depth >= DEPTH_MAX) return false
  const inside = (part: JsonSchema | boolean | undefined): boolean => isObject(part) && isSecret(part as JsonSchema, root, depth + 1)
  const alternatives = [...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? []), ...targetOf(schema, root)]
  return alternatives.some(inside) || inside(schema.items) || inside(schema.additionalProperties)
}

/** A field that is secret. */
export interface SecretField {
  readonly name: string
  readonly isRequired: boolean
}

/** Every secret field of a schema, wherever it stands. */
export function secretFields(root: JsonSchema): readonly SecretField[] {
  const found: SecretField[] = []
  const met = new Set<JsonSchema>()
  const visit = (schema: JsonSchema): JsonSchema => {
    if (met.has(schema)) return schema
    met.add(schema)
    for (const [name, field] of Object.entries(schema.properties ?? {}))
      if (isSecret(field, root)) found.push({ name, isRequired: schema.required?.includes(name) === true })
    for (const target of targetOf(schema, root)) visit(target)
    for (const [keyword, value] of Object.entries(schema)) mapKeyword(keyword, value, visit)
    return schema
  }
  visit(root)
  return found
}

/** A copy of a plain value without any field of these names. */
export function withoutFields(value: unknown, names: ReadonlySet<string>): unknown {
  if (Array.isArray(value)) return value.map((one) => withoutFields(one, names))
  if (!isObject(value) || Object.getPrototypeOf(value) !== Object.prototype) return value
  const kept = Object.entries(value).filter(([name]) => !names.has(name))
  return Object.fromEntries(kept.map(([name, inner]) => [name, withoutFields(inner, names)]))
}

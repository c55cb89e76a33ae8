import type { JsonSchema } from "../../contract/schema.ts"
import { isObject, targetOf } from "./walk.ts"

export interface Field {
  readonly schema: JsonSchema
  readonly isRequired: boolean
}

/** The fields of an input, wherever its schema declares them, and what it says of those it does not name. */
export interface Fields {
  readonly named: ReadonlyMap<string, Field>
  /** `null` where no other field may come. */
  readonly others: JsonSchema | null
}

/** Deeper than any honest nesting of alternatives; ends the walk through a schema that only refers to itself. */
const DEPTH_MAX = 16

/** The fields of an object schema, through references and combinations. A field is required when every alternative requires it. */
export function fieldsOf(schema: JsonSchema, root: JsonSchema, depth = 0): Fields {
  const named = new Map<string, Field>()
  let others = openTo(schema)
  if (depth > DEPTH_MAX) return { named, others }
  const required = new Set(schema.required)
  for (const [name, inner] of Object.entries(schema.properties ?? {})) named.set(name, { schema: inner, isRequired: required.has(name) })

  const target = schema.$ref === undefined ? null : targetOf(schema.$ref, root)
  const all = [...(target ? [target] : []), ...(schema.allOf ?? [])].map((part) => fieldsOf(part, root, depth + 1))
  const choices = [schema.anyOf, schema.oneOf].filter((list) => list !== undefined)
  for (const list of choices) all.push(either(list.map((part) => fieldsOf(part, root, depth + 1))))
  for (const part of all) {
    others ??= part.others
    for (const [name, field] of part.named) named.set(name, both(named.get(name), field))
  }
  return { named, others }
}

function openTo({ additionalProperties }: JsonSchema): JsonSchema | null {
  if (additionalProperties === true) return {}
  return isObject(additionalProperties) ? (additionalProperties as JsonSchema) : null
}

function both(first: Field | undefined, second: Field): Field {
  return first ? { schema: first.schema, isRequired: first.isRequired || second.isRequired } : second
}

function either(parts: readonly Fields[]): Fields {
  const names = new Set(parts.flatMap((part) => [...part.named.keys()]))
  const named = new Map<string, Field>()
  for (const name of names) {
    const found = parts.map((part) => part.named.get(name))
    const schemas = distinct(found.flatMap((field) => (field ? [field.schema] : [])))
    const isRequired = found.every((field) => field?.isRequired === true)
    named.set(name, { schema: schemas.length === 1 ? schemas[0]! : { anyOf: schemas }, isRequired })
  }
  return { named, others: parts.find((part) => part.others !== null)?.others ?? null }
}

function distinct(schemas: readonly JsonSchema[]): JsonSchema[] {
  return [...new Map(schemas.map((schema) => [JSON.stringify(schema), schema])).values()]
}

/**
 * The same schema without some of its fields: what is left for the body when the path has taken its own. A shared schema that has one
 * of them is written out, because other places still need it whole.
 */
export function withoutFields(schema: JsonSchema, root: JsonSchema, names: ReadonlySet<string>, depth = 0): JsonSchema {
  const { named } = fieldsOf(schema, root)
  if (depth > DEPTH_MAX || ![...names].some((name) => named.has(name))) return schema
  const target = schema.$ref === undefined ? null : targetOf(schema.$ref, root)
  if (target !== null) {
    const { $ref: _taken, ...beside } = schema
    return withoutFields({ ...target, ...beside }, root, names, depth + 1)
  }
  const less = (part: JsonSchema): JsonSchema => withoutFields(part, root, names, depth + 1)
  const { properties, required, anyOf, oneOf, allOf, ...rest } = schema
  const left = required?.filter((name) => !names.has(name)) ?? []
  return {
    ...rest,
    ...(properties ? { properties: Object.fromEntries(Object.entries(properties).filter(([name]) => !names.has(name))) } : {}),
    ...(left.length > 0 ? { required: left } : {}),
    ...(anyOf ? { anyOf: anyOf.map(less) } : {}),
    ...(oneOf ? { oneOf: oneOf.map(less) } : {}),
    ...(allOf ? { allOf: allOf.map(less) } : {}),
  }
}

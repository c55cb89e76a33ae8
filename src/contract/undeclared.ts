import { nearest } from "../base/nearest.ts"
import type { Issue } from "../errors/trestle-error.ts"
import type { JsonSchema } from "./schema.ts"

/** Fields of a value that its JSON Schema does not declare: an input is refused for them, an output loses them. */
export interface Undeclared {
  /** `null` when every field is declared. */
  find(value: unknown): Issue[] | null
  strip(value: unknown): unknown
}

/** What may stand at one place: `null` means anything. */
interface Allowed {
  fields: Map<string, Allowed | null> | null
  others: Allowed | null | false
  items: Allowed | null
  patterns: RegExp[]
}

/**
 * An object whose schema lists properties and says nothing of others is closed: `additionalProperties` must be said to be open.
 * Where several alternatives apply, a field that any of them declares is declared; which alternative holds is for the schema to say.
 */
export function compileUndeclared(root: JsonSchema): Undeclared {
  const allowed = compile(root, root, new Map())
  return {
    find(value) {
      const issues: Issue[] = []
      if (allowed) collect(allowed, value, "", issues)
      return issues.length > 0 ? issues : null
    },
    strip: (value) => (allowed ? stripped(allowed, value) : value),
  }
}

function compile(schema: JsonSchema | boolean, root: JsonSchema, seen: Map<JsonSchema, Allowed>): Allowed | null {
  if (typeof schema === "boolean") return null
  const known = seen.get(schema)
  if (known) return known
  const result: Allowed = { fields: null, others: false, items: null, patterns: [] }
  seen.set(schema, result)
  addOwn(result, schema, root, seen)
  for (const part of alternatives(schema, root)) merge(result, compile(part, root, seen))
  return result
}

function addOwn(result: Allowed, schema: JsonSchema, root: JsonSchema, seen: Map<JsonSchema, Allowed>): void {
  if (schema.properties || schema.additionalProperties !== undefined || schema.patternProperties) {
    result.fields = new Map(Object.entries(schema.properties ?? {}).map(([name, inner]) => [name, compile(inner, root, seen)]))
    result.patterns = Object.keys(schema.patternProperties ?? {}).map((pattern) => new RegExp(pattern, "u"))
    const others = schema.additionalProperties
    result.others = others === undefined || others === false ? false : compile(others, root, seen)
  }
  if (schema.items !== undefined) result.items = compile(schema.items, root, seen)
}

function alternatives(schema: JsonSchema, root: JsonSchema): JsonSchema[] {
  const target = schema.$ref === undefined ? [] : [resolve(schema.$ref, root)].filter((found) => found !== null)
  return [...target, ...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])]
}

function resolve(reference: string, root: JsonSchema): JsonSchema | null {
  if (reference === "#") return root
  let place: unknown = root
  for (const part of reference.replace(/^#\//, "").split("/")) {
    place = (place as Record<string, unknown> | undefined)?.[part.replaceAll("~1", "/").replaceAll("~0", "~")]
  }
  return (place as JsonSchema | undefined) ?? null
}

function merge(into: Allowed, part: Allowed | null): void {
  if (part === null || part === into) return
  if (part.fields) {
    into.fields ??= new Map()
    for (const [name, inner] of part.fields) if (!into.fields.has(name)) into.fields.set(name, inner)
    if (part.others !== false) into.others = part.others
    into.patterns.push(...part.patterns)
  }
  if (part.items) into.items ??= part.items
}

/** What is allowed under `key`, or `false` when nothing is. */
function under(allowed: Allowed, key: string): Allowed | null | false {
  if (allowed.fields?.has(key)) return allowed.fields.get(key)!
  if (allowed.patterns.some((pattern) => pattern.test(key))) return null
  return allowed.others
}

function collect(allowed: Allowed, value: unknown, path: string, issues: Issue[]): void {
  if (typeof value !== "object" || value === null) return
  if (Array.isArray(value)) {
    if (allowed.items) for (let i = 0; i < value.length; i++) collect(allowed.items, value[i], join(path, String(i)), issues)
    return
  }
  if (!allowed.fields) return
  for (const key of Object.keys(value)) {
    const inner = under(allowed, key)
    if (inner === false) issues.push({ path: join(path, key), message: unknownField(key, allowed.fields.keys()) })
    else if (inner) collect(inner, (value as Record<string, unknown>)[key], join(path, key), issues)
  }
}

function stripped(allowed: Allowed, value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value
  if (Array.isArray(value)) return allowed.items ? value.map((item) => stripped(allowed.items!, item)) : value
  if (!allowed.fields) return value
  const kept: Record<string, unknown> = {}
  for (const key of Object.keys(value)) {
    const inner = under(allowed, key)
    if (inner !== false)
      kept[key] = inner ? stripped(inner, (value as Record<string, unknown>)[key]) : (value as Record<string, unknown>)[key]
  }
  return kept
}

function join(path: string, key: string): string {
  return path === "" ? key : `${path}.${key}`
}

function unknownField(key: string, declared: Iterable<string>): string {
  const near = nearest(key, declared)
  return near ? `unknown field; did you mean "${near}"?` : "unknown field"
}

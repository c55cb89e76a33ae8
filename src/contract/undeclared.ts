import { nearest } from "../base/nearest.ts"
import type { Issue } from "../errors/trestle-error.ts"
import type { JsonSchema } from "./schema.ts"
import { compilePlaces, type Place } from "./undeclared-place.ts"

/** Fields of a value that its JSON Schema does not declare: an input is refused for them, an output loses them. */
export interface Undeclared {
  /** `null` when every field is declared. At most `ISSUES_MAX` issues: looking for the name that was meant costs time. */
  find(value: unknown): Issue[] | null
  strip(value: unknown): unknown
}

/** Nobody mends more at once, and a hostile body must not buy more of our time than its reading does. */
export const ISSUES_MAX = 50

/**
 * An object whose schema lists properties and says nothing of others is closed: `additionalProperties` must be said to be open.
 * Where several alternatives apply, a field that any of them declares is declared; which alternative holds is for the schema to say.
 */
export function compileUndeclared(root: JsonSchema): Undeclared {
  const place = compilePlaces(root)
  return {
    find(value) {
      const issues: Issue[] = []
      collect(place, value, "", issues)
      return issues.length > 0 ? issues : null
    },
    strip: (value) => stripped(place, value),
  }
}

function collect(place: Place, value: unknown, path: string, issues: Issue[]): void {
  if (typeof value !== "object" || value === null) return
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const inner = place.prefix[i] ?? place.items
      if (inner === null) return
      collect(inner, value[i], join(path, String(i)), issues)
    }
    return
  }
  if (!place.fields) return
  for (const key of Object.keys(value)) {
    if (issues.length >= ISSUES_MAX) return
    const inner = under(place, key)
    if (inner === null) issues.push({ path: join(path, key), message: unknownField(key, place.fields.keys()) })
    else collect(inner, (value as Record<string, unknown>)[key], join(path, key), issues)
  }
}

function stripped(place: Place, value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value
  if (Array.isArray(value)) {
    if (place.items === null && place.prefix.length === 0) return value
    return value.map((item, i) => {
      const inner = place.prefix[i] ?? place.items
      return inner ? stripped(inner, item) : item
    })
  }
  if (!place.fields) return value
  const kept: [string, unknown][] = []
  for (const key of Object.keys(value)) {
    const inner = under(place, key)
    if (inner) kept.push([key, stripped(inner, (value as Record<string, unknown>)[key])])
  }
  // Unlike an assignment, this makes even "__proto__" a plain field.
  return Object.fromEntries(kept)
}

/** The place under `key`, or `null` where nothing of that name is declared. */
function under(place: Place, key: string): Place | null {
  const declared = place.fields!.get(key)
  if (declared) return declared
  for (const { pattern, place: inner } of place.patterns) if (pattern.test(key)) return inner
  return place.others
}

function join(path: string, key: string): string {
  return path === "" ? key : `${path}.${key}`
}

function unknownField(key: string, declared: Iterable<string>): string {
  const near = nearest(key, declared)
  return near ? `unknown field; did you mean "${near}"?` : "unknown field"
}

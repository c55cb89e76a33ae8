import type { JsonSchema } from "../../contract/schema.ts"
import { isObject, mapSchema } from "../../contract/schema-walk.ts"

export { isObject, mapSchema } from "../../contract/schema-walk.ts"

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

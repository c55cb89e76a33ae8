import { nearest } from "../base/nearest.ts"
import type { Issue } from "../errors/trestle-error.ts"
import { type JsonSchema, targetOf, typesOf } from "./schema.ts"

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

/** What a JSON Schema declares at one place of a value, with its references and alternatives resolved. */
interface Place {
  /** `null`: objects here may have any fields, and nothing is known of those. */
  fields: Map<string, Place> | null
  patterns: { readonly pattern: RegExp; readonly place: Place }[]
  /** For fields that neither `fields` nor `patterns` know; `null`: there must be none. */
  others: Place | null
  /** The first items of a tuple. */
  prefix: Place[]
  /** `null`: nothing is known of the items. */
  items: Place | null
}

type Node = JsonSchema | boolean

const ANYTHING: Place = { fields: null, patterns: [], others: null, prefix: [], items: null }

/**
 * Compiles a schema to the places of its values. A place stands for a set of schemas, the alternatives that may hold there, and each
 * set is compiled once: that is what makes schemas which contain themselves end.
 */
function compilePlaces(root: JsonSchema): Place {
  const ids = new Map<JsonSchema, number>()
  const places = new Map<string, Place>()
  const idOf = (node: JsonSchema): number => {
    if (!ids.has(node)) ids.set(node, ids.size)
    return ids.get(node)!
  }

  const placeOf = (nodes: readonly Node[]): Place => {
    const all = [...new Set(nodes)].filter((node) => node !== false)
    const key = all.map((node) => (node === true ? "any" : idOf(node))).join()
    const known = places.get(key)
    if (known) return known
    const place: Place = { ...ANYTHING, patterns: [], prefix: [] }
    places.set(key, place)
    const leaves = new Set<JsonSchema>()
    // Alternatives: one that takes anything makes the others say nothing.
    if (all.some(isAnything)) return place
    const areAllClosed = all.map((node) => gather(node, root, leaves)).every((closed) => closed === "closed")
    if (leaves.has(TAKES_ANYTHING)) return place
    if (areAllClosed) addFields(place, [...leaves].filter(declaresFields), placeOf)
    addItems(place, [...leaves], placeOf)
    return place
  }
  return placeOf([root])
}

const TAKES_ANYTHING: JsonSchema = {}

/** Collects the schemas that hold together with this one, or instead of it; says whether objects here have only declared fields. */
function gather(node: Node, root: JsonSchema, leaves: Set<JsonSchema>): "closed" | "open" {
  if (typeof node === "boolean") return node ? "open" : "closed"
  if (leaves.has(node)) return "closed"
  leaves.add(node)
  const together = [...(node.allOf ?? []), ...targetOf(node, root)].map((part) => gather(part, root, leaves))
  let isClosed = declaresFields(node) || !canBe(node, "object") || together.includes("closed")
  for (const alternatives of [node.anyOf, node.oneOf]) {
    if (!alternatives) continue
    if (alternatives.some(isAnything)) leaves.add(TAKES_ANYTHING)
    const found = alternatives.map((part) => gather(part, root, leaves))
    if (!found.includes("open")) isClosed = true
  }
  return isClosed ? "closed" : "open"
}

function addFields(place: Place, leaves: readonly JsonSchema[], placeOf: (nodes: readonly Node[]) => Place): void {
  if (leaves.length === 0) return
  const others = ({ additionalProperties: open }: JsonSchema): Node[] => (open === undefined ? [] : [open])
  const names = new Set(leaves.flatMap((leaf) => Object.keys(leaf.properties ?? {})))
  const under = (name: string): Node[] => leaves.flatMap((leaf): Node[] => ownProperty(leaf, name) ?? others(leaf))
  place.fields = new Map([...names].map((name) => [name, placeOf(under(name))]))
  place.patterns = leaves.flatMap((leaf) =>
    Object.entries(leaf.patternProperties ?? {}).map(([pattern, inner]) => ({ pattern: regExpOf(pattern), place: placeOf([inner]) })),
  )
  const open = leaves.flatMap(others).filter((node) => node !== false)
  place.others = open.length > 0 ? placeOf(open) : null
}

function addItems(place: Place, leaves: readonly JsonSchema[], placeOf: (nodes: readonly Node[]) => Place): void {
  const saysNothing = (leaf: JsonSchema): boolean => typesOf(leaf).includes("array") && !leaf.items && !leaf.prefixItems
  if (leaves.some(saysNothing)) return
  const lists = leaves.filter((leaf) => leaf.items !== undefined || leaf.prefixItems)
  const length = Math.max(0, ...lists.map((leaf) => leaf.prefixItems?.length ?? 0))
  place.prefix = Array.from({ length }, (_, i) => placeOf(lists.map((leaf) => leaf.prefixItems?.[i] ?? leaf.items ?? true)))
  if (lists.length > 0) place.items = placeOf(lists.map((leaf) => leaf.items ?? true))
}

function ownProperty(leaf: JsonSchema, name: string): JsonSchema[] | undefined {
  return leaf.properties && Object.hasOwn(leaf.properties, name) ? [leaf.properties[name]!] : undefined
}

function declaresFields(leaf: JsonSchema): boolean {
  return leaf.properties !== undefined || leaf.additionalProperties !== undefined || leaf.patternProperties !== undefined
}

const SPEAKING = ["type", "const", "enum", "$ref", "allOf", "anyOf", "oneOf", "properties", "patternProperties", "items", "prefixItems"]

function isAnything(node: Node): boolean {
  if (typeof node === "boolean") return node
  return node.additionalProperties === undefined && !SPEAKING.some((keyword) => node[keyword] !== undefined)
}

function canBe(node: JsonSchema, type: string): boolean {
  if (node.type === undefined) return node.const === undefined && node.enum === undefined
  return typesOf(node).includes(type)
}

/** JSON Schema wants Unicode patterns; some that people write are only good without. */
function regExpOf(pattern: string): RegExp {
  try {
    return new RegExp(pattern, "u")
  } catch {
    return new RegExp(pattern)
  }
}

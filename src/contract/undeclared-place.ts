import { type JsonSchema, targetOf, typesOf } from "./schema.ts"

/** What a JSON Schema declares at one place of a value, with its references and alternatives resolved. */
export interface Place {
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
export function compilePlaces(root: JsonSchema): Place {
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

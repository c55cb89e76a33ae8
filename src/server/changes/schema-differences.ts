import { type JsonSchema, typesOf } from "../../contract/schema.ts"
import {
  allText,
  alternativesOf,
  areAlike,
  fitsType,
  isOfAnyType,
  isOpen,
  resolved,
  sameJson,
  textOf,
  valuesOf,
} from "./schema-alternatives.ts"
import { limitDifferences, otherDifferences } from "./schema-limits.ts"

/**
 * In what a value that fits one schema may fail another. `missing`: the other one has a field that this one lacks; `optional`: requires one
 * that may be absent here; `extra`: knows nothing of a field here.
 */
export type DifferenceKind = "missing-required" | "missing-optional" | "optional" | "extra" | "type" | "values" | "limit" | "other"

export interface Difference {
  readonly kind: DifferenceKind
  /** `items[].name`; empty for the whole. */
  readonly path: string
  readonly sub: string
  readonly sup: string
}

export interface Sides {
  /** The documents that `$ref` leads into. */
  readonly subRoot: JsonSchema
  readonly supRoot: JsonSchema
}

/**
 * Where a value that fits `sub` may not fit `sup`; empty when every value does. Understands the subset of JSON Schema 2020-12 that Trestle
 * emits; of a keyword that it does not, it is only content with the same one on both sides. What it says of a difference may be less
 * than what is there, never more: alternatives are compared with the one that fits best.
 *
 * Unlike JSON Schema, a field that an object does not name does not fit it, for that is how Trestle reads its inputs.
 */
export function schemaDifferences(sub: unknown, sup: unknown, { subRoot, supRoot }: Sides): readonly Difference[] {
  return new Comparison(subRoot, supRoot).compare(sub, sup)
}

type Node = JsonSchema

class Comparison {
  readonly #subRoot: JsonSchema
  readonly #supRoot: JsonSchema
  /** By the text of a pair. While one is under way it is taken to fit, which ends the walk through recursive schemas. */
  readonly #known = new Map<string, readonly Difference[]>()

  constructor(subRoot: JsonSchema, supRoot: JsonSchema) {
    this.#subRoot = subRoot
    this.#supRoot = supRoot
  }

  compare(sub: unknown, sup: unknown): readonly Difference[] {
    if (sup === true || sub === false) return []
    const pair = `${JSON.stringify(sub)} ${JSON.stringify(sup)}`
    const known = this.#known.get(pair)
    if (known) return known
    this.#known.set(pair, [])
    const found = unique(this.#alternatives(alternativesOf(sub, this.#subRoot), sup === false ? [] : alternativesOf(sup, this.#supRoot)))
    this.#known.set(pair, found)
    return found
  }

  #alternatives(own: readonly Node[], allowed: readonly Node[]): readonly Difference[] {
    const open = allowed.filter((one) => valuesOf(one) === null)
    const listed = allowed.flatMap((one) => valuesOf(one) ?? [])
    const values = own.flatMap((one) => valuesOf(one) ?? [])
    const texts = { path: "", sub: allText(own), sup: allText(allowed) }
    const unknown = values.filter((value) => !listed.some((one) => sameJson(one, value)) && !open.some((one) => isOfAnyType(value, one)))
    const found: Difference[] = []
    if (unknown.length > 0) found.push({ kind: areAlike([...unknown, ...listed]) ? "values" : "type", ...texts })
    for (const one of own) {
      if (valuesOf(one) !== null) continue
      const isListed = listed.some((value) => isOfAnyType(value, one))
      found.push(...(this.#closest(one, open) ?? [{ kind: isListed ? "values" : "type", ...texts } as const]))
    }
    return found
  }

  /** What is closest tells best what has changed: the one with the fewest differences among those of its type; `null` for none. */
  #closest(one: Node, allowed: readonly Node[]): readonly Difference[] | null {
    let best: readonly Difference[] | null = null
    for (const other of allowed) {
      const [type] = typesOf(other)
      if (type !== undefined && !fitsType(typesOf(one)[0], type)) continue
      const found = this.#leaf(one, other)
      if (best === null || found.length < best.length) best = found
    }
    return best
  }

  #leaf(sub: Node, sup: Node): readonly Difference[] {
    const [type] = typesOf(sup)
    const found = [...limitDifferences(sub, sup), ...otherDifferences(sub, sup)]
    if (type === "object") found.push(...this.#fields(sub, sup), ...this.#otherFields(sub, sup))
    if (type === "array") found.push(...this.#items(sub, sup))
    return found
  }

  #fields(sub: Node, sup: Node): Difference[] {
    const has = sub.properties ?? {}
    const certain = new Set(sub.required)
    const required = new Set(sup.required)
    return Object.entries(sup.properties ?? {}).flatMap(([name, schema]): Difference[] => {
      if (!Object.hasOwn(has, name)) {
        const kind = required.has(name) ? "missing-required" : "missing-optional"
        return [{ kind, path: name, sub: "absent", sup: textOf(resolved(schema, this.#supRoot)) }]
      }
      const inner = under(name, this.compare(has[name], schema))
      const isUncertain = required.has(name) && !certain.has(name)
      return isUncertain ? [{ kind: "optional", path: name, sub: "optional", sup: "required" }, ...inner] : inner
    })
  }

  /** Fields that the other one does not name. */
  #otherFields(sub: Node, sup: Node): Difference[] {
    const wants = sup.properties ?? {}
    const others = sup.additionalProperties
    const found = Object.entries(sub.properties ?? {}).flatMap(([name, schema]): Difference[] => {
      if (Object.hasOwn(wants, name)) return []
      if (isOpen(others)) return under(name, this.compare(schema, others))
      return [{ kind: "extra", path: name, sub: textOf(resolved(schema, this.#subRoot)), sup: "absent" }]
    })
    if (!isOpen(sub.additionalProperties)) return found
    if (isOpen(others)) return [...found, ...under("{}", this.compare(sub.additionalProperties, others))]
    return [...found, { kind: "extra", path: "{}", sub: "any further field", sup: "none" }]
  }

  #items(sub: Node, sup: Node): Difference[] {
    const wanted = sup.prefixItems ?? []
    const own = sub.prefixItems ?? []
    const at = (list: readonly unknown[], rest: unknown, i: number): unknown => list[i] ?? rest ?? true
    const count = Math.max(wanted.length, own.length)
    const first = Array.from({ length: count }, (_, i) => under(`[${i}]`, this.compare(at(own, sub.items, i), at(wanted, sup.items, i))))
    return [...first.flat(), ...under("[]", this.compare(sub.items ?? true, sup.items ?? true))]
  }
}

function under(step: string, differences: readonly Difference[]): Difference[] {
  return differences.map((one) => ({ ...one, path: /^$|^[[{]/.test(one.path) ? step + one.path : `${step}.${one.path}` }))
}

function unique(differences: readonly Difference[]): readonly Difference[] {
  const seen = new Map(differences.map((one) => [`${one.kind} ${one.path} ${one.sub} ${one.sup}`, one]))
  return [...seen.values()]
}

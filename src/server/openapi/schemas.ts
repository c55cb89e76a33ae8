import type { JsonSchema } from "../../contract/schema.ts"
import { graphSignature, lastStep, mapSchema, targetOf } from "./walk.ts"

const LOCAL = "#/components/schemas/"
/** Names that a library made up because the developer gave none. */
const MADE_UP = /^(__schema|def|schema|ref)?\d*$/i

/**
 * Collects the shared schemas of one document. What a schema refers to inside itself becomes an entry of `components.schemas`; two
 * entries with the same content are one, and two contents that claim one name get two names.
 */
export class SchemaLibrary {
  readonly #byName = new Map<string, JsonSchema>()
  readonly #nameOf = new Map<string, string>()

  /** Takes a name before any schema of the application can. */
  reserve(name: string, schema: JsonSchema): void {
    this.#byName.set(name, schema)
  }

  /**
   * A schema as it may stand anywhere in the document; its references are looked up in `root`, the schema it is a part of.
   */
  lift(schema: JsonSchema, root: JsonSchema, naming: Naming): JsonSchema {
    if (schema === root && refersToRoot(root)) return { $ref: LOCAL + this.#component("#", root, root, naming) }
    return this.#rewritten(schema, root, naming)
  }

  /** Sorted by name, so that a document's diff shows what has changed and not what has moved. */
  entries(): Record<string, JsonSchema> {
    return Object.fromEntries([...this.#byName].sort(([a], [b]) => (a < b ? -1 : 1)))
  }

  #rewritten(schema: JsonSchema, root: JsonSchema, naming: Naming): JsonSchema {
    return mapSchema(schema, (inner) => {
      if (inner.$ref === undefined) return undefined
      const target = targetOf(inner.$ref, root)
      if (target === null) return undefined
      const { $ref, ...beside } = inner
      return { $ref: LOCAL + this.#component($ref!, target, root, naming), ...this.#rewritten(beside, root, naming) }
    })
  }

  #component(pointer: string, target: JsonSchema, root: JsonSchema, naming: Naming): string {
    const signature = graphSignature(target, root, pointer)
    const known = this.#nameOf.get(signature)
    if (known !== undefined) return known
    const name = this.#freeName(pointer, naming)
    // Both before the content is read: a recursive schema asks for its own name.
    this.#nameOf.set(signature, name)
    this.#byName.set(name, {})
    this.#byName.set(name, this.#rewritten(target, root, naming))
    return name
  }

  #freeName(pointer: string, { hint, side }: Naming): string {
    const own = lastStep(pointer).replace(/[^A-Za-z0-9._-]/g, "_")
    const isUnnamed = pointer === "#" || !/^#\/(\$defs|definitions)\//.test(pointer) || MADE_UP.test(own)
    const wished = isUnnamed ? hint.replace(/[^A-Za-z0-9._-]/g, "_") : own
    if (!this.#byName.has(wished)) return wished
    if (!isUnnamed && !this.#byName.has(wished + side)) return wished + side
    let count = 2
    while (this.#byName.has(wished + count)) count++
    return wished + count
  }
}

function refersToRoot(root: JsonSchema): boolean {
  let isFound = false
  mapSchema(root, (inner) => {
    if (inner.$ref === "#") isFound = true
    return undefined
  })
  return isFound
}

export interface Naming {
  /** Names what has no name of its own. */
  readonly hint: string
  /** Tells apart the two sides of one named schema where they differ: a default makes a field optional going in and certain coming out. */
  readonly side: "Input" | "Output"
}

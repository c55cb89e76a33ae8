import { type JsonSchema, targetOf, typesOf } from "../contract/schema.ts"
import { NoSample, sampleNumber, sampleText } from "./sample-scalar.ts"

export { NoSample } from "./sample-scalar.ts"

/** Which of the values that fit. */
export interface SampleOptions {
  /** Leaves out what is not required. */
  readonly isSmall?: boolean
}

/** Schemas that contain themselves must end somewhere. */
const DEPTH_MAX = 6

/**
 * Makes a value that fits a JSON Schema, always the same one.
 *
 * @throws {NoSample} for what JSON Schema alone does not say, or what this small generator does not understand. A value that it gives
 *   may still be refused by a rule which has no JSON form.
 */
export function sampleFromSchema(schema: JsonSchema, options: SampleOptions = {}): unknown {
  return new Sampler(schema, options).sample(schema, "", 0)
}

class Sampler {
  readonly #root: JsonSchema
  readonly #isSmall: boolean

  constructor(root: JsonSchema, { isSmall = false }: SampleOptions) {
    this.#root = root
    this.#isSmall = isSmall
  }

  sample(node: JsonSchema | boolean, path: string, depth: number): unknown {
    if (node === true) return "sample"
    if (node === false || depth > DEPTH_MAX * 4) throw new NoSample(`${path || "the whole"}: nothing fits`)
    if (node.const !== undefined) return node.const
    if (node.enum) return node.enum[0]
    if (Object.hasOwn(node, "const")) return node.const
    const merged = merge(node, [...targetOf(node, this.#root), ...(node.allOf ?? [])])
    if (merged !== node) return this.sample(merged, path, depth + 1)
    const alternatives = node.anyOf ?? node.oneOf
    if (alternatives) return this.#oneOf(node, alternatives, path, depth)
    const examples = node.examples
    if (node.default !== undefined) return node.default
    if (Array.isArray(examples) && examples.length > 0) return examples[0]
    return this.#typed(node, path, depth)
  }

  /** Not null where there is a choice: null says nothing of the shape. */
  #oneOf(node: JsonSchema, alternatives: readonly JsonSchema[], path: string, depth: number): unknown {
    const { anyOf: _any, oneOf: _one, ...rest } = node
    const ordered = [...alternatives].sort((a, b) => Number(a.type === "null") - Number(b.type === "null"))
    let trouble: unknown
    for (const alternative of ordered) {
      try {
        return this.sample(merge(rest, [alternative]), path, depth + 1)
      } catch (error) {
        trouble ??= error
      }
    }
    throw trouble ?? new NoSample(`${path || "the whole"}: no alternative`)
  }

  #typed(node: JsonSchema, path: string, depth: number): unknown {
    const type = typesOf(node).find((one) => one !== "null") ?? typesOf(node)[0] ?? (node.properties ? "object" : undefined)
    switch (type) {
      case "object":
        return this.#object(node, path, depth)
      case "array":
        return this.#array(node, path, depth)
      case "string":
        return sampleText(node, path)
      case "integer":
      case "number":
        return sampleNumber(node, type === "integer", path)
      case "boolean":
        return true
      case "null":
        return null
      default:
        return "sample"
    }
  }

  #object(node: JsonSchema, path: string, depth: number): Record<string, unknown> {
    const required = node.required ?? []
    const isEnough = this.#isSmall || depth >= DEPTH_MAX
    const names = Object.keys(node.properties ?? {}).filter((name) => !isEnough || required.includes(name))
    const value: Record<string, unknown> = {}
    for (const name of names) {
      try {
        value[name] = this.sample(node.properties![name]!, path ? `${path}.${name}` : name, depth + 1)
      } catch (error) {
        if (required.includes(name)) throw error
      }
    }
    for (const name of required) {
      if (Object.hasOwn(value, name)) continue
      const others = node.additionalProperties
      value[name] = typeof others === "object" ? this.sample(others, name, depth + 1) : "sample"
    }
    return value
  }

  #array(node: JsonSchema, path: string, depth: number): unknown[] {
    const first = (node.prefixItems ?? []).map((item, i) => this.sample(item, `${path}.${i}`, depth + 1))
    const least = Number(node.minItems ?? (this.#isSmall || depth >= DEPTH_MAX ? 0 : 1))
    const most = Number(node.maxItems ?? Number.POSITIVE_INFINITY)
    const more = node.items === undefined && first.length > 0 ? 0 : Math.max(0, Math.min(Math.max(least, 0), most) - first.length)
    return [...first, ...Array.from({ length: more }, (_, i) => this.sample(node.items ?? true, `${path}.${i}`, depth + 1))]
  }
}

/** What holds together, as one schema; the later word wins, but fields and requirements add up. */
function merge(node: JsonSchema, parts: readonly JsonSchema[]): JsonSchema {
  if (parts.length === 0) return node
  const { allOf: _allOf, $ref: _ref, ...rest } = node
  const all = [rest, ...parts]
  const properties = Object.assign({}, ...all.map((part) => part.properties))
  const required = all.flatMap((part) => part.required ?? [])
  return {
    ...Object.assign({}, ...all),
    ...(Object.keys(properties).length > 0 ? { properties } : {}),
    ...(required.length > 0 ? { required } : {}),
  }
}

import { type JsonSchema, targetOf, typesOf } from "../contract/schema.ts"
import { sampleOfPattern } from "./sample-pattern.ts"

/** Nothing was found that the schema takes; `message` says where. */
export class NoSample extends Error {
  override readonly name = "NoSample"
}

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
        return text(node, path)
      case "integer":
      case "number":
        return number(node, type === "integer", path)
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

const FORMATS: Readonly<Record<string, string>> = {
  email: "sample@example.com",
  uuid: "3f0b8c9a-5d1e-4b7a-9c2d-6e8f1a2b3c4d",
  "date-time": "2026-01-01T12:00:00Z",
  date: "2026-01-01",
  time: "12:00:00",
  duration: "P1D",
  uri: "https://example.com/",
  url: "https://example.com/",
  hostname: "example.com",
  ipv4: "192.0.2.1",
  ipv6: "2001:db8::1",
}

function text(node: JsonSchema, path: string): string {
  const { format, pattern, minLength, maxLength } = node as { format?: string; pattern?: string; minLength?: number; maxLength?: number }
  const fits = (value: string): boolean =>
    value.length >= (minLength ?? 0) &&
    value.length <= (maxLength ?? Number.POSITIVE_INFINITY) &&
    (pattern === undefined || matches(pattern, value))
  const plain = "sample".padEnd(minLength ?? 0, "x").slice(0, maxLength ?? undefined)
  const known = format === undefined ? undefined : FORMATS[format]
  const made = pattern === undefined ? null : sampleOfPattern(pattern)
  const found = [known, plain, made].find((value) => typeof value === "string" && fits(value))
  if (typeof found !== "string")
    throw new NoSample(`${path || "the whole"}: no text is found for ${pattern ? `the pattern ${pattern}` : "its length"}`)
  return found
}

function matches(pattern: string, value: string): boolean {
  try {
    return new RegExp(pattern, "u").test(value)
  } catch {
    return new RegExp(pattern).test(value)
  }
}

function number(node: JsonSchema, isInteger: boolean, path: string): number {
  const limits = node as { minimum?: number; maximum?: number; exclusiveMinimum?: number; exclusiveMaximum?: number; multipleOf?: number }
  const {
    minimum = Number.NEGATIVE_INFINITY,
    maximum = Number.POSITIVE_INFINITY,
    exclusiveMinimum: above = Number.NEGATIVE_INFINITY,
  } = limits
  const { exclusiveMaximum: below = Number.POSITIVE_INFINITY, multipleOf: step } = limits
  const middle = (Math.max(minimum, above) + Math.min(maximum, below)) / 2
  const inSteps = step === undefined ? [] : [minimum, above + step, maximum].map((limit) => Math.ceil(limit / step) * step)
  const candidates = [
    1,
    0,
    ...inSteps,
    step ?? 1,
    minimum,
    maximum,
    Math.ceil(above) + 1,
    Math.floor(above) + 1,
    Math.ceil(below) - 1,
    middle,
    Math.floor(middle),
  ]
  const found = candidates.find(
    (value) =>
      Number.isFinite(value) &&
      value >= minimum &&
      value <= maximum &&
      value > above &&
      value < below &&
      (!isInteger || Number.isSafeInteger(value)) &&
      (step === undefined || Math.abs(value / step - Math.round(value / step)) < 1e-9),
  )
  if (found === undefined) throw new NoSample(`${path || "the whole"}: no number lies within its limits`)
  return found
}

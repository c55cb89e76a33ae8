import { type JsonSchema, typesOf } from "../../contract/schema.ts"
import { isObject, targetOf } from "../openapi/walk.ts"

type Node = JsonSchema

/** Deeper than any honest nesting; ends the walk through alternatives that only refer to one another. */
const DEPTH_MAX = 16

/** The schema with its reference followed and its `allOf` folded in. */
export function resolved(schema: unknown, root: JsonSchema, depth = 0): Node {
  if (!isObject(schema) || depth > DEPTH_MAX) return {}
  const { $ref, allOf, ...own } = schema as Node
  const target = $ref === undefined ? null : targetOf($ref, root)
  const parts = [...(target ? [target] : []), ...(Array.isArray(allOf) ? allOf : [])].map((part) => resolved(part, root, depth + 1))
  return parts.reduce<Node>((all, part) => both(all, part), own)
}

function both(one: Node, other: Node): Node {
  const properties = one.properties || other.properties ? { properties: { ...other.properties, ...one.properties } } : {}
  const required = one.required || other.required ? { required: [...new Set([...(one.required ?? []), ...(other.required ?? [])])] } : {}
  return { ...other, ...one, ...properties, ...required }
}

/** A schema as its alternatives, each of one type at most: `anyOf`, `oneOf`, and lists of types, taken apart. */
export function alternativesOf(schema: unknown, root: JsonSchema, depth = 0): readonly Node[] {
  const node = resolved(schema, root)
  const choices = node.anyOf ?? node.oneOf
  if (Array.isArray(choices) && depth <= DEPTH_MAX) {
    const { anyOf: _any, oneOf: _one, ...base } = node
    return choices.flatMap((choice) => alternativesOf(both(resolved(choice, root), base), root, depth + 1))
  }
  const types = typesOf(node)
  return types.length > 1 ? types.map((type) => ({ ...node, type })) : [node]
}

/** The only values that fit, where they are listed. */
export function valuesOf(node: Node): readonly unknown[] | null {
  if (Object.hasOwn(node, "const")) return [node.const]
  const [type] = typesOf(node)
  if (Array.isArray(node.enum)) return type === undefined ? node.enum : node.enum.filter((value) => isOfType(value, type))
  if (type === "boolean") return [true, false]
  return type === "null" ? [null] : null
}

export function sameJson(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}

export function areAlike(values: readonly unknown[]): boolean {
  return new Set(values.map((value) => typeof value)).size === 1 && !values.includes(null)
}

export function isOfAnyType(value: unknown, node: Node): boolean {
  const [type] = typesOf(node)
  return type === undefined || isOfType(value, type)
}

export function fitsType(sub: string | undefined, sup: string): boolean {
  return sub === sup || (sub === "integer" && sup === "number")
}

function isOfType(value: unknown, type: string): boolean {
  if (type === "integer") return Number.isInteger(value)
  if (type === "null") return value === null
  if (type === "array") return Array.isArray(value)
  return type === "object" ? isObject(value) : typeof value === type
}

export function isOpen(others: unknown): boolean {
  return others === true || isObject(others)
}

/** For people: a type, or the values. */
export function textOf(node: Node): string {
  const values = valuesOf(node)
  const [type] = typesOf(node)
  if (type === "boolean" && values?.length === 2) return "boolean"
  if (values) return values.map(literal).join(" | ")
  return type ?? "anything"
}

export function allText(alternatives: readonly Node[]): string {
  return [...new Set(alternatives.map(textOf))].join(" | ") || "nothing"
}

function literal(value: unknown): string {
  return JSON.stringify(value)
}

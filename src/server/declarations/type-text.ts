import { type JsonSchema, typesOf } from "../../contract/schema.ts"
import { isObject } from "../openapi/walk.ts"

export interface TypeTextParts {
  /** The type that a reference stands for. */
  readonly nameOf: (reference: string) => string
  /** Of an input, fields that may be absent may also be given as `undefined`. */
  readonly side: "input" | "output"
}

/**
 * The TypeScript type of the values that fit a JSON Schema, as closely as types can say it: limits, patterns and formats are left to the
 * application, and what is not understood is `unknown`.
 *
 * @param indent that of the line it stands in
 */
export function typeText(schema: unknown, parts: TypeTextParts, indent = ""): string {
  if (schema === false) return "never"
  if (!isObject(schema)) return "unknown"
  const node = schema as JsonSchema
  if (node.$ref !== undefined) return parts.nameOf(node.$ref)
  if (Object.hasOwn(node, "const")) return valueText(node.const)
  if (Array.isArray(node.enum)) return union(node.enum.map(valueText))
  const choices = node.anyOf ?? node.oneOf
  const pieces = [
    ...(node.type === undefined && node.properties === undefined ? [] : [ownText(node, parts, indent)]),
    ...(Array.isArray(choices) ? [union(choices.map((choice) => typeText(choice, parts, indent)))] : []),
    ...(Array.isArray(node.allOf) ? node.allOf.map((part) => typeText(part, parts, indent)) : []),
  ]
  return intersection(pieces)
}

function ownText(node: JsonSchema, parts: TypeTextParts, indent: string): string {
  const types = node.type === undefined ? ["object"] : typesOf(node)
  return union(types.map((type) => textOfType(type, node, parts, indent)))
}

function textOfType(type: string, node: JsonSchema, parts: TypeTextParts, indent: string): string {
  switch (type) {
    case "object":
      return objectText(node, parts, indent)
    case "array":
      return arrayText(node, parts, indent)
    case "integer":
      return "number"
    case "string":
    case "number":
    case "boolean":
    case "null":
      return type
    default:
      return "unknown"
  }
}

function arrayText({ prefixItems, items }: JsonSchema, parts: TypeTextParts, indent: string): string {
  if (!Array.isArray(prefixItems)) return `${grouped(typeText(items ?? true, parts, indent))}[]`
  const first = prefixItems.map((item) => typeText(item, parts, indent))
  const rest = items === undefined || items === false ? [] : [`...${grouped(typeText(items, parts, indent))}[]`]
  return `[${[...first, ...rest].join(", ")}]`
}

function objectText(node: JsonSchema, parts: TypeTextParts, indent: string): string {
  const { properties, additionalProperties: others, patternProperties } = node
  const inner = `${indent}  `
  const fields = Object.entries(properties ?? {})
  const open = [...Object.values(patternProperties ?? {}), ...(others === undefined || others === false ? [] : [others])]
  if (fields.length === 0 && open.length === 0)
    return properties === undefined && others !== false ? "Record<string, unknown>" : "Record<string, never>"
  const lines = fields.map(([name, schema]) => fieldText(name, schema, node, { parts, inner }))
  if (open.length > 0) {
    const alternatives = [...open, ...Object.values(properties ?? {})].map((schema) => typeText(schema, parts, inner))
    const isAnyOptional = fields.some(([name]) => !node.required?.includes(name))
    lines.push(`${inner}[key: string]: ${union([...alternatives, ...(isAnyOptional ? ["undefined"] : [])])}`)
  }
  return `{\n${lines.join("\n")}\n${indent}}`
}

function fieldText(
  name: string,
  schema: JsonSchema,
  node: JsonSchema,
  { parts, inner }: { readonly parts: TypeTextParts; readonly inner: string },
): string {
  const isRequired = node.required?.includes(name) ?? false
  const type = typeText(schema, parts, inner)
  const value = isRequired || parts.side === "output" ? type : union([type, "undefined"])
  return `${docText(docOf(schema), inner)}${inner}${keyText(name)}${isRequired ? "" : "?"}: ${value}`
}

function docOf({ description, deprecated, default: value }: JsonSchema): readonly string[] {
  return [
    ...(typeof description === "string" ? [description] : []),
    ...(value === undefined ? [] : [`@default ${JSON.stringify(value)}`]),
    ...(deprecated === true ? ["@deprecated"] : []),
  ]
}

/** A comment in front of a declaration; nothing for no text. */
export function docText(lines: readonly string[], indent: string): string {
  const safe = lines.flatMap((line) => line.split(/\r?\n/)).map((line) => line.replaceAll("*/", "*\\/").trimEnd())
  if (safe.length === 0) return ""
  if (safe.length === 1) return `${indent}/** ${safe[0]} */\n`
  return `${indent}/**\n${safe.map((line) => `${indent} * ${line}`.trimEnd()).join("\n")}\n${indent} */\n`
}

export function keyText(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name)
}

/** A value as the type of nothing but itself. */
function valueText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(valueText).join(", ")}]`
  if (!isObject(value)) return JSON.stringify(value) ?? "unknown"
  const fields = Object.entries(value).map(([name, inner]) => `${keyText(name)}: ${valueText(inner)}`)
  return fields.length === 0 ? "Record<string, never>" : `{ ${fields.join("; ")} }`
}

function union(types: readonly string[]): string {
  const distinct = [...new Set(types)]
  if (distinct.includes("unknown")) return "unknown"
  const some = distinct.filter((type) => type !== "never")
  return some.length === 0 ? "never" : some.length === 1 ? some[0]! : some.map(grouped).join(" | ")
}

function intersection(types: readonly string[]): string {
  const some = [...new Set(types)].filter((type) => type !== "unknown")
  return some.length === 0 ? "unknown" : some.length === 1 ? some[0]! : some.map(grouped).join(" & ")
}

/** In brackets where it is put together from others; what stands within `{ }` or `[ ]` is one thing. */
function grouped(type: string): string {
  const outside = type.replace(/"(?:[^"\\]|\\.)*"/g, '""')
  let depth = 0
  for (const letter of outside) {
    if ("{[<(".includes(letter)) depth++
    else if ("}]>)".includes(letter)) depth--
    else if (depth === 0 && (letter === "|" || letter === "&")) return `(${type})`
  }
  return type
}

import type { Issue } from "../errors/trestle-error.ts"
import { compileCoercion } from "./coerce.ts"
import type { FileRules, FileSchema } from "./file.ts"
import { type Direction, type JsonSchema, jsonSchemaOf, type Std } from "./schema.ts"
import type { StreamSchema } from "./stream.ts"
import { compileUndeclared, ISSUES_MAX } from "./undeclared.ts"

export type Checked = { readonly value: unknown } | { readonly issues: readonly Issue[] }

/** One side of a schema, compiled once: validates, refuses or drops what is not declared, and knows its JSON form. */
export interface Shape {
  readonly json: JsonSchema
  /** Never throws for a wrong value. A promise only where the schema itself is asynchronous. */
  check(value: unknown): Checked | Promise<Checked>
  /** Turns the strings of a path or query into the scalars that the schema declares; leaves alone what does not fit. */
  coerce(fields: Record<string, unknown>): Record<string, unknown>
  /** Set for `file()`: what the file must be. */
  readonly file?: FileRules
  /** Set for `stream()`: the shape of one item. */
  readonly items?: Shape
}

export function compileShape(declared: Std, direction: Direction): Shape | { readonly why: string } {
  const { "~answer": answer, "~file": file, "~items": item } = declared as Partial<FileSchema<unknown> & StreamSchema<unknown, unknown>>
  const shape = compilePlain(direction === "output" ? ((answer as Std | undefined) ?? declared) : declared, direction)
  if ("why" in shape) return shape
  if (file) return { ...shape, file }
  const items = item && compileShape(item, direction)
  if (!items) return shape
  return "why" in items ? items : { ...shape, items }
}

function compilePlain(schema: Std, direction: Direction): Shape | { readonly why: string } {
  const found = jsonSchemaOf(schema, direction)
  if ("why" in found) return found
  const { json } = found
  const { validate, vendor } = schema["~standard"]
  const undeclared = compileUndeclared(json)
  const coerce = compileCoercion(json)
  const conclude = (result: StandardResult): Checked => {
    if (result.issues) return { issues: result.issues.slice(0, ISSUES_MAX).map((issue) => issueOf(issue, vendor)) }
    // Some libraries say `issues: undefined`, which would read as a refusal further on.
    return "issues" in result ? { value: result.value } : (result as Checked)
  }

  if (direction === "input") {
    const check = (value: unknown): Checked | Promise<Checked> => {
      const unknown = undeclared.find(value)
      const result = validate(value) as StandardResult | Promise<StandardResult>
      if (result instanceof Promise) return result.then((settled) => withUnknown(conclude(settled), unknown))
      return unknown === null ? conclude(result) : withUnknown(conclude(result), unknown)
    }
    return { json, check, coerce }
  }
  // These strip what an object schema does not declare; of other libraries nothing is assumed.
  const stripsItself = vendor === "trestle" || vendor === "zod" || vendor === "valibot"
  const strip = (checked: Checked): Checked => (stripsItself || "issues" in checked ? checked : { value: undeclared.strip(checked.value) })
  const check = (value: unknown): Checked | Promise<Checked> => {
    const result = validate(value) as StandardResult | Promise<StandardResult>
    return result instanceof Promise ? result.then((settled) => strip(conclude(settled))) : strip(conclude(result))
  }
  return { json, check, coerce }
}

/** One issue as schema libraries give it. */
export interface SchemaIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[]
}

interface StandardResult {
  readonly value?: unknown
  readonly issues?: readonly SchemaIssue[]
}

/** The same without the value. */
export function issueOf(issue: SchemaIssue, vendor: string): Issue {
  const path = (issue.path ?? []).map((part) => String(typeof part === "object" ? part.key : part)).join(".")
  return { path, message: withoutValue(issue.message, vendor) }
}

/** ArkType and Valibot put the value itself into their sentences, which go to callers and into logs; that part is cut off. */
function withoutValue(message: string, vendor: string): string {
  if (vendor === "arktype") return message.replace(/ \([\s\S]*\)(?= must be\.\.\.|$)/, "")
  if (vendor === "valibot") return message.replace(/(?: but r|: R)eceived [\s\S]*$/, "")
  return message
}

/** Adds the undeclared fields; a strict schema's own remark about the same field would only say it twice. */
function withUnknown(checked: Checked, unknown: readonly Issue[] | null): Checked {
  if (unknown === null) return checked
  const paths = new Set(unknown.map((issue) => issue.path))
  const own =
    "issues" in checked ? checked.issues.filter((issue) => !/^unrecognized key/i.test(issue.message) && !paths.has(issue.path)) : []
  return { issues: [...unknown, ...own] }
}

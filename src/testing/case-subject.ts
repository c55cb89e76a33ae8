import type { Declaration, Op } from "../contract/op.ts"
import type { Operation } from "../contract/operation.ts"
import type { Principal } from "../contract/principal.ts"
import { type JsonSchema, jsonSchemaOf, targetOf, typesOf } from "../contract/schema.ts"
import type { Shape } from "../contract/shape.ts"
import { compileUndeclared } from "../contract/undeclared.ts"
import { NoSample, sampleFromSchema } from "./sample-from-schema.ts"
import { fieldsOfUpload, sampleFile, sampleStream } from "./sample-stream.ts"
import { TestFailure } from "./test-failure.ts"

/** One operation, and what its cases need to know of the application round it. */
export interface Subject {
  readonly op: Op<any, any, any, any, any>
  readonly operation: Operation
  /** Of the whole application. */
  readonly all: readonly { readonly op: Op<any, any, any, any, any>; readonly operation: Operation }[]
  readonly permissions: Readonly<Record<string, readonly string[]>>
  readonly bodyBytesMax: number
  /** Who passes its rules, where the test has said so. */
  readonly caller: Principal | undefined
}

/** A check of a contract that did not hold. */
export function broken(message: string): never {
  throw new TestFailure(message)
}

/** A JSON body; a file's fields travel beside it, in path and query. */
export function takesBody({ operation }: Pick<Subject, "operation">): boolean {
  if (operation.input.file) return false
  const verb = operation.route?.verb
  return verb === "POST" || verb === "PUT" || verb === "PATCH"
}

/** An input that the contract takes: of its first example, else made from its JSON Schema. */
export async function inputOf(subject: Pick<Subject, "operation">): Promise<unknown> {
  const { operation } = subject
  const [example] = operation.declaration.contract.examples ?? []
  if (example) return example.input
  if (operation.input.file)
    return { ...(sampleFromSchema(fieldsOfUpload(operation.input.json)) as object), file: sampleFile(operation.input.file.types) }
  return firstThatFits(
    operation,
    "input",
    operation.input.json,
    operation.input,
    takesBody(subject) || !operation.route ? [false, true] : [true, false],
  )
}

/** An answer that a backend may give: of the first example, else made from the JSON Schema. */
export async function answerOf(operation: Operation): Promise<unknown> {
  const { contract } = operation.declaration
  if (operation.isSilent) return undefined
  const [example] = contract.examples ?? []
  if (example) return example.output
  const streamed = sampleStream(operation)
  if (streamed !== undefined) return streamed
  return firstThatFits(operation, "output", answerSchema(operation.declaration), operation.output, [false, true])
}

/** A backend answers the side of the output schema that the schema takes. */
export function answerSchema({ contract }: Declaration): JsonSchema {
  const found = jsonSchemaOf(contract.output, "input")
  return "json" in found ? found.json : {}
}

async function firstThatFits(
  operation: Operation,
  side: "input" | "output",
  json: JsonSchema,
  shape: Shape,
  sizes: readonly boolean[],
): Promise<unknown> {
  let why = ""
  for (const isSmall of sizes) {
    try {
      const value = json.type === "null" ? undefined : sampleFromSchema(json, { isSmall })
      const checked = await shape.check(value)
      if (!("issues" in checked)) return value
      why ||= checked.issues.map(({ path, message }) => `${path || "the whole"}: ${message}`).join("; ")
    } catch (error) {
      if (!(error instanceof NoSample)) throw error
      why ||= error.message
    }
  }
  return broken(
    `${operation.path}: no ${side} could be made from its schema (${why}). Give it one: examples: [{ input: { ... }, output: { ... } }],`,
  )
}

/** A value that JSON Schema does not allow at that place; `undefined` where it allows every type. `mark` is part of it where it can be. */
export function wrongValueFor(node: JsonSchema, root: JsonSchema, mark = "wrong type"): unknown {
  const allowed = allowedTypes(node, root)
  if (allowed === null) return undefined
  const candidates: readonly (readonly [string, unknown])[] = [
    ["object", { [mark.replaceAll(" ", "_")]: mark }],
    ["string", mark],
    ["array", [mark]],
    ["number", 12_345],
    ["boolean", true],
  ]
  return candidates.find(([type]) => !allowed.has(type))?.[1]
}

/** `null`: any. */
function allowedTypes(node: JsonSchema | boolean, root: JsonSchema, depth = 0): Set<string> | null {
  if (typeof node === "boolean" || depth > 20) return null
  const values = node.const !== undefined ? [node.const] : node.enum
  if (values) return new Set(values.map(typeOf))
  if (node.type !== undefined) return new Set(typesOf(node).map((type) => (type === "integer" ? "number" : type)))
  const together = [...targetOf(node, root), ...(node.allOf ?? [])]
  for (const part of together) {
    const found = allowedTypes(part, root, depth + 1)
    if (found) return found
  }
  const alternatives = node.anyOf ?? node.oneOf
  if (!alternatives) return null
  const found = alternatives.map((part) => allowedTypes(part, root, depth + 1))
  return found.includes(null) ? null : new Set(found.flatMap((types) => [...types!]))
}

function typeOf(value: unknown): string {
  return value === null ? "null" : Array.isArray(value) ? "array" : typeof value
}

export const UNKNOWN_FIELD = "trestleUnknownField"

/** The input's schema lists its fields and allows no others. */
export function refusesUnknown({ operation }: Subject): boolean {
  return compileUndeclared(operation.input.json).find({ [UNKNOWN_FIELD]: 1 }) !== null
}

/** The input's own fields, with the schema of each. */
export function fieldsOf({ operation }: Subject): readonly (readonly [string, JsonSchema])[] {
  const { json, file } = operation.input
  return Object.entries((file ? fieldsOfUpload(json) : json).properties ?? {})
}

/**
 * The part of Standard Schema (standardschema.dev, version 1, with its JSON Schema extension) that Trestle uses. Any library that
 * has it will do: Zod from 4.2, ArkType from 2.2, Valibot through its adapter.
 */
export interface Std<I = unknown, O = I> {
  readonly "~standard": {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown, ...rest: any[]) => any
    readonly types?: { readonly input: I; readonly output: O } | undefined
  }
}

/** What a schema takes. */
export type In<S> = S extends { readonly "~standard": { readonly types?: { readonly input: infer I } | undefined } } ? I : never
/** What a schema gives. */
export type Out<S> = S extends { readonly "~standard": { readonly types?: { readonly output: infer O } | undefined } } ? O : never

/** What a backend answers for an output schema: a file stands alone there, without the fields that it has as an input. */
export type AnswerIn<R> = R extends { readonly "~answer": Std<infer I, any> } ? I : In<R>
/** What callers get. */
export type AnswerOut<R> = R extends { readonly "~answer": Std<any, infer O> } ? O : Out<R>
/** What an example holds: a file or a list of items where the answer is a stream. */
export type ExampleOut<R> = R extends { readonly "~answer": Std<infer I, any> } ? I : Out<R>

export type Direction = "input" | "output"

/** The keywords of JSON Schema 2020-12 that Trestle reads; the others travel to OpenAPI untouched. */
export interface JsonSchema {
  readonly type?: string | readonly string[]
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean | JsonSchema
  readonly patternProperties?: Readonly<Record<string, JsonSchema>>
  readonly items?: JsonSchema | boolean
  readonly prefixItems?: readonly JsonSchema[]
  readonly anyOf?: readonly JsonSchema[]
  readonly oneOf?: readonly JsonSchema[]
  readonly allOf?: readonly JsonSchema[]
  readonly $ref?: string
  readonly $defs?: Readonly<Record<string, JsonSchema>>
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly [keyword: string]: unknown
}

/** For operations that answer with nothing (204). Use it instead of a void schema, which has no JSON form. */
export const nothing: Std<void, void> = {
  "~standard": {
    version: 1,
    vendor: "trestle",
    validate: (value: unknown) => (value == null ? { value: undefined } : { issues: [{ message: "must be empty" }] }),
  },
}

export function isSchema(value: unknown): value is Std {
  const standard = (value as Std | null | undefined)?.["~standard"]
  return typeof standard === "object" && standard !== null && standard.version === 1 && typeof standard.validate === "function"
}

/** The JSON Schema of one side of a schema, or why it has none. */
export function jsonSchemaOf(schema: Std, direction: Direction): { readonly json: JsonSchema } | { readonly why: string } {
  if (schema === nothing) return { json: { type: "null" } }
  const standard = schema["~standard"] as Std["~standard"] & {
    readonly jsonSchema?: Record<Direction, (options: { target: string }) => JsonSchema>
  }
  if (!standard.jsonSchema) return { why: `its library (${standard.vendor}) gives no JSON Schema through "~standard.jsonSchema"` }
  try {
    return { json: standard.jsonSchema[direction]({ target: "draft-2020-12" }) }
  } catch (error) {
    return { why: (error as Error).message }
  }
}

/** The types that a JSON Schema names itself. */
export function typesOf(node: JsonSchema): readonly string[] {
  if (typeof node.type === "string") return [node.type]
  return Array.isArray(node.type) ? node.type : []
}

/** What `$ref` points to within the document; nothing where it points out of it. */
export function targetOf(node: JsonSchema, root: JsonSchema): JsonSchema[] {
  if (node.$ref === undefined || !node.$ref.startsWith("#")) return []
  let place: unknown = root
  for (const part of node.$ref.split("/").slice(1)) {
    const name = decodeURIComponent(part).replaceAll("~1", "/").replaceAll("~0", "~")
    place = (place as Record<string, unknown> | undefined)?.[name]
  }
  return typeof place === "object" && place !== null ? [place as JsonSchema] : []
}

import type { Operation } from "../../contract/operation.ts"
import type { JsonSchema } from "../../contract/schema.ts"
import { uploadBody } from "./files.ts"
import { type Field, fieldsOf, withoutFields } from "./input.ts"
import { keysOf } from "./keys.ts"
import type { SchemaLibrary } from "./schemas.ts"
import { versionsOf } from "./versions.ts"
import { isObject, targetOf } from "./walk.ts"
import { workOf } from "./work.ts"

/** How an operation's one input is spread over path, query and body. */
export interface Request {
  readonly parameters?: readonly object[]
  readonly requestBody?: object
}

const WITH_BODY = new Set(["POST", "PUT", "PATCH"])

export function requestOf(operation: Operation, library: SchemaLibrary): Request {
  const { verb, params } = operation.route!
  const json = operation.input.json
  const fields = fieldsOf(json, json)
  const example = exampleInput(operation)
  const lift = (schema: JsonSchema): JsonSchema => library.lift(schema, json, { hint: `${operation.path}.input`, side: "Input" })
  const parameters: object[] = params.map((name) =>
    parameter("path", name, { schema: fields.named.get(name)?.schema ?? { type: "string" }, isRequired: true }, { lift, example }),
  )
  parameters.push(...keysOf(operation).parameters, ...versionsOf(operation).parameters, ...(workOf(operation, null)?.parameters ?? []))
  if (operation.input.file) {
    // As texts beside the body, or as fields of the form.
    for (const [name, { schema }] of fields.named)
      if (!params.includes(name) && name !== "file")
        parameters.push(parameter("query", name, { schema, isRequired: false }, { lift, example }))
    return { ...(parameters.length > 0 ? { parameters } : {}), requestBody: uploadBody(operation, lift) }
  }
  if (WITH_BODY.has(verb)) {
    const requestBody = bodyOf(operation, lift)
    return { ...(parameters.length > 0 ? { parameters } : {}), ...(requestBody ? { requestBody } : {}) }
  }
  for (const [name, field] of fields.named) if (!params.includes(name)) parameters.push(parameter("query", name, field, { lift, example }))
  if (fields.others) parameters.push(openQuery(lift(fields.others)))
  return parameters.length > 0 ? { parameters } : {}
}

interface Surroundings {
  readonly lift: (schema: JsonSchema) => JsonSchema
  readonly example: Readonly<Record<string, unknown>>
}

/** What OpenAPI says of a parameter stands beside its schema, where tools look for it, and not in it a second time. */
function parameter(place: "path" | "query", name: string, field: Field, { lift, example }: Surroundings): object {
  const { description, deprecated, ...schema } = field.schema
  return {
    name,
    in: place,
    ...(field.isRequired ? { required: true } : {}),
    ...(typeof description === "string" ? { description } : {}),
    ...(deprecated === true ? { deprecated } : {}),
    schema: lift(schema),
    ...(example[name] === undefined ? {} : { example: example[name] }),
  }
}

/** An input that takes fields of any name: OpenAPI writes them as one exploded object, whose own name never shows. */
function openQuery(additionalProperties: JsonSchema): object {
  return { name: "others", in: "query", style: "form", explode: true, schema: { type: "object", additionalProperties } }
}

/** Absent when the path has taken every field, or the input is nothing. */
function bodyOf(operation: Operation, lift: (schema: JsonSchema) => JsonSchema): object | null {
  const json = operation.input.json
  if (json.type === "null") return null
  const names = new Set(operation.route!.params)
  const left = withoutFields(json, json, names)
  const { named, others } = fieldsOf(left, json)
  const hasFields = named.size > 0 || others !== null || left.patternProperties !== undefined
  if (!hasFields && isObjectSchema(left, json)) return null
  const isRequired = !isObjectSchema(left, json) || [...named.values()].some((field) => field.isRequired)
  const examples = examplesOf(operation.declaration.contract.examples?.map((example) => withoutKeys(example.input, names)) ?? [])
  return {
    ...(isRequired ? { required: true } : {}),
    content: { "application/json": { schema: lift(left), ...(examples ? { examples } : {}) } },
  }
}

function isObjectSchema(schema: JsonSchema, root: JsonSchema, depth = 0): boolean {
  if (depth > 8) return false
  const target = schema.$ref === undefined ? null : targetOf(schema.$ref, root)
  if (target) return isObjectSchema(target, root, depth + 1)
  const parts = schema.anyOf ?? schema.oneOf ?? schema.allOf
  return schema.type === "object" || (schema.type === undefined && (parts?.every((part) => isObjectSchema(part, root, depth + 1)) ?? false))
}

function exampleInput(operation: Operation): Readonly<Record<string, unknown>> {
  const input = plain(operation.declaration.contract.examples?.[0]?.input)
  return isObject(input) ? input : {}
}

function withoutKeys(input: unknown, names: ReadonlySet<string>): unknown {
  return isObject(input) ? Object.fromEntries(Object.entries(input).filter(([name]) => !names.has(name))) : input
}

/** In OpenAPI's form, each with a name; what has no JSON form is left out. */
export function examplesOf(values: readonly unknown[]): Record<string, { value: unknown }> | null {
  const given = values.map(plain).filter((value) => value !== undefined)
  return given.length > 0 ? Object.fromEntries(given.map((value, index) => [`example${index + 1}`, { value }])) : null
}

/** As it would travel; a bigint or a cycle in an example must not cost the whole document. */
function plain(value: unknown): unknown {
  try {
    return JSON.parse(JSON.stringify(value) ?? "null")
  } catch {
    return undefined
  }
}

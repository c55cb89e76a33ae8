import type { JsonSchema } from "../../contract/schema.ts"
import { isObject, targetOf } from "../openapi/walk.ts"

/** One operation of an OpenAPI document, as far as a comparison asks. */
export interface DocumentOperation {
  readonly id: string
  /** `GET /users/{}`: the names of parameters do not make another route. */
  readonly route: string
  readonly was: readonly string[]
  readonly isDeprecated: boolean
  /** First day without it, in milliseconds since 1970; `null` where none is announced. */
  readonly sunset: number | null
  readonly effect: unknown
  readonly repeat: unknown
  /** Any one of these credentials will do; an empty list needs none. */
  readonly credentials: readonly string[]
  /** By place and name: `query.limit`. */
  readonly parameters: ReadonlyMap<string, DocumentField>
  readonly body: { readonly isRequired: boolean; readonly byType: ReadonlyMap<string, unknown> } | null
  readonly status: string
  readonly output: ReadonlyMap<string, unknown>
  /** Status by code. */
  readonly errors: ReadonlyMap<string, string>
}

export interface DocumentField {
  readonly schema: unknown
  readonly isRequired: boolean
}

const VERBS = ["get", "put", "post", "delete", "patch"]

/** Reads a document that may come from anywhere: what is not as it should be counts as absent. */
export function operationsOf(document: unknown): readonly DocumentOperation[] {
  const root = document as JsonSchema
  return entriesOf(own(document, "paths")).flatMap(([path, verbs]) =>
    VERBS.filter((verb) => isObject(own(verbs, verb))).map((verb) => operationOf(root, path, verb, own(verbs, verb) as Fields)),
  )
}

type Fields = Readonly<Record<string, unknown>>

function operationOf(root: JsonSchema, path: string, verb: string, fields: Fields): DocumentOperation {
  const route = `${verb.toUpperCase()} ${path.replace(/\{[^{}]*\}/g, "{}")}`
  const note = isObject(fields["x-trestle"]) ? fields["x-trestle"] : {}
  const security = listOf(fields.security ?? own(root, "security"))
  const responses = entriesOf(fields.responses).map(([status, response]) => [status, followed(response, root)] as const)
  const successes = responses.filter(([status]) => /^2/.test(status))
  // What is provisional is not the answer.
  const success = successes.find(([status]) => status !== "202") ?? successes[0]
  const sunset = typeof note.sunset === "string" ? Date.parse(`${note.sunset}T00:00:00Z`) : Number.NaN
  return {
    id: typeof fields.operationId === "string" ? fields.operationId : route,
    route,
    was: listOf(note.was).filter((former) => typeof former === "string"),
    isDeprecated: fields.deprecated === true,
    sunset: Number.isNaN(sunset) ? null : sunset,
    effect: note.effect,
    repeat: note.repeat,
    credentials: security.map((one) => Object.keys(isObject(one) ? one : {}).join(" and ")),
    parameters: parametersOf(listOf(fields.parameters), root),
    body: bodyOf(followed(fields.requestBody, root)),
    status: success?.[0] ?? "",
    output: contentOf(success?.[1]),
    errors: errorsOf(responses),
  }
}

function parametersOf(parameters: readonly unknown[], root: JsonSchema): ReadonlyMap<string, DocumentField> {
  const named = parameters.flatMap((one) => {
    const fields = followed(one, root)
    if (!isObject(fields) || typeof fields.name !== "string") return []
    // No part of the input: what it promises is told by `repeat`.
    if (fields.in === "header" && fields.name === "Idempotency-Key") return []
    return [[`${String(fields.in)}.${fields.name}`, { schema: fields.schema ?? {}, isRequired: fields.required === true }] as const]
  })
  return new Map(named)
}

function bodyOf(body: unknown): DocumentOperation["body"] {
  return isObject(body) ? { isRequired: body.required === true, byType: contentOf(body) } : null
}

/** Schemas by media type. */
function contentOf(holder: unknown): ReadonlyMap<string, unknown> {
  return new Map(entriesOf(own(holder, "content")).map(([type, media]) => [type, own(media, "schema") ?? {}]))
}

/** Codes of our problem details; of other documents the statuses are all there is. */
function errorsOf(responses: readonly (readonly [string, unknown])[]): ReadonlyMap<string, string> {
  const errors = new Map<string, string>()
  for (const [status, response] of responses) {
    if (/^2/.test(status)) continue
    const schema = contentOf(response).get("application/problem+json")
    const codes = listOf(own(schema, "allOf")).flatMap((part) => listOf(own(own(own(part, "properties"), "code"), "enum")))
    for (const code of codes.length > 0 ? codes : [status]) errors.set(String(code), status)
  }
  return errors
}

function followed(value: unknown, root: JsonSchema): unknown {
  const reference = own(value, "$ref")
  return typeof reference === "string" ? targetOf(reference, root) : value
}

function own(value: unknown, key: string): unknown {
  return isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function entriesOf(value: unknown): readonly [string, unknown][] {
  return isObject(value) ? Object.entries(value) : []
}

import type { Operation } from "../../contract/operation.ts"
import type { JsonSchema } from "../../contract/schema.ts"
import { formerPaths } from "../../runtime/retiring.ts"
import { type Request, requestOf } from "./request.ts"
import { responsesOf, sharedResponses } from "./responses.ts"
import { SchemaLibrary } from "./schemas.ts"
import { WORK_TAG, workOf, workPath } from "./work.ts"

export interface OpenApiOptions {
  readonly name: string
  readonly version: string
  /** Those without a route are left out: nobody outside can call them. */
  readonly operations: readonly Operation[]
  /** OpenAPI security schemes by name; a caller needs any one of them. */
  readonly schemes: Readonly<Record<string, object>>
  /** Whether any authenticator looks at requests, documented or not. */
  readonly authenticates: boolean
  /** Default: the host that serves the document. */
  readonly servers?: readonly { readonly url: string; readonly description?: string }[]
}

/** An OpenAPI 3.1 document: plain values only, ready for `JSON.stringify`. */
export interface OpenApiDocument {
  readonly openapi: "3.1.0"
  readonly info: { readonly title: string; readonly version: string }
  readonly servers?: OpenApiOptions["servers"]
  readonly tags: readonly { readonly name: string }[]
  readonly security?: readonly Readonly<Record<string, readonly string[]>>[]
  readonly paths: Readonly<Record<string, Readonly<Record<string, object>>>>
  readonly components: {
    readonly schemas: Readonly<Record<string, JsonSchema>>
    readonly responses: Readonly<Record<string, object>>
    readonly securitySchemes?: Readonly<Record<string, object>>
  }
}

/** The form of `Problem` in `errors/problem.ts`; a test compares the two. */
const PROBLEM: JsonSchema = {
  type: "object",
  description: "Problem details (RFC 9457). `trace` is the support id.",
  properties: {
    type: { type: "string" },
    title: { type: "string" },
    status: { type: "integer" },
    code: { type: "string", description: "Stable; decide by this one." },
    detail: { type: "string", description: "Safe to show to people." },
    outcome: {
      enum: ["answered", "refused", "unknown"],
      description: "`refused`: nothing can have happened. `unknown`: it may have happened, check before repeating.",
    },
    issues: {
      type: "array",
      items: {
        type: "object",
        properties: { path: { type: "string" }, message: { type: "string" } },
        required: ["path", "message"],
      },
    },
    retryAfterMs: { type: "integer", minimum: 0 },
    work: { type: "string", description: "Of `PENDING`: id of the work that goes on." },
    trace: { type: "string" },
  },
  required: ["type", "title", "status", "code", "detail", "outcome", "trace"],
}

const VERBS = ["get", "put", "post", "delete", "patch"]

/**
 * Describes every operation that has a route, from its declaration alone: nothing is resolved and nothing is opened. The rpc twin of an
 * operation is not listed; it belongs to the typed client. Keys stand in a fixed order, so that two documents can be compared as text.
 */
export function openApi({ name, version, operations, schemes, authenticates, servers }: OpenApiOptions): OpenApiDocument {
  const library = new SchemaLibrary()
  library.reserve("Problem", PROBLEM)
  const reachable = operations.filter((operation) => operation.route !== null)
  const described = reachable.map((operation) => ({ operation, ...describe(operation, library, authenticates) }))
  const schemeNames = Object.keys(schemes)
  const hasWork = reachable.some((operation) => workOf(operation, null))
  return {
    openapi: "3.1.0",
    info: { title: name, version },
    ...(servers ? { servers } : {}),
    tags: [...new Set(reachable.map(tagOf)), ...(hasWork ? [WORK_TAG] : [])].map((tag) => ({ name: tag })),
    ...(schemeNames.length > 0 ? { security: schemeNames.map((scheme) => ({ [scheme]: [] })) } : {}),
    paths: { ...pathsOf(described), ...(hasWork ? workPath(schemeNames) : {}) },
    components: {
      schemas: library.entries(),
      responses: sharedResponses(described.map((one) => one.responses)),
      ...(schemeNames.length > 0 ? { securitySchemes: schemes } : {}),
    },
  }
}

interface Description {
  readonly item: object
  readonly responses: Record<string, object>
}

function describe(operation: Operation, library: SchemaLibrary, authenticates: boolean): Description {
  const { summary } = operation.declaration.contract
  const request: Request = requestOf(operation, library)
  const responses = responsesOf(operation, library, { hasBody: request.requestBody !== undefined, authenticates })
  const { effect, repeat, state, why, retiring } = operation
  const was = formerPaths(operation)
  const item = {
    operationId: operation.path,
    ...(summary === undefined ? {} : { summary }),
    ...(retiring ? { deprecated: true, description: retiring.sentence } : {}),
    tags: [tagOf(operation)],
    ...request,
    responses,
    ...(operation.isPublic ? { security: [] } : {}),
    "x-trestle": {
      effect,
      repeat,
      state,
      ...(why === null ? {} : { why }),
      ...(was.length > 0 ? { was } : {}),
      ...(retiring ? { sunset: new Date(retiring.sunset).toISOString().slice(0, 10) } : {}),
    },
  }
  return { item, responses }
}

function tagOf(operation: Operation): string {
  return operation.path.split(".")[0]!
}

/** Paths in the order of their declaration, verbs in a fixed one. */
function pathsOf(described: readonly (Description & { readonly operation: Operation })[]): Record<string, Record<string, object>> {
  const paths = new Map<string, Map<string, object>>()
  for (const { operation, item } of described) {
    const { pattern, verb } = operation.route!
    const verbs = paths.get(pattern) ?? new Map<string, object>()
    paths.set(pattern, verbs.set(verb.toLowerCase(), item))
  }
  const inOrder = (verbs: Map<string, object>): [string, object][] =>
    VERBS.flatMap((verb) => (verbs.has(verb) ? [[verb, verbs.get(verb)!] as [string, object]] : []))
  return Object.fromEntries([...paths].map(([pattern, verbs]) => [pattern, Object.fromEntries(inOrder(verbs))]))
}

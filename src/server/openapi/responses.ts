import type { Operation } from "../../contract/operation.ts"
import { CATALOG, type CatalogCode, isCatalogCode } from "../../errors/catalog.ts"
import { PROBLEM_MEDIA_TYPE } from "../../errors/problem.ts"
import { within } from "../../runtime/within.ts"
import { streamedContent } from "./files.ts"
import { keysOf } from "./keys.ts"
import { examplesOf } from "./request.ts"
import type { SchemaLibrary } from "./schemas.ts"
import { versionsOf } from "./versions.ts"
import { workOf } from "./work.ts"

const PROBLEM = { $ref: "#/components/schemas/Problem" }

export interface Entrance {
  readonly hasBody: boolean
  /** Whether a credential that proves nothing is refused, on public operations too. */
  readonly authenticates: boolean
}

/** What one operation can answer, by status. Keys that are numbers stand in ascending order in any JavaScript object. */
export function responsesOf(operation: Operation, library: SchemaLibrary, entrance: Entrance): Record<string, object> {
  const common = commonCodes(operation, entrance)
  const codesByStatus = new Map<number, string[]>()
  const add = (code: string, status: number): void => {
    const codes = codesByStatus.get(status) ?? []
    if (!codes.includes(code)) codesByStatus.set(status, [...codes, code])
  }
  for (const [code, status] of Object.entries(operation.errors)) add(code, status)
  for (const code of common) add(code, CATALOG[code].status)

  const { headers: versions, notModified } = versionsOf(operation)
  const headers = { ...keysOf(operation).headers, ...versions }
  const success = successOf(operation, library)
  const responses: Record<string, object> = { [operation.status]: Object.keys(headers).length > 0 ? { ...success, headers } : success }
  const work = workOf(operation, (success as { content?: object }).content ?? null)
  if (work) responses[202] = work.provisional
  if (notModified) responses[304] = notModified
  for (const [status, codes] of codesByStatus) {
    const [only] = codes
    const isShared = codes.length === 1 && common.includes(only as CatalogCode)
    responses[status] = isShared ? { $ref: `#/components/responses/${responseName(only!)}` } : problemResponse(codes)
  }
  return responses
}

/** Catalogue codes that this operation can really answer with; 429 joins them when there are limits. */
function commonCodes(operation: Operation, { hasBody, authenticates }: Entrance): CatalogCode[] {
  const { backend, contract } = operation.declaration
  const answers = backend === null ? [] : within(backend).flatMap(({ plan }) => plan.answers ?? [])
  const isHidden = contract.owner !== undefined || answers.includes("NOT_FOUND")
  return [
    "INVALID",
    ...(operation.isPublic && !authenticates ? [] : (["UNAUTHENTICATED"] as const)),
    ...(operation.isPublic ? [] : (["FORBIDDEN"] as const)),
    ...(isHidden ? (["NOT_FOUND"] as const) : []),
    ...(answers.includes("CONFLICT") ? (["CONFLICT"] as const) : []),
    ...keysOf(operation).codes,
    ...(versionsOf(operation).isExpecting ? (["PRECONDITION_FAILED"] as const) : []),
    ...(hasBody ? (["REQUEST_TIMEOUT", "TOO_LARGE", "UNSUPPORTED_MEDIA_TYPE"] as const) : []),
    "INTERNAL",
    ...(operation.effect === "write" ? (["OUTCOME_UNKNOWN"] as const) : []),
    "UNAVAILABLE",
    "TIMEOUT",
  ]
}

/** The common responses that these operations refer to, in the catalogue's order. */
export function sharedResponses(responses: readonly Record<string, object>[]): Record<string, object> {
  const used = new Set(responses.flatMap((one) => Object.values(one)).map((response) => (response as { $ref?: string }).$ref))
  const codes = (Object.keys(CATALOG) as CatalogCode[]).filter((code) => used.has(`#/components/responses/${responseName(code)}`))
  return Object.fromEntries(codes.map((code) => [responseName(code), problemResponse([code])]))
}

function successOf(operation: Operation, library: SchemaLibrary): object {
  if (operation.isSilent) return { description: "Done; there is nothing to say." }
  const streamed = streamedContent(operation, library)
  if (streamed) return { description: "Success, sent piece by piece.", content: streamed }
  const { json } = operation.output
  const schema = library.lift(json, json, { hint: `${operation.path}.output`, side: "Output" })
  const examples = examplesOf(operation.declaration.contract.examples?.map((example) => example.output) ?? [])
  const description = typeof json.description === "string" ? json.description : "Success."
  return { description, content: { "application/json": { schema, ...(examples ? { examples } : {}) } } }
}

function problemResponse(codes: readonly string[]): object {
  const schema = { allOf: [PROBLEM, { type: "object", properties: { code: { enum: codes } } }] }
  return { description: codes.map(describe).join(" "), content: { [PROBLEM_MEDIA_TYPE]: { schema } } }
}

function describe(code: string): string {
  if (isCatalogCode(code)) return `${CATALOG[code].title}. ${CATALOG[code].detail}`
  return `${capital(code.toLowerCase().replaceAll("_", " "))}.`
}

/** `NOT_FOUND` is `NotFound`. */
function responseName(code: string): string {
  return code
    .split("_")
    .map((word) => capital(word.toLowerCase()))
    .join("")
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

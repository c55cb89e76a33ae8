import type { Operation } from "../../contract/operation.ts"
import { comparesVersion } from "../../runtime/engine.ts"

const VERSION = { type: "string" } as const

/** The header fields that name and expect the version of an answer; all of it empty for an operation without versions. */
export interface Versions {
  readonly parameters: readonly object[]
  /** Of the success. */
  readonly headers?: Readonly<Record<string, object>>
  /** What the client holds is still right. */
  readonly notModified?: object
  /** May answer `PRECONDITION_FAILED`. */
  readonly isExpecting: boolean
}

const ETAG = { ETag: { description: "Version of the answer.", schema: VERSION } }

/** Source: RFC 9110, sections 8.8.3 and 13.1. */
export function versionsOf(operation: Operation): Versions {
  const { declaration, route } = operation
  const { contract } = declaration
  const isExpecting = comparesVersion(operation)
  const parameters: object[] = []
  if (isExpecting) parameters.push(field("If-Match", "Only if the object is still of this version; else 412."))
  if (contract.etag !== true && !isExpecting) return { parameters, isExpecting }
  if (route?.verb !== "GET") return { parameters, isExpecting, headers: ETAG }
  parameters.push(
    field("If-None-Match", "A version that the client holds; while it is the present one, the answer is 304 and has no body."),
  )
  return {
    parameters,
    isExpecting,
    headers: ETAG,
    notModified: { description: "The version that the client holds is the present one.", headers: ETAG },
  }
}

function field(name: string, description: string): object {
  return { name, in: "header", description, schema: VERSION }
}

import type { Revalidation, Validator } from "../../contract/keeping.ts"
import type { WireReply } from "../../contract/ports.ts"
import { fieldValue } from "./request.ts"

/** Asks for the answer only if it is another one than is kept. A condition of the declaration's own stays. Source: RFC 9110, section 13.1. */
export function addConditions(headers: Record<string, string>, { validator }: Revalidation, of: object): void {
  if (validator?.of !== of) return
  if (validator.etag !== undefined) headers["if-none-match"] ??= validator.etag
  if (validator.lastModified !== undefined) headers["if-modified-since"] ??= validator.lastModified
}

/** Has the service compare the version that our caller expects. */
export function addExpectation(headers: Record<string, string>, expected: string | undefined): void {
  if (expected !== undefined) headers["if-match"] = fieldValue("ifMatch", expected)
}

/** The service's version of its answer, without quotes; a weak one is none that could be expected. */
export function versionIn({ headers }: Pick<WireReply, "headers">): string | null {
  return /^"([\x21\x23-\x7e]*)"$/.exec(only(headers.etag) ?? "")?.[1] ?? null
}

/** The service says that the kept answer holds. */
export function isUnchanged(status: number, revalidation: Revalidation | null, of: object): boolean {
  return status === 304 && revalidation?.validator?.of === of
}

/** What the service has marked its answer with; `null` for neither of the two. */
export function validatorOf({ headers }: Pick<WireReply, "headers">, of: object): Validator | null {
  const etag = only(headers.etag)
  const lastModified = only(headers["last-modified"])
  return etag === undefined && lastModified === undefined ? null : { of, etag, lastModified }
}

/** A field that was sent twice says nothing that could be relied on. */
function only(field: string | string[] | undefined): string | undefined {
  return typeof field === "string" ? field : undefined
}

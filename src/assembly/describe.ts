import type { Finding } from "../contract/finding.ts"
import type { Operation } from "../contract/operation.ts"
import type { EvidenceBook } from "../runtime/evidence.ts"
import { type OperationStatus, statusOf } from "../runtime/status.ts"
import { type OpenApiDocument, openApi } from "../server/openapi/openapi.ts"
import { checkApplication } from "./check.ts"
import { type App, definitionOf, type TrestleOptions } from "./definition.ts"

/** An application as it is declared: what can be said of it without a secret and without the network. */
export interface Description {
  readonly name: string
  readonly version: string
  readonly operations: readonly Operation[]
  readonly board: readonly OperationStatus[]
  readonly findings: readonly Finding[]
  /** Kinds of its authenticators. */
  readonly authenticators: readonly string[]
}

/**
 * Operations that cannot be read (their schema has no JSON form) are missing from it; a finding says so.
 *
 * @param book what was seen of them
 */
export function describe(app: App<unknown>, book: EvidenceBook = {}): Description {
  const options = definitionOf(app)
  const { operations, findings } = checkApplication(options)
  let board: readonly OperationStatus[] | null = null
  return {
    name: options.name,
    version: versionOf(options),
    operations,
    // On demand, like the hashes that it compares: most verbs never look at it.
    get board() {
      board ??= operations.map((operation) => statusOf(operation, book))
      return board
    },
    findings,
    authenticators: (options.authenticate ?? []).map(({ kind }) => kind),
  }
}

/** The same document that the running application serves, to those who find it behind that prefix. */
export function documentOf(options: TrestleOptions<object>, operations: readonly Operation[], prefix = ""): OpenApiDocument {
  const authenticates = (options.authenticate ?? []).length > 0
  const servers = prefix === "" ? {} : { servers: [{ url: prefix }] }
  return openApi({ name: options.name, version: versionOf(options), operations, schemes: schemesOf(options), authenticates, ...servers })
}

function versionOf(options: TrestleOptions<object>): string {
  return options.version ?? "0.0.0"
}

function schemesOf(options: TrestleOptions<object>): Record<string, object> {
  return Object.fromEntries((options.authenticate ?? []).flatMap(({ kind, scheme }) => (scheme ? [[kind, scheme]] : [])))
}

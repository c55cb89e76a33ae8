import { showDuration } from "../base/duration.ts"
import type { Operation, State } from "../contract/operation.ts"
import { topicOf } from "../contract/topic.ts"
import { HASH_SHOWN } from "./contract-hash.ts"
import { backendOf, type EvidenceBook, standingOf } from "./evidence.ts"
import { within } from "./within.ts"

/** One row of the board: how real an operation is. */
export interface OperationStatus {
  readonly operation: string
  readonly state: State
  /** Why it is still a placeholder, or why it is not verified or live any more. */
  readonly why: string | null
  /** When it was last seen in that state, ISO 8601; `null` for what was not seen. */
  readonly seenAt: string | null
  /** Who answered then. */
  readonly seenBy: string | null
  /** Kind of the backend: `rest`, `fallback`, `code`. */
  readonly backend: string
  /** Names of the services behind it. */
  readonly services: readonly string[]
  /** `POST /users`, or `null` for an internal operation. */
  readonly http: string | null
  /** `order.placed v1`: the topic whose messages run it. */
  readonly on: string | null
  /** `every 10s`, `at 0 6 * * 1-5 (Europe/Berlin)`: the times that run it. */
  readonly every: string | null
  readonly effect: "read" | "write"
  /** The beginning of the contract's hash. */
  readonly contract: string
  /** When it ends and what to use instead, where that is declared. */
  readonly deprecated: string | null
}

/** @param book what was seen of the operations; without it none is verified or live. */
export function statusOf(operation: Operation, book: EvidenceBook = {}): OperationStatus {
  const { kind, services } = backendParts(operation)
  const { state, why, seen } = standingOf(operation, backendOf({ kind, services }), book)
  const { on, every } = operation.declaration.contract
  return {
    operation: operation.path,
    state,
    why,
    seenAt: seen ? new Date(seen.epoch).toISOString() : null,
    seenBy: seen?.servedBy ?? null,
    backend: kind,
    services,
    http: operation.route ? `${operation.route.verb} ${operation.route.pattern}` : null,
    on: on === undefined ? null : topicText(topicOf(on)),
    every: every === undefined ? null : everyText(every),
    effect: operation.effect,
    get contract() {
      return operation.contractHash.slice(0, HASH_SHOWN)
    },
    deprecated: operation.retiring?.sentence ?? null,
  }
}

function topicText({ topic, version }: ReturnType<typeof topicOf>): string {
  return `${topic} v${version}`
}

export function everyText(every: NonNullable<Operation["declaration"]["contract"]["every"]>): string {
  if (typeof every === "object") return `at ${every.cron} (${every.zone ?? "UTC"})`
  return `every ${typeof every === "number" ? showDuration(every) : every}`
}

/** Kind of the backend, and every service in it once. */
export function backendParts({ declaration: { backend } }: Operation): { readonly kind: string; readonly services: readonly string[] } {
  const services = backend ? within(backend).flatMap(({ plan }) => (plan.service ? [plan.service.name] : [])) : []
  return { kind: backend?.kind ?? "examples", services: [...new Set(services)] }
}

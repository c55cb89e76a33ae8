import type { Operation, State } from "../contract/operation.ts"
import { within } from "./check.ts"

/** One row of the board: how real an operation is. */
export interface OperationStatus {
  readonly operation: string
  readonly state: State
  /** Why it is still a placeholder. */
  readonly why: string | null
  /** Kind of the backend: `rest`, `fallback`, `code`. */
  readonly backend: string
  /** Names of the services behind it. */
  readonly services: readonly string[]
  /** `POST /users`, or `null` for an internal operation. */
  readonly http: string | null
  readonly effect: "read" | "write"
}

export function statusOf(operation: Operation): OperationStatus {
  const { backend } = operation.declaration
  const services = backend ? within(backend).flatMap(({ plan }) => (plan.service ? [plan.service.name] : [])) : []
  return {
    operation: operation.path,
    state: operation.state,
    why: operation.why,
    backend: backend?.kind ?? "examples",
    services: [...new Set(services)],
    http: operation.route ? `${operation.route.verb} ${operation.route.pattern}` : null,
    effect: operation.effect,
  }
}

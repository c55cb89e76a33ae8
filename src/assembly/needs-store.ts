import type { Backend } from "../contract/backend.ts"
import type { Operation } from "../contract/operation.ts"
import { within } from "../runtime/within.ts"

/** Whether something of the application outlives its calls. */
export function needsStore(operations: readonly Operation[]): boolean {
  return operations.some(({ declaration: { contract, backend }, effect, repeat }) => {
    if (contract.on !== undefined || contract.every !== undefined) return true
    if (effect === "write" && repeat === "key") return true
    return (
      backend !== null &&
      within(backend as Backend<any, any, any>).some(({ plan }) => (effect === "write" && plan.isDurable) || plan.service?.outbox)
    )
  })
}

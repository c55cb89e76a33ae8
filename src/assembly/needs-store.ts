import type { Backend, Plan } from "../contract/backend.ts"
import type { Operation } from "../contract/operation.ts"
import { within } from "../runtime/within.ts"

/** Whether something of the application outlives its calls. */
export function needsStore(operations: readonly Operation[]): boolean {
  return operations.some((operation) => {
    const { effect, repeat } = operation
    return keepsJobs(operation) || (effect === "write" && repeat === "key") || plansOf(operation).some(({ service }) => service?.outbox)
  })
}

/** Whether jobs of it are put: it takes messages, runs by a schedule, or goes on after its call. */
export function keepsJobs(operation: Operation): boolean {
  const { on, every } = operation.declaration.contract
  if (on !== undefined || every !== undefined) return true
  return operation.effect === "write" && plansOf(operation).some(({ isDurable }) => isDurable)
}

function plansOf({ declaration: { backend } }: Operation): readonly Plan[] {
  return backend === null ? [] : within(backend as Backend<any, any, any>).map(({ plan }) => plan)
}

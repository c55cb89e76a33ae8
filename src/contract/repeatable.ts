import type { Backend } from "./backend.ts"
import type { Operation } from "./operation.ts"

/**
 * Whether a run that may have had its effect can be run again under the same token: it reads, or its contract says so, or every service
 * that it asks has promised it, by what it is or by a key.
 */
export function isRepeatable({ effect, repeat, declaration }: Operation): boolean {
  if (effect === "read" || repeat !== "none") return true
  return declaration.backend !== null && isRepeatableBackend(declaration.backend)
}

/** Whether it finds out itself what became of a write that may have had its effect, when it is told so. */
export function isReconciled({ declaration: { backend } }: Operation): boolean {
  return backend?.plan.parts?.at(-1)?.plan.reconciles === true
}

/** Another run of it could tell what became of a run before: not where only the memory of its key stands between the two. */
export function isDecidedByAnotherRun(operation: Operation): boolean {
  const { backend } = operation.declaration
  return operation.repeat === "natural" || isReconciled(operation) || (backend !== null && isRepeatableBackend(backend))
}

/** The same as `isRepeatable`, of a backend alone. */
export function isRepeatableBackend({ plan }: Backend<any, any, any>): boolean {
  if (plan.parts !== undefined && plan.service === undefined) return plan.parts.every(isRepeatableBackend)
  return plan.repeat !== undefined && plan.repeat !== "none"
}

const DAY_MS = 86_400_000

/** How long an idempotency key and its answer are known, in milliseconds: a day, and as long as the work may last that goes on under it. */
export function keyKeptMs({ backend }: Operation["declaration"]): number {
  return DAY_MS + (backend === null ? 0 : lastingMs(backend))
}

function lastingMs({ plan }: Backend<any, any, any>): number {
  return Math.max(plan.expiresMs ?? 0, ...(plan.parts ?? []).map(lastingMs))
}

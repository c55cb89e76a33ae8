import type { Operation } from "../contract/operation.ts"
import { attemptSettings, callPolicies, type Defaults } from "../contract/policy.ts"
import type { Service } from "../contract/service.ts"
import type { PlacedCall } from "../contract/stand-in.ts"
import { within } from "../runtime/within.ts"
import { OperationSamples } from "./fault-samples.ts"

/** A declared call of a service, the operation that makes it, and why its healthy answer is not known. */
export interface KnownCall extends PlacedCall {
  readonly operation: string
  readonly unknown?: string
}

/** Of each service. */
export type Calls = ReadonlyMap<Service, readonly KnownCall[]>

/** Every declared call of an application, with the answers that healthy services would give. */
export async function rehearsedCalls(operations: readonly Operation[], defaults: Defaults): Promise<Calls> {
  const calls = new Map<Service, KnownCall[]>()
  for (const operation of operations) {
    const { backend } = operation.declaration
    for (const { plan } of backend ? within(backend) : []) {
      const { service } = plan
      if (!service) continue
      const { effect, path } = operation
      const policies = callPolicies(effect, { call: plan.policy, service: service.policy }, defaults)
      const rehearsed = await plan.rehearsed?.(new OperationSamples(operation))
      const { timeoutMs } = attemptSettings(effect, ...policies)
      const known = calls.get(service) ?? []
      calls.set(service, [...known, { call: null, ...rehearsed, operation: path, effect, timeoutMs }])
    }
  }
  return calls
}

/** Two operations may make the same call: the one that is tried is answered as it expects. */
export function callsAt(calls: Calls, service: Service, { path }: Operation): readonly PlacedCall[] {
  const known = calls.get(service) ?? []
  return [...known.filter(({ operation }) => operation === path), ...known.filter(({ operation }) => operation !== path)]
}

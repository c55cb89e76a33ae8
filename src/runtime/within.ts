import type { Backend } from "../contract/backend.ts"
import type { Operation } from "../contract/operation.ts"
import type { Service } from "../contract/service.ts"

/** A backend and everything inside it. */
export function within(backend: Backend<any, any, any>): Backend<any, any, any>[] {
  return [backend, ...(backend.plan.parts ?? []).flatMap(within)]
}

/** Every service that some operation can reach, each once, in the order of their first use. */
export function servicesOf(operations: readonly Operation[]): readonly Service[] {
  const services = new Set<Service>()
  for (const { declaration } of operations) {
    for (const { plan } of declaration.backend ? within(declaration.backend) : [])
      for (const service of [plan.service, ...(plan.databases ?? [])]) if (service) services.add(service)
  }
  return [...services]
}

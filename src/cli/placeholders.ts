import type { Finding } from "../contract/finding.ts"
import type { Operation } from "../contract/operation.ts"
import { within } from "../runtime/within.ts"
import { cliFinding } from "./findings.ts"

/** One finding for each operation that production must not serve: anywhere in its backend, a placeholder that nobody has accepted. */
export function unallowedPlaceholders(operations: readonly Operation[]): Finding[] {
  return operations.flatMap((operation) => {
    const why = unallowedIn(operation)
    if (why === null) return []
    const place = operation.declaration.at
    const message = `${operation.path} is still a placeholder: ${why}`
    const fix = `Give it its backend: .via(crm.call(...))   or accept it, with the reason: placeholder(..., { why: ${JSON.stringify(why)}, allowInProduction: "agreed with ..." })`
    return [cliFinding("TRS3001", message, fix, { place })]
  })
}

function unallowedIn({ declaration, why }: Operation): string | null {
  if (declaration.backend === null) return why
  const placeholder = within(declaration.backend).find(({ plan }) => plan.placeholder && !plan.placeholder.allowInProduction)
  return placeholder ? placeholder.plan.placeholder!.why : null
}

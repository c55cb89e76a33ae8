import type { Backend } from "../contract/backend.ts"
import type { Finding } from "../contract/finding.ts"
import type { Operation } from "../contract/operation.ts"
import { secretFields } from "../contract/secret-fields.ts"
import { type FindingCode, finding } from "./findings.ts"
import type { Named } from "./operations.ts"

type AnyBackend = Backend<any, any, any>

/** Flows and deferred writes: what they run on their own authority, what they mark their transactions in, and what would be kept of them. */
export function checkFlows(operation: Operation, parts: readonly AnyBackend[], named: readonly Named[], findings: Finding[]): void {
  const { path, declaration, effect } = operation
  const refuse = (code: FindingCode, message: string, fix: string): void =>
    void findings.push(finding(code, declaration.at, `${path}${message}`, fix))
  for (const { plan } of parts) {
    for (const [i, grant] of (plan.grants ?? []).entries())
      if (!named.some(({ op }) => op === grant))
        refuse("TRS1053", `: the grant ${i + 1} is none of the application's operations`, "Add it to `ops`, or remove it from `grants`.")
    if (!plan.isDurable || effect === "read") continue
    for (const { name, outbox } of plan.databases ?? [])
      if (!outbox) refuse("TRS1054", `: its database ${name} keeps no outbox`, `${name}: sqlite({ ..., outbox: true })`)
  }
  const keeping = effect === "write" ? parts.find(({ plan }) => plan.isDurable) : undefined
  if (!keeping) return
  const { input, output } = operation
  if (input.file || output.file || output.items)
    refuse(
      "TRS1055",
      `: ${keeping.kind}() keeps what goes in and what comes out, and a file or a stream is gone once it was read`,
      "Take the file in an operation of its own, and name it in this one by its id.",
    )
  for (const { name } of [...secretFields(input.json), ...secretFields(output.json)])
    refuse(
      "TRS1055",
      `: ${keeping.kind}() would keep the secret field ${name} as plain text`,
      `Take ${name} in an operation that keeps nothing, and hand on what it stands for; or, in a flow that may be lost: durable: false, why: "...",`,
    )
}

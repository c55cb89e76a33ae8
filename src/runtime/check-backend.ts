import { showDuration } from "../base/duration.ts"
import type { Backend } from "../contract/backend.ts"
import type { Finding } from "../contract/finding.ts"
import type { Operation } from "../contract/operation.ts"
import { attemptSettings, callPolicies, type Defaults, type Policy } from "../contract/policy.ts"
import { finding } from "./findings.ts"

type AnyBackend = Backend<any, any, any>

/** `parts`: the backend and everything inside it; none for a contract on its own. */
export function checkBackend(operation: Operation, parts: readonly AnyBackend[], findings: Finding[]): void {
  const { at } = operation.declaration
  for (const one of parts) {
    for (const mistake of one.plan.mistakes ?? [])
      findings.push(finding("TRS1014", at, `${operation.path}: ${one.kind}: ${mistake}`, "Correct the call where it is declared."))
    if (one.plan.bindLast) checkDeferral(operation, one, parts, findings)
    if (operation.effect !== "write") continue
    if (isHedged(one.plan.policy))
      findings.push(
        finding(
          "TRS1040",
          one.plan.at ?? at,
          `${operation.path} is a write and its call of ${one.plan.service?.name ?? one.kind} is hedged`,
          'Remove `hedge`; if it changes nothing, say so: effect: "read",',
        ),
      )
    if (one.plan.isForReadsOnly)
      findings.push(
        finding(
          "TRS1009",
          at,
          `${operation.path} is a write and answers with ${one.kind}()`,
          `Remove ${one.kind}(); a write may fall back to a service declared replicaOf the first. If it changes nothing, say so: effect: "read",`,
        ),
      )
    if (one.plan.fallsBack) checkReplicas(operation, one, findings)
  }
}

/** Elsewhere there would be nothing whose failure it could take over. */
function checkDeferral(
  { path, effect, declaration }: Operation,
  deferral: AnyBackend,
  parts: readonly AnyBackend[],
  findings: Finding[],
): void {
  const { kind } = deferral
  const isLast = parts.some(({ plan }) => plan.fallsBack && (plan.parts?.length ?? 0) > 1 && plan.parts?.at(-1) === deferral)
  if (effect === "write" && isLast) return
  const message =
    effect === "read" ? `${path} is a read and answers with ${kind}()` : `${path}: ${kind}() is not the last part of a fallback`
  const fix =
    effect === "read"
      ? `Remove ${kind}(); a read can fall back to lastGood(), cache() or value().`
      : `fallback(people.call(...), ${kind}(...))`
  findings.push(finding("TRS1052", deferral.plan.at ?? declaration.at, message, fix))
}

/** In the policy of a service it holds for its reads, and says nothing of its writes. */
export function isHedged(policy: Policy | undefined): boolean {
  return policy?.hedge !== undefined && policy.hedge !== false
}

function checkReplicas(operation: Operation, fallback: AnyBackend, findings: Finding[]): void {
  const [first, ...others] = fallback.plan.parts ?? []
  const primary = first?.plan.service
  for (const other of others) {
    const service = other.plan.service
    const isReplica = primary !== undefined && service !== undefined && (service.replicaOf === primary || service === primary)
    if (isReplica || other.plan.isForReadsOnly || other.plan.bindLast) continue
    const name = service ? service.name : `${other.kind}()`
    const fix =
      service && primary
        ? `${service.kind}({ url: ..., replicaOf: ${primary.name} })   if it holds the same records under the same ids; otherwise remove it.`
        : "Remove it: a failed write is answered with its error, which says whether it may have happened."
    findings.push(
      finding(
        "TRS1010",
        operation.declaration.at,
        `${operation.path} is a write and falls back to ${name}, which is no replica of ${primary?.name ?? `${first?.kind}()`}`,
        fix,
      ),
    )
  }
}

/** Reads only: a write falls back after what was refused, which is quick, and never after what hung. */
export function checkTime(
  operation: Operation,
  { parts, defaults }: { parts: readonly AnyBackend[]; defaults: Defaults },
  findings: Finding[],
): void {
  const { at } = operation.declaration
  if (operation.effect === "write") return
  const worstOf = ({ plan }: AnyBackend): number => {
    if (plan.fallsBack) return (plan.parts ?? []).reduce((sum, part) => sum + worstOf(part), 0)
    if (!plan.service) return Math.max(0, ...(plan.parts ?? []).map(worstOf))
    const declared = { call: plan.policy, service: plan.service.policy }
    const { timeoutMs, retries, hedgeMs } = attemptSettings("read", ...callPolicies("read", declared, defaults))
    return timeoutMs * (retries + 1) + Math.min(timeoutMs, hedgeMs ?? 0)
  }
  for (const { plan } of parts) {
    const inTurn = plan.fallsBack ? (plan.parts ?? []) : []
    let worstMs = 0
    for (const [i, part] of inTurn.entries()) {
      if (i > 0 && worstMs >= operation.deadlineMs) {
        const late = part.plan.service?.name ?? `${part.kind}()`
        const message = `${operation.path}: what stands before ${late} may take ${showDuration(worstMs)} (attempts × timeout), its whole deadline of ${showDuration(operation.deadlineMs)}`
        const fix =
          'policy: { timeout: "800ms", retry: 1 } for what stands before it, or a longer deadline for the operation: deadline: "20s",'
        findings.push(finding("TRS1018", at, message, fix))
        break
      }
      worstMs += worstOf(part)
    }
  }
}

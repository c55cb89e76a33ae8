import type { Backend } from "../contract/backend.ts"
import type { Finding } from "../contract/finding.ts"
import type { Operation } from "../contract/operation.ts"
import { finding } from "./findings.ts"
import { isStreamed } from "./streamed.ts"

/** Answers that are kept, and versions of answers: where they cannot be. */
export function checkKept(operation: Operation, findings: Finding[]): void {
  checkEtag(operation, findings)
  const { backend, at } = operation.declaration
  if (!backend) return
  const parts = placed(backend as AnyBackend, false)
  for (const { kind, isRemembering } of parts) {
    if (isRemembering) continue
    const message = `${operation.path}: nothing tells ${kind}() of an answer here`
    findings.push(finding("TRS1028", at, message, `fallback(crm.call("GET /..."), ${kind}({ for: "24h" })): after what it remembers.`))
  }
  const keeping = parts.find(({ plan }) => plan.keeps ?? plan.handsOutWhole)
  if (!keeping || !isStreamed(operation)) return
  const message = `${operation.path} answers piece by piece, and ${keeping.kind}() gives whole answers to several callers`
  findings.push(finding("TRS1029", at, message, `Remove ${keeping.kind}(), or answer with a list: output: z.array(Item),`))
}

function checkEtag(operation: Operation, findings: Finding[]): void {
  const { path, effect, isSilent, declaration } = operation
  if (declaration.contract.etag !== true) return
  const why =
    effect === "write" ? "is a write" : isSilent ? "answers with nothing" : isStreamed(operation) ? "answers piece by piece" : null
  if (why === null) return
  const fix = effect === "write" ? 'Remove `etag`; if it changes nothing, say so: effect: "read",' : "Remove `etag`."
  findings.push(finding("TRS1027", declaration.at, `${path} ${why} and has an etag`, fix))
}

type AnyBackend = Backend<any, any, any>
interface Placed extends AnyBackend {
  /** It stands where it hears of answers, or needs none. */
  readonly isRemembering: boolean
}

function placed(backend: AnyBackend, isLater: boolean): Placed[] {
  const { kind, plan } = backend
  const parts = (plan.parts ?? []).flatMap((part, i) => placed(part, plan.fallsBack === true && i > 0))
  return [{ kind, plan, isRemembering: plan.bindMemory === undefined || isLater }, ...parts]
}

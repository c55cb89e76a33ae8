import { hash } from "node:crypto"
import type { Site } from "../contract/backend.ts"
import type { CallContext } from "../contract/call.ts"
import type { JobKind, NewJob } from "../contract/job.ts"

/** The job that goes on with a call: on behalf of the same caller, under the token of the same intent. */
export function workOf(kind: JobKind, site: Site, call: CallContext): NewJob {
  return {
    id: idOf(site, call),
    kind,
    operation: site.operation,
    input: call.received,
    orderKey: null,
    blocks: false,
    principal: call.principal,
    isOwnAuthority: call.isOwnAuthority,
    trace: call.trace,
    idempotencyKey: call.idempotencyKey(),
    contractHash: site.contractHash,
  }
}

/** The same intent of the same caller is the same work, whoever asks again: the caller, a message that came twice, a flow that was resumed. */
function idOf(site: Site, call: CallContext): string {
  if (!call.isDurable) return call.random.hex(16)
  const { principal } = call
  const who = principal === null ? "" : `${principal.kind} ${principal.id}`
  return hash("sha256", JSON.stringify([site.operation, who, call.idempotencyKey()])).slice(0, 32)
}

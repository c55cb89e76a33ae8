import { hash } from "node:crypto"
import type { Site } from "../contract/backend.ts"
import type { CallContext } from "../contract/call.ts"
import { intentAt } from "../contract/intent.ts"
import { DERIVED, type JobKind, type NewJob } from "../contract/job.ts"
import { fingerprint } from "./flow/fingerprint.ts"

/** The job that goes on with a call: on behalf of the same caller, under the token of the same intent. */
export function workOf(kind: JobKind, site: Site, call: CallContext): NewJob {
  return {
    id: workIdOf(site, call),
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

/**
 * What is run again asks for the same work again, and another input is never the same. For everybody else the id is one that nobody can guess: whoever knows the id of an
 * anonymous caller's work may follow it, and a key that a caller has chosen may be no secret.
 */
export function workIdOf(site: Site, call: CallContext): string {
  if (!call.isDelivered) return call.newWorkId()
  return DERIVED + hash("sha256", `${intentAt(site.origin, call)} ${fingerprint(call.received)}`).slice(0, 31)
}

import { withPatience } from "../../base/patience.ts"
import type { CallContext, Stoppable } from "../../contract/call.ts"
import type { BegunJob } from "../../contract/job.ts"
import { TrestleError } from "../../errors/trestle-error.ts"

/**
 * The answer of work that goes on without its caller. To the caller its end is `PENDING` when the deadline, or his own patience, is over
 * before that of the work.
 */
export async function endOfWork(begun: BegunJob, id: string, call: CallContext): Promise<unknown> {
  call.noteWork(id)
  const leaving: Stoppable = { stop: () => begun.leave() }
  call.attach(leaving)
  const end = await (call.patienceMs === undefined ? begun.end : withPatience(begun.end, call.patienceMs, call.clock))
  call.detach(leaving)
  begun.leave()
  if (end === null || end.is === "parked" || end.is === "suspended" || end.is === "failed")
    throw new TrestleError("PENDING", undefined, { outcome: "unknown", work: id })
  call.noteWork(null)
  if (end.is !== "done") throw end.error
  if (end.made) call.adopt(end.made)
  else call.noteServedBy("flow")
  return end.answer
}

import { expectProblem } from "./case-expect.ts"
import { prepare, send } from "./case-send.ts"
import { broken, type Subject } from "./case-subject.ts"
import type { PlannedCase } from "./contract-cases.ts"

/** What `repeat: "key"` promises to callers. */
export function keyCases({ operation }: Subject): PlannedCase[] {
  return operation.route && operation.repeat === "key" ? [again, misused] : []
}

const again: PlannedCase = {
  promise: "the same Idempotency-Key again → the same answer, and nothing is done again",
  see: async (t, subject) => {
    const good = await prepare(t, subject)
    let asked = 0
    t.backend(subject.op).replies(() => {
      asked++
      return good.answer
    })
    const headers = { "idempotency-key": `"again ${subject.operation.path}"` }
    const replies = [await send(t, good, { headers }), await send(t, good, { headers })] as const
    for (const { status } of replies)
      if (status !== subject.operation.status) broken(`expected ${subject.operation.status} both times, got ${status}`)
    if (asked !== 1) broken(`its backend was asked ${asked} times`)
    const said = replies.map((reply) => reply.headers.get("idempotent-replayed"))
    if (said[0] !== null || said[1] !== "true") broken(`only the second answer is a replay; the header says ${said.join(", then ")}`)
  },
}

const misused: PlannedCase = {
  promise: "an Idempotency-Key that is none → 400 that names it",
  see: async (t, subject) => {
    const good = await prepare(t, subject)
    const reply = await send(t, good, { headers: { "idempotency-key": "two, keys" } })
    await expectProblem(reply, { code: "INVALID", naming: "Idempotency-Key" })
  },
}

import type { CallContext, Stoppable } from "../contract/call.ts"
import { failure } from "../contract/failure.ts"
import type { TrestleError } from "../errors/trestle-error.ts"
import type { Gate } from "./gate.ts"

/** What a caller is told to wait who finds no place: as long as most attempts take, and the shortest that HTTP can say. */
export const FULL_RETRY_MS = 1_000

/**
 * Waits for a place in the bulkhead, no longer than the call lasts; resolves with the place taken.
 *
 * @throws {TrestleError} `bulkhead-full`, `cancelled-unsent`, `timeout-unsent`
 */
export function placeIn({ bulkhead, name }: Gate, call: CallContext): Promise<void> {
  if (call.stopped) return Promise.reject(failure("cancelled-unsent", call.effect))
  if (bulkhead.isFull) {
    const note = `${name}: bulkhead and its queue are full`
    return Promise.reject(failure("bulkhead-full", call.effect, { note, retryAfterMs: FULL_RETRY_MS }))
  }
  return new Promise((resolve, reject) => {
    const admit = (): void => {
      call.detach(waiting)
      resolve()
    }
    const waiting: Stoppable = {
      stop(why: TrestleError) {
        bulkhead.giveUp(admit)
        const reason = why.code === "CANCELLED" ? "cancelled-unsent" : "timeout-unsent"
        reject(failure(reason, call.effect, { note: `${name}: still waiting for a place` }))
      },
    }
    bulkhead.enqueue(admit)
    call.attach(waiting)
  })
}

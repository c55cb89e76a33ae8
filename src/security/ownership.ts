import type { CallContext } from "../contract/call.ts"
import type { Server } from "../contract/op.ts"
import { TrestleError } from "../errors/trestle-error.ts"

export type Owner = NonNullable<Server<any, any>["owner"]>

/** Runs the operation of `owner.load` within a call. */
export type LoadOwned = (input: unknown, call: CallContext) => Promise<unknown>

/**
 * Makes the check that the stored object which an input names belongs to the caller.
 *
 * What is missing and what is somebody else's answer exactly alike, so that nobody learns which ids exist. `owner.is` must answer
 * `true`, and at once: a promise, or anything else that looks true, does not count, nor does an `is` that throws.
 *
 * The function it gives rejects with a TrestleError: `UNAUTHENTICATED` without credentials, before anything is loaded; `NOT_FOUND` when
 * the object is missing (nothing loaded, or an error with status 404) or not the caller's. Other errors of the loading, and of
 * `owner.by`, pass through.
 * Source: OWASP API Security Top 10 2023, API1 Broken Object Level Authorization.
 *
 * @param load Gets `owner.by(input)`, or the input itself where there is no `by`.
 */
export function compileOwnership(owner: Owner, load: LoadOwned): (input: unknown, call: CallContext) => Promise<void> {
  return async (input, call) => {
    const who = call.principal
    if (who == null) throw new TrestleError("UNAUTHENTICATED")
    const row = await loaded(load, owner.by ? owner.by(input) : input, call)
    let answer: unknown
    try {
      answer = owner.is(row as {}, who)
    } catch (error) {
      throw notFound(error)
    }
    if (answer === true) return
    if (answer instanceof Promise) {
      // Its rejection has no one else to hear it, and would end the process.
      answer.catch(() => undefined)
      throw notFound(undefined, "owner.is answered with a promise, which never counts; load what it needs in owner.load")
    }
    throw notFound()
  }
}

async function loaded(load: LoadOwned, input: unknown, call: CallContext): Promise<unknown> {
  let row: unknown
  try {
    row = await load(input, call)
  } catch (error) {
    throw TrestleError.is(error) && error.status === 404 ? notFound(error) : notBegun(error)
  }
  if (row == null) throw notFound()
  return row
}

/** A load whose outcome is unknown is still only a load: of the call that it guards, nothing can have happened. */
function notBegun(error: unknown): unknown {
  if (!TrestleError.is(error) || error.outcome !== "unknown") return error
  const { code, detail, status, issues, reason, retryAfterMs, note } = error
  const kept = { ...(reason ? { reason } : {}), ...(retryAfterMs === undefined ? {} : { retryAfterMs }), ...(note ? { note } : {}) }
  return new TrestleError(code, detail, { status, issues, outcome: "refused", cause: error, ...kept })
}

/** Always made anew: detail and outcome of the loading's own error would tell missing from foreign. */
function notFound(cause?: unknown, note?: string): TrestleError {
  return new TrestleError("NOT_FOUND", undefined, { cause, ...(note ? { note } : {}) })
}

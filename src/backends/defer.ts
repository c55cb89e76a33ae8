import { type Duration, parseDuration, whyNoDuration } from "../base/duration.ts"
import { type Answer, type Backend, backend, type Site } from "../contract/backend.ts"
import type { CallContext, Ctx } from "../contract/call.ts"
import { failure, mayDefer } from "../contract/failure.ts"
import type { Durable, NewJob } from "../contract/job.ts"
import { TrestleError } from "../errors/trestle-error.ts"
import { workIdOf, workOf } from "./work.ts"

/** How long a deferred write may wait when it says nothing of its own: a day, as long as an idempotency key is kept. */
const EXPIRES_MS = 86_400_000

const UNSTORED = "whether the write is kept for later is not known; if it is, it will be sent"

export interface DeferOptions<V, O> {
  /**
   * What the write is about. While it waits, later writes of the operation with the same key queue behind it. Writes that are under way together
   * have no order: one that is kept after a later one was answered is sent after that. Default: no order.
   */
  key?: (input: V) => string
  /**
   * Asks whether a write that may have happened has happened: its answer, or `null` when it has not and is to be sent. Without it such a
   * write is sent again only under an idempotency key of the service; else it is parked for a person.
   */
  reconcile?: (input: V, ctx: Ctx) => Promise<NoInfer<O> | null>
  /** How long it may wait; then it is a dead letter. Default `"24h"`. */
  expires?: Duration
}

interface Deferral {
  readonly answer: (input: any) => unknown
  readonly key: ((input: any) => string) | undefined
  readonly reconcile: ((input: any, ctx: Ctx) => Promise<unknown>) | undefined
  readonly expiresMs: number
  /** The services have promised that a write which may have happened can be sent again. */
  readonly mayRepeat: boolean
}

/**
 * The last part of a write's `fallback`: when the service cannot be reached, or nobody knows what became of the write, it is stored, the
 * caller is answered `answer(input)` ("pending"; 202 over HTTP), and it is sent later under the same idempotency key, until it has its answer
 * or expires. Stored before the caller hears of it.
 */
export function defer<V, O>(answer: (input: V) => NoInfer<O>, options: DeferOptions<V, O> = {}): Backend<V, O> {
  const { key, reconcile, expires } = options
  const expiresMs = parseDuration(expires) ?? EXPIRES_MS
  return backend("defer", {
    isDurable: true,
    expiresMs,
    isForWritesOnly: true,
    isUnordered: key === undefined,
    repeat: "natural",
    ...(reconcile ? { reconciles: true } : {}),
    mistakes: expires !== undefined && !(parseDuration(expires)! > 0) ? [`expires ${whyNoDuration(expires, "2d")}`] : [],
    sampleFor: answer as (input: unknown) => unknown,
    bind: () => {
      throw new TypeError("defer() is the last part of a fallback()")
    },
    bindLast: (site, before, first) => {
      const mayRepeat = reconcile !== undefined || before.every((part) => keepsItsPromise(part, key !== undefined))
      return deferring({ answer, key, reconcile, expiresMs, mayRepeat }, site, first)
    },
  })
}

/** Under a key always; what is natural only in order: an old write that comes after a newer one would undo it. */
function keepsItsPromise({ plan }: Backend<any, any, any>, isOrdered: boolean): boolean {
  if (plan.service === undefined && plan.parts !== undefined) return plan.parts.every((part) => keepsItsPromise(part, isOrdered))
  return typeof plan.repeat === "object" || (plan.repeat === "natural" && isOrdered)
}

/** @param first what stands before it in the fallback */
function deferring(deferral: Deferral, site: Site, first: Answer): Answer {
  const { durable } = site
  if (durable === null) return first
  return async (input, call) => {
    if (call.delivery?.kind === "deferred") return sendLater(deferral, { site, first }, input, call)
    // Of a step of a flow, or a message, that may have been kept for later already.
    if (call.followsUnknown && call.isDelivered) {
      const id = workIdOf(site, call)
      if (await isThere(durable, id)) return provisional(deferral, { site, id, because: "it was kept for later" }, input, call)
      if (deferral.reconcile) return askAgain(deferral, { site, durable, first }, input, call)
    }
    const orderKey = deferral.key?.(input) ?? null
    if (orderKey !== null && (await durable.isQueued(site.operation, orderKey)))
      return keep(deferral, { site, durable, orderKey, why: null }, input, call)
    try {
      return await first(input, call)
    } catch (error) {
      return keepFailed(deferral, { site, durable, orderKey, error }, input, call)
    }
  }
}

/** Keeps what could go better later; any other failure is the call's. */
function keepFailed(
  deferral: Deferral,
  { error, ...where }: Omit<Keeping, "why"> & { readonly error: unknown },
  input: unknown,
  call: CallContext,
): Promise<unknown> {
  if (call.stopped || !mayDefer(error)) throw error
  return keep(deferral, { ...where, why: error as TrestleError }, input, call)
}

/** A step of a flow that may have had its effect. */
async function askAgain(
  deferral: Deferral,
  { site, durable, first }: { readonly site: Site; readonly durable: Durable; readonly first: Answer },
  input: unknown,
  call: CallContext,
): Promise<unknown> {
  try {
    return await sendLater(deferral, { site, first }, input, call)
  } catch (error) {
    return keepFailed(deferral, { site, durable, orderKey: deferral.key?.(input) ?? null, error }, input, call)
  }
}

/** A run of the stored write. Its failure is the job's, which is run again, or parked. */
async function sendLater(
  { reconcile }: Deferral,
  { site, first }: { readonly site: Site; readonly first: Answer },
  input: unknown,
  call: CallContext,
): Promise<unknown> {
  if (!reconcile || !call.followsUnknown) return first(input, call)
  const found = (await reconcile(input, call.public)) ?? null
  if (found !== null) return site.accept(found, call, "defer")
  try {
    return await first(input, call)
  } catch (error) {
    // "There is one already" may be the service's word for what an earlier attempt has made, and could not yet be seen.
    if (!TrestleError.is(error) || error.outcome !== "answered") throw error
    const made = (await reconcile(input, call.public)) ?? null
    if (made === null) throw error
    return site.accept(made, call, "defer")
  }
}

interface Keeping {
  readonly site: Site
  readonly durable: Durable
  readonly orderKey: string | null
  /** `null`: an earlier one waits, so this one was not sent at all. */
  readonly why: TrestleError | null
}

async function keep(deferral: Deferral, { site, durable, orderKey, why }: Keeping, input: unknown, call: CallContext): Promise<unknown> {
  const followsUnknown = call.followsUnknown || why?.outcome === "unknown"
  const because = why === null ? "an earlier write of its key waits" : (why.note ?? why.code)
  const job: NewJob = {
    ...workOf("deferred", site, call),
    orderKey,
    blocks: true,
    expiresMs: deferral.expiresMs,
    times: Number.POSITIVE_INFINITY,
    mayRepeat: deferral.mayRepeat,
    followsUnknown,
    isParked: followsUnknown && !deferral.mayRepeat,
    why: because,
  }
  // Whoever gives the call up from here on does not know whether it is kept, and sent.
  call.noteSent()
  try {
    await durable.put(job)
  } catch (unstored) {
    // Nothing was kept, so the failure of the write itself is what its caller has to know.
    if (TrestleError.is(unstored) && unstored.outcome === "refused") throw why ?? unstored
    // Of a commit whose answer was lost nobody knows: not to find it now does not say that it will not be there, and be sent.
    if (!(await isThere(durable, job.id).catch(() => false))) throw failure("connection-lost", "write", { cause: unstored, note: UNSTORED })
  }
  return provisional(deferral, { site, id: job.id, because }, input, call)
}

async function isThere(durable: Durable, id: string): Promise<boolean> {
  return (await durable.endOf(id)) !== undefined
}

/** The answer that says that the work of that id goes on. */
function provisional(
  deferral: Deferral,
  { site, id, because }: { readonly site: Site; readonly id: string; readonly because: string },
  input: unknown,
  call: CallContext,
): unknown {
  call.noteWork(id)
  call.noteDegraded(because)
  return site.accept(deferral.answer(input), call, "defer")
}

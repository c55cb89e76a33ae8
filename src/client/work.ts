// The door `trestle/client/work`: how work that goes on after its call is followed to its end.
import type { ToldMeta } from "../contract/call.ts"
import { ClientError, type ClientFailure } from "./client-error.ts"
import type { ClientOptions } from "./exchange.ts"
import { parse } from "./meta.ts"

export type { ClientOptions } from "./exchange.ts"

/** How far work has come. */
export interface WorkProgress {
  /** `parked`: it waits for a person. */
  readonly state: "waiting" | "running" | "parked" | "done" | "failed"
  /** Steps that are done. */
  readonly done: number
  /** Name of the step that is under way, or is being undone; "" where it has none. */
  readonly step: string
  /** The work has failed with this code, and is being undone. */
  readonly undoing?: string
}

export interface FollowOptions {
  /** Gives up following; the work goes on. */
  signal?: AbortSignal
  /** Hears of every change. */
  onProgress?: (progress: WorkProgress) => void
}

/** What every call of the client has, as far as it is needed here. */
interface Callable<I, O> {
  detailed(input: I, options?: { signal?: AbortSignal; idempotencyKey?: string }): Promise<{ value: O; meta: ToldMeta }>
}

/** The server says of itself when it has something new; this bounds how long one question may wait for it. */
const WAIT_S = 20
/** Pause before somebody is asked again who has failed, or had nothing new to say, in milliseconds. */
const PAUSE_MS = 1_000

/**
 * Makes the function that calls an operation and follows its work to the end:
 *
 *     const followed = follower({ url: "/api" })
 *     const candidate = await followed(api.candidates.register, input, { onProgress: show })
 *
 * Resolves with the answer of the operation, or, where that was provisional ("pending") or came too late, with the answer of the work that went
 * on. A network that fails meanwhile is asked again for as long as `signal` allows; the work goes on all the same.
 *
 * @throws {ClientError} as the operation; the error with which the work has ended; `NOT_FOUND` when its end is not kept any more;
 * `CANCELLED` after `signal`.
 */
export function follower(
  options: ClientOptions,
): <I, O>(operation: Callable<I, O>, input: I, more?: FollowOptions & { idempotencyKey?: string }) => Promise<O> {
  return async (operation, input, more = {}) => {
    const { signal, onProgress, ...rest } = more
    let work: string | undefined
    let value: unknown
    try {
      const answer = await operation.detailed(input, { ...rest, ...(signal && { signal }) })
      value = answer.value
      work = answer.meta.work
    } catch (error) {
      work = (error as ClientError).work
      if (work === undefined) throw error
    }
    return (work === undefined ? value : await endOf(work, options, { signal, onProgress })) as never
  }
}

interface Report {
  readonly state: WorkProgress["state"]
  readonly progress?: Omit<WorkProgress, "state">
  readonly answer?: unknown
  readonly problem?: ClientFailure
}

async function endOf(
  work: string,
  options: ClientOptions,
  { signal, onProgress }: { readonly signal: AbortSignal | undefined; readonly onProgress: FollowOptions["onProgress"] },
): Promise<unknown> {
  let said = ""
  for (let waitS = 0; ; waitS = WAIT_S) {
    const report = await look(work, options, waitS, signal)
    if (report === null) {
      await pause(signal)
      continue
    }
    const { state, progress = { done: 0, step: "" } } = report
    const text = JSON.stringify([state, progress])
    const isNews = text !== said
    if (isNews) onProgress?.({ state, ...progress })
    said = text
    if (state === "done") return report.answer
    if (state === "failed") throw errorOf(report.problem!)
    // A server that leaves, or a proxy before it that drops the wish to wait, says the same at once, again and again.
    if (!isNews) await pause(signal)
  }
}

/** `null`: nobody answered. */
async function look(
  work: string,
  { url, token, fetch: send = fetch }: ClientOptions,
  waitS: number,
  signal?: AbortSignal,
): Promise<Report | null> {
  let reply: Response
  let body: any
  try {
    signal?.throwIfAborted()
    const headers: Record<string, string> = { prefer: `wait=${waitS}` }
    if (token) headers.authorization = `Bearer ${await token()}`
    reply = await send(`${url}/work/${encodeURIComponent(work)}`, { headers, ...(signal && { signal }) })
    body = parse(await reply.text())
  } catch {
    if (signal?.aborted) throw errorOf({ code: "CANCELLED", detail: "It is not followed any more; it goes on.", outcome: "unknown" }, work)
    return null
  }
  if (reply.ok && body !== undefined) return body
  if (reply.status >= 500 || reply.status === 429) return null
  throw errorOf({ code: "NOT_FOUND", detail: "What became of it is not known any more.", outcome: "unknown", ...told(body) }, work)
}

function told(body: any): Partial<ClientFailure> {
  return typeof body?.code === "string" ? { code: body.code, detail: body.detail, trace: body.trace } : {}
}

function errorOf(said: Partial<ClientFailure>, work?: string): ClientError {
  const failure: ClientFailure = {
    code: "INTERNAL",
    detail: "No answer",
    issues: [],
    trace: "",
    outcome: "unknown",
    status: 0,
    work,
    ...said,
  }
  return Object.assign(new ClientError(`${failure.code}: ${failure.detail}`), failure)
}

function pause(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener("abort", end)
      resolve()
    }
    const timer = setTimeout(end, PAUSE_MS)
    signal?.addEventListener("abort", end, { once: true })
  })
}

import type { Stoppable } from "../contract/call.ts"
import type { Entry } from "../contract/ports.ts"
import { failWith, invalid, TrestleError } from "../errors/trestle-error.ts"

/** Longest time from the head to the last byte of a body. Below the default deadline, so that a slow sender hears that it was slow. */
export const READ_MS_MAX = 9_000

/** A client that takes nothing for twice this long does not want its answer: Node forgives the first time. */
export const TAKE_MS_MAX = 6_000

/** Where GET answers, HEAD says the same without its body. */
export const GET = ["GET", "HEAD"] as const

export type Fields = Readonly<Record<string, string>>

/** A request and the way back to whoever sent it, whichever server carries them. Its body is not touched before it is read. */
export interface HttpEntry extends Entry {
  kind: "http" | "rpc"
  /** What stands before our own addresses, as callers see them: "" or "/api". */
  readonly prefix: string
  /** A field of the answer to come, whatever that will be. */
  setHeader(name: string, value: string): void
  /** Sends the answer, once. The body "" is none. */
  send(status: number, fields: Fields, body: string): void
  /** Stops the call when nobody waits for its answer any more. */
  stopWhenGone(call: Stoppable): void
}

/** An entry whose address is read by our own router, because another server has carried it here. */
export interface MountedEntry extends HttpEntry {
  params: Entry["params"]
  query: Entry["query"]
}

/** Answers that say by their status that nothing follows, not even a length. Source: RFC 9110, sections 15.3.5 and 15.4.5. */
export function hasNoBody(status: number): boolean {
  return status === 204 || status === 304
}

/** The caller has left. */
export function gone(): TrestleError {
  return new TrestleError("CANCELLED", undefined, { note: "the client closed the connection" })
}

export function tooLarge(bytesMax: number): TrestleError {
  return failWith("TOO_LARGE", { note: `body larger than ${bytesMax} bytes` })
}

/** No text that is taken here: replacing what is wrong would make different texts, and different keys, the same. */
export function notUtf8(): TrestleError {
  return invalid([{ path: "", message: "not UTF-8" }], "The body is not JSON that is taken here.")
}

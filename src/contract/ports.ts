import type { TrestleError } from "../errors/trestle-error.ts"
import type { Meta } from "./call.ts"
import type { Principal, RequestHead } from "./principal.ts"

/** What is known of a call when it ends: the one record from which log lines, metrics, traces and audits are made. */
export interface CallRecord {
  /** Path of the operation, or "-" when the request named none. */
  readonly operation: string
  /** `http`, `rpc`, `in-process`, `nested`. */
  readonly entrance: string
  readonly principal: Principal | null
  readonly meta: Meta
  /** When the call began, in milliseconds since 1970; it ended `meta.ms` later. */
  readonly epoch: number
  readonly error: TrestleError | null
  /** HTTP status, for calls that came over HTTP. */
  readonly status: number | null
  /** For HTTP: method and path pattern, never the raw URL. */
  readonly route: string | null
}

/** Hears of every call's end, early refusals included. Must not throw and must not block. */
export interface Recorder {
  record(record: CallRecord): void
}

/** For what happens outside a call: start, stop, a service's state. */
export interface EventLog {
  info(message: string, fields?: Readonly<Record<string, unknown>>): void
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void
  error(message: string, fields?: Readonly<Record<string, unknown>>): void
}

/** A request on its way in, as the stages see it: the head is here, the body only when it is read. */
export interface Entry {
  readonly head: RequestHead
  readonly params: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, unknown>>
  /** `http` for the operation's own route, `rpc` for `POST /rpc/<path>`. */
  readonly kind: "http" | "rpc"
  /** Reads the whole body, within its limits of size and time. */
  read(): Promise<string>
}

/** One HTTP request to a service, as bytes. */
export interface WireRequest {
  readonly method: string
  /** Path and query, encoded. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | null
  /** The answer is cut off with an error when it is larger. */
  readonly answerBytesMax: number
}

export interface WireReply {
  readonly status: number
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

/** A request under way. Exactly one of `replied` and `failed` follows, unless `stop` was called. */
export interface WireListener {
  /** The first byte may have left. */
  sent(): void
  replied(reply: WireReply): void
  failed(error: unknown): void
}

/** The network, seen from the REST connector; tests put their own in its place. */
export interface HttpTransport {
  /** Returns what stops the request: before the first byte nothing is sent, later the connection is closed. */
  send(request: WireRequest, listener: WireListener): { stop(): void }
  close(): Promise<void>
}

export type OpenTransport = (options: { readonly origin: string; readonly connections: number }) => HttpTransport | Promise<HttpTransport>

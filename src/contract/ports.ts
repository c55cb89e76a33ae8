import type { TrestleError } from "../errors/trestle-error.ts"
import type { Meta } from "./call.ts"
import type { Delivery } from "./job.ts"
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
  /** Bytes of an answer that was sent piece by piece, as far as it came. */
  readonly bytes?: number | undefined
  /** What this call itself repaired in a service's data, and how often: by the names of the fields, at most 20 kinds. */
  readonly ownRepairs?: ReadonlyMap<string, number> | undefined
  /** Its answer was remembered under its idempotency key. */
  readonly isReplayed?: boolean
  /** How it came, if from the store. */
  readonly delivery?: Delivery | null
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
  /** The body as it comes, once, without a limit of size; a sender that sends nothing for 9 s has stopped. */
  chunks(): AsyncIterable<Uint8Array>
  /** Reads what nobody has read of the body, `bytesMax` at most, for a sender that hears no answer before it has sent all. */
  skip(bytesMax: number): Promise<void>
  /** Sends an answer as its bytes come, no faster than they are taken. */
  sendChunks(answer: ChunkedAnswer): Sending
  /** The answer that is being sent so; `null` before. */
  readonly sending: Sending | null
}

export interface ChunkedAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** Asked for the first time only when the head has been sent. */
  readonly chunks: AsyncIterator<Uint8Array | string>
  /** What stands in the place of the end after a failure, where the form has a word for one. Without it the connection is cut. */
  readonly failed?: (error: TrestleError) => string
}

/** An answer on its way out. */
export interface Sending {
  /** Resolves when the last byte has been given to the network. Rejects with what `chunks` threw, and `CANCELLED` when nobody takes it. */
  readonly over: Promise<void>
  /** So far. */
  readonly bytes: number
  /** Asks for no further piece. */
  stop(): void
  /** Ends what was sent so that it cannot be taken for a whole answer. */
  fail(error: TrestleError): void
}

/** One HTTP request to a service, as bytes. */
export interface WireRequest {
  readonly method: string
  /** Path and query, encoded. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  /** What is iterable is sent as it comes: with the length that `headers` names, else in chunks. Its error is that of the request. */
  readonly body: string | null | AsyncIterable<Uint8Array>
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

/** The head of a reply whose body is still coming. */
export interface WireStream {
  readonly status: number
  /** Names in lower case. */
  readonly headers: WireReply["headers"]
  /** Once. Gives bytes only as fast as they are asked for. */
  readonly body: AsyncIterable<Uint8Array>
}

/** A request whose reply is read while it comes. Exactly one of `opened` and `failed` follows, unless `stop` was called. */
export interface WireStreamListener {
  sent(): void
  opened(reply: WireStream): void
  failed(error: unknown): void
}

/** The network, seen from the REST connector; tests put their own in its place. */
export interface HttpTransport {
  /** Returns what stops the request: before the first byte nothing is sent, later the connection is closed. */
  send(request: WireRequest, listener: WireListener): { stop(): void }
  /** As `send`; the reply's size has no limit. `stop` closes the connection as long as the body has not come to its end. */
  open(request: WireRequest, listener: WireStreamListener): { stop(): void }
  close(): Promise<void>
}

export type OpenTransport = (options: { readonly origin: string; readonly connections: number }) => HttpTransport | Promise<HttpTransport>

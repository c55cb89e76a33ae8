import { isUtf8 } from "node:buffer"
import type { IncomingMessage, ServerResponse } from "node:http"
import { Socket } from "node:net"
import { systemClock } from "../base/clock.ts"
import type { Stoppable } from "../contract/call.ts"
import type { ChunkedAnswer, Sending } from "../contract/ports.ts"
import type { RequestHead } from "../contract/principal.ts"
import { failWith, TrestleError } from "../errors/trestle-error.ts"
import { type Fields, gone, hasNoBody, type MountedEntry, notUtf8, READ_MS_MAX, TAKE_MS_MAX, tooLarge } from "./entry.ts"
import { incoming } from "./incoming.ts"
import { joinedHeaders } from "./joined-headers.ts"
import { NodeSending } from "./node-sending.ts"
import { textOfParsed } from "./parsed-body.ts"
import { answerUnread, isUnread } from "./unread.ts"

const TARGET = /^(?:https?:\/\/[^/?#]*)?([^?#]*)/i
const NONE = Object.freeze(Object.create(null))

/** Requests that wait to be invited before they send their body, because our own server has not done so. */
const uninvited = new WeakSet<IncomingMessage>()

/** Says that the invitation is still to be sent. Source: RFC 9110, section 10.1.1. */
export function notInvited(request: IncomingMessage): void {
  uninvited.add(request)
}

/** A request of `node:http`, whoever's server took it. */
export class NodeEntry implements MountedEntry, RequestHead {
  kind: "http" | "rpc" = "http"
  params: Readonly<Record<string, string>> = NONE
  query: Readonly<Record<string, unknown>> = NONE
  prefix = ""
  /** Its target, without the prefix. */
  url: string
  /** The host's own object for this request; `undefined` on our own server. */
  host: unknown
  protected readonly request: IncomingMessage
  protected readonly response: ServerResponse
  readonly #bytesMax: number
  #joined: RequestHead["headers"] | null = null
  sending: Sending | null = null

  constructor(request: IncomingMessage, response: ServerResponse, bytesMax: number) {
    this.request = request
    this.response = response
    this.url = request.url!
    this.#bytesMax = bytesMax
  }

  get head(): RequestHead {
    return this
  }

  get method(): string {
    return this.request.method!
  }

  /** Without scheme and host, where the request gave its target in the absolute form, for the router takes none of it either. */
  get path(): string {
    return TARGET.exec(this.url)![1]!
  }

  get headers(): RequestHead["headers"] {
    this.#joined ??= joinedHeaders(this.request)
    return this.#joined
  }

  get address(): string {
    return this.request.socket.remoteAddress ?? ""
  }

  setHeader(name: string, value: string): void {
    const isOfHttp1 = name === "connection" && this.request.httpVersionMajor > 1
    if (!this.response.headersSent && !isOfHttp1) this.response.setHeader(name, value)
  }

  send(status: number, fields: Fields, body: string): void {
    const { request, response } = this
    // The host had no patience, or its own answer ready.
    if (response.headersSent || response.writableEnded) return
    if (isUnread(request)) return answerUnread(request, response, { status, fields, body })
    const isBare = hasNoBody(status)
    response.writeHead(status, isBare ? fields : { ...fields, "content-length": Buffer.byteLength(body) })
    response.end(isBare ? undefined : body)
    endSlowReading(response)
  }

  stopWhenGone(call: Stoppable): void {
    this.response.once("close", () => {
      if (!this.response.writableFinished) call.stop(gone())
    })
  }

  /** @throws {TrestleError} `TOO_LARGE`, `REQUEST_TIMEOUT`, `CANCELLED`, `INVALID` for what is no UTF-8. */
  read(): Promise<string> {
    const { request, response } = this
    if (request.readableDidRead) return this.#readByHost()
    if (request.headers.expect !== undefined && uninvited.delete(request)) response.writeContinue()
    return readText(request, this.#bytesMax)
  }

  chunks(): AsyncIterable<Uint8Array> {
    const { request, response } = this
    if (request.readableDidRead) {
      throw new TrestleError("INTERNAL", undefined, { note: "the host has read the body; mount before what reads it" })
    }
    return incoming(request, () => {
      if (request.headers.expect !== undefined && uninvited.delete(request)) response.writeContinue()
    })
  }

  async skip(bytesMax: number): Promise<void> {
    if (!isUnread(this.request) || uninvited.has(this.request)) return
    let bytes = 0
    for await (const chunk of incoming(this.request, () => {})) {
      bytes += chunk.length
      if (bytes > bytesMax) return
    }
  }

  sendChunks(answer: ChunkedAnswer): Sending {
    this.sending = new NodeSending(this.response, answer)
    return this.sending
  }

  /** The host has parsed the body before us. */
  async #readByHost(): Promise<string> {
    return textOfParsed((this.request as { body?: unknown }).body, this.#bytesMax)
  }
}

function readText(stream: IncomingMessage, bytesMax: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let bytes = 0
    const end = (outcome: () => void): void => {
      systemClock.cancel(alarm)
      stream.off("data", take).off("end", finish).off("error", lose).off("close", lose)
      outcome()
    }
    const take = (chunk: Buffer): void => {
      bytes += chunk.length
      if (bytes > bytesMax) end(() => reject(tooLarge(bytesMax)))
      else chunks.push(chunk)
    }
    const finish = (): void =>
      end(() => {
        const body = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
        if (isUtf8(body)) resolve(body.toString("utf8"))
        else reject(notUtf8())
      })
    const lose = (): void => end(() => reject(failWith("CANCELLED", { note: "the connection ended in the middle of the body" })))
    // Real time, whatever the application's clock: the network does not stand still for a test.
    const alarm = systemClock.after(READ_MS_MAX, { ring: () => end(() => reject(failWith("REQUEST_TIMEOUT"))) })
    stream.on("data", take).on("end", finish).on("error", lose).on("close", lose)
  })
}

/** What the system took at once needs no watching. Node ends the connection, and sets its own time again after the answer. */
export function endSlowReading({ socket }: ServerResponse): void {
  if (socket instanceof Socket && socket.writableLength > 0) socket.setTimeout(TAKE_MS_MAX)
}

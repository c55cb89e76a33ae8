import { isUtf8 } from "node:buffer"
import type { ServerResponse } from "node:http"
import type { FastifyRequest } from "fastify"
import { systemClock } from "../base/clock.ts"
import type { Entry } from "../contract/ports.ts"
import type { RequestHead } from "../contract/principal.ts"
import { failWith, invalid } from "../errors/trestle-error.ts"

/** Longest time from the head to the last byte of a body. Below the default deadline, so that a slow sender hears that it was slow. */
export const READ_MS_MAX = 9_000

const TARGET = /^(?:https?:\/\/[^/?#]*)?([^?#]*)/i

/** A request on its way in, over Fastify. Its body is not touched before it is read. */
export class FastifyEntry implements Entry, RequestHead {
  readonly kind: "http" | "rpc"
  readonly #request: FastifyRequest
  readonly #response: ServerResponse
  readonly #bytesMax: number

  constructor(request: FastifyRequest, response: ServerResponse, kind: "http" | "rpc", bytesMax: number) {
    this.#request = request
    this.#response = response
    this.kind = kind
    this.#bytesMax = bytesMax
  }

  get head(): RequestHead {
    return this
  }

  get method(): string {
    return this.#request.method
  }

  /** Without scheme and host, where the request gave its target in the absolute form, for the router takes none of it either. */
  get path(): string {
    return TARGET.exec(this.#request.url)![1]!
  }

  get headers(): RequestHead["headers"] {
    return this.#request.headers as RequestHead["headers"]
  }

  get address(): string {
    return this.#request.socket.remoteAddress ?? ""
  }

  get params(): Readonly<Record<string, string>> {
    return this.#request.params as Record<string, string>
  }

  get query(): Readonly<Record<string, unknown>> {
    return this.#request.query as Record<string, unknown>
  }

  /** @throws {TrestleError} `TOO_LARGE`, `REQUEST_TIMEOUT`, `CANCELLED`, `INVALID` for what is no UTF-8. */
  read(): Promise<string> {
    const stream = this.#request.raw
    const bytesMax = this.#bytesMax
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
        if (bytes > bytesMax) end(() => reject(failWith("TOO_LARGE", { note: `body larger than ${bytesMax} bytes` })))
        else chunks.push(chunk)
      }
      const finish = (): void =>
        end(() => {
          const body = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
          // Replacing what is wrong would make different texts, and different keys, the same.
          if (isUtf8(body)) resolve(body.toString("utf8"))
          else reject(invalid([{ path: "", message: "not UTF-8" }], "The body is not JSON that is taken here."))
        })
      const lose = (): void => end(() => reject(failWith("CANCELLED", { note: "the connection ended in the middle of the body" })))
      // Real time, whatever the application's clock: the network does not stand still for a test.
      const alarm = systemClock.after(READ_MS_MAX, { ring: () => end(() => reject(failWith("REQUEST_TIMEOUT"))) })
      if (stream.headers.expect?.toLowerCase() === "100-continue" && stream.httpVersion === "1.1") this.#response.writeContinue()
      stream.on("data", take).on("end", finish).on("error", lose).on("close", lose)
    })
  }
}

import type { FastifyRequest } from "fastify"
import type { Entry } from "../contract/ports.ts"
import type { RequestHead } from "../contract/principal.ts"
import { failWith } from "../errors/trestle-error.ts"

/** Longest time from the head to the last byte of a body. */
export const READ_MS_MAX = 10_000

/** A request on its way in, over Fastify. Its body is not touched before it is read. */
export class FastifyEntry implements Entry, RequestHead {
  readonly kind: "http" | "rpc"
  readonly #request: FastifyRequest
  readonly #bytesMax: number

  constructor(request: FastifyRequest, kind: "http" | "rpc", bytesMax: number) {
    this.#request = request
    this.kind = kind
    this.#bytesMax = bytesMax
  }

  get head(): RequestHead {
    return this
  }

  get method(): string {
    return this.#request.method
  }

  get path(): string {
    const { url } = this.#request
    const query = url.indexOf("?")
    return query === -1 ? url : url.slice(0, query)
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

  /** @throws {TrestleError} `TOO_LARGE`, `REQUEST_TIMEOUT`, `CANCELLED`. */
  read(): Promise<string> {
    const stream = this.#request.raw
    const bytesMax = this.#bytesMax
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = []
      let bytes = 0
      const end = (outcome: () => void): void => {
        clearTimeout(timer)
        stream.off("data", take).off("end", finish).off("error", lose).off("close", lose)
        outcome()
      }
      const take = (chunk: Buffer): void => {
        bytes += chunk.length
        if (bytes > bytesMax) end(() => reject(failWith("TOO_LARGE", { note: `body larger than ${bytesMax} bytes` })))
        else chunks.push(chunk)
      }
      const finish = (): void =>
        end(() => resolve(chunks.length === 1 ? chunks[0]!.toString("utf8") : Buffer.concat(chunks).toString("utf8")))
      const lose = (): void => end(() => reject(failWith("CANCELLED", { note: "the connection ended in the middle of the body" })))
      const timer = setTimeout(() => end(() => reject(failWith("REQUEST_TIMEOUT"))), READ_MS_MAX)
      stream.on("data", take).on("end", finish).on("error", lose).on("close", lose)
    })
  }
}

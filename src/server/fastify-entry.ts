import type { FastifyReply, FastifyRequest } from "fastify"
import type { ChunkedAnswer, Sending } from "../contract/ports.ts"
import type { Fields } from "./entry.ts"
import { endSlowReading, NodeEntry } from "./node-entry.ts"
import { answerUnread, isUnread } from "./unread.ts"

/** A request over Fastify: ours or the host's. Answers go through Fastify, so that its hooks see them. */
export class FastifyEntry extends NodeEntry {
  readonly #reply: FastifyReply

  constructor(request: FastifyRequest, reply: FastifyReply, bytesMax: number) {
    super(request.raw, reply.raw, bytesMax)
    this.#reply = reply
    this.params = request.params as Record<string, string>
    this.query = request.query as Record<string, unknown>
  }

  override send(status: number, fields: Fields, body: string): void {
    const reply = this.#reply
    if (isUnread(this.request)) {
      reply.hijack()
      return answerUnread(this.request, this.response, { status, fields: { ...(reply.getHeaders() as Fields), ...fields }, body })
    }
    reply.code(status).headers(fields)
    if (body === "") reply.send()
    else reply.send(body)
    endSlowReading(this.response)
  }

  override sendChunks(answer: ChunkedAnswer): Sending {
    const reply = this.#reply
    reply.hijack()
    return super.sendChunks({ ...answer, headers: { ...(reply.getHeaders() as Fields), ...answer.headers } })
  }
}

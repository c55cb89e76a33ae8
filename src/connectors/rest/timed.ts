import { type DeadlineField, deadlineText } from "../../contract/deadline-field.ts"
import type { WireRequest } from "../../contract/ports.ts"

/** The request of one attempt, with the time that is left for it. A class for `Listener`'s reason. */
export class Timed implements WireRequest {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: WireRequest["body"]
  readonly answerBytesMax: number

  constructor(request: WireRequest, field: DeadlineField, leftMs: number) {
    this.method = request.method
    this.path = request.path
    // First, so that it can take the place of no credential and of nothing that the declaration says itself.
    this.headers = { [field.header.toLowerCase()]: deadlineText(field, leftMs), ...request.headers }
    this.body = request.body
    this.answerBytesMax = request.answerBytesMax
  }
}

import type { WireRequest } from "../../contract/ports.ts"
import type { Attempt } from "../../contract/service.ts"
import { TrestleError } from "../../errors/trestle-error.ts"
import type { Upload } from "./body.ts"

/** The request of one attempt whose body is read while it is sent. The service's time runs only while the service is waited for. */
export class Uploading implements WireRequest {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: AsyncIterable<Uint8Array>
  readonly answerBytesMax: number

  constructor(request: Omit<WireRequest, "body">, upload: Upload, attempt: Attempt) {
    this.method = request.method
    this.path = request.path
    this.headers = request.headers
    this.answerBytesMax = request.answerBytesMax
    this.body = moving(upload.open(), attempt)
  }
}

async function* moving(chunks: AsyncIterable<Uint8Array>, attempt: Attempt): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    attempt.isWaitingForUs = true
    for await (const chunk of chunks) {
      attempt.isWaitingForUs = false
      attempt.moved()
      yield chunk
      attempt.isWaitingForUs = true
    }
  } catch (thrown) {
    // Ours, whatever it is: it must not pass for a connection that the service has lost.
    throw TrestleError.is(thrown) ? thrown : new TrestleError("INTERNAL", undefined, { cause: thrown, note: "the stream of a file failed" })
  } finally {
    attempt.isWaitingForUs = false
    attempt.moved()
  }
}

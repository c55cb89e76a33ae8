import type { IncomingHttpHeaders } from "node:http"
import type { RequestHead } from "../contract/principal.ts"
import { TrestleError } from "../errors/trestle-error.ts"

/** Whether a body follows the head. Node refuses a request that says both how long it is and that it comes in chunks. */
export function hasBody(headers: RequestHead["headers"] | IncomingHttpHeaders): boolean {
  const length = headers["content-length"]
  return (length !== undefined && length !== "0") || headers["transfer-encoding"] !== undefined
}

/** Bodies come as they are, at most in chunks. */
export function refuseCodings(headers: RequestHead["headers"]): void {
  const coding = headers["transfer-encoding"]
  if (coding !== undefined && coding.toLowerCase() !== "chunked") {
    throw new TrestleError("UNSUPPORTED_MEDIA_TYPE", "Send the body in no transfer coding but chunked.")
  }
  if (headers["content-encoding"] !== undefined && headers["content-encoding"] !== "identity") {
    throw new TrestleError("UNSUPPORTED_MEDIA_TYPE", "Send the body without content-encoding.")
  }
}

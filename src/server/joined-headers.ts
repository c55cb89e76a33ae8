import type { IncomingMessage } from "node:http"
import type { RequestHead } from "../contract/principal.ts"

/**
 * Header fields with all their values. Of two `Authorization` fields Node keeps the first by itself, while a proxy before us may have
 * looked at the last: joined they prove nothing. Our own server asks Node to join them; a host's server may not.
 */
export function joinedHeaders(request: IncomingMessage): RequestHead["headers"] {
  const { headers, rawHeaders } = request as IncomingMessage & { headers: RequestHead["headers"] }
  // Node says so on each request of a server with `joinDuplicateHeaders`; its types do not.
  if ((request as { joinDuplicateHeaders?: unknown }).joinDuplicateHeaders) return headers
  if (request.httpVersionMajor > 1) return http2Headers(request)
  if (Object.keys(headers).length * 2 === rawHeaders.length) return headers
  return joinedPairs(rawHeaders)
}

function joinedPairs(rawHeaders: readonly string[]): Record<string, string> {
  const joined: Record<string, string> = Object.create(null)
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!.toLowerCase()
    joined[name] = name in joined ? `${joined[name]}, ${rawHeaders[i + 1]}` : rawHeaders[i + 1]!
  }
  return joined
}

/**
 * Over HTTP/2 a body need say no length and cannot come in chunks, and the host is a pseudo field; the stages ask for what HTTP/1.1 says.
 * Source: RFC 9113, section 8.
 */
function http2Headers(request: IncomingMessage): RequestHead["headers"] {
  const joined = joinedPairs(request.rawHeaders)
  const { stream } = request as unknown as { readonly stream: { readonly endAfterHeaders: boolean } }
  if (!stream.endAfterHeaders && joined["content-length"] === undefined) joined["transfer-encoding"] = "chunked"
  if (joined[":authority"] !== undefined) joined.host ??= joined[":authority"]
  return Object.fromEntries(Object.entries(joined).filter(([name]) => !name.startsWith(":")))
}

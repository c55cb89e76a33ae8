import { FetchEntry } from "./fetch-entry.ts"
import { behind, type Mount, refuseBadPrefix } from "./mount.ts"

/** What a host knows of a request that is not in it. */
export interface FetchHost {
  /** What stands before our own addresses in the request's URL: `"/api"`. What the host has cut off itself is not repeated here. Default: nothing. */
  readonly prefix?: string
  /** For `fromHost`: the host's own object for this request, such as the context of Hono. Default: the request. */
  readonly host?: unknown
  /** Address of the peer that holds the connection, where the host knows it. Default: "". */
  readonly address?: string
  /** The body, where the host has read it already: parsed JSON, text or bytes. */
  readonly body?: unknown
}

/** Answers a `Request` without a port: the same addresses, the same stages, the same problems. */
export async function fetchThrough(mount: Mount, request: Request, given: FetchHost = {}): Promise<Response> {
  const { prefix = "", host = request, address = "", body } = given
  if (prefix !== "") refuseBadPrefix(mount.parts.name, prefix)
  const { pathname, search } = new URL(request.url)
  const path = behind(prefix, pathname)
  const entry = new FetchEntry(request, path ?? pathname, { prefix, host, address, body, bodyBytesMax: mount.parts.limits.bodyBytesMax })
  if (path === null || !mount.serve(entry, path + search)) mount.notFound(entry)
  return entry.response
}

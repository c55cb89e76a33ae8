import type { IncomingMessage, ServerResponse } from "node:http"
import { behind, type Mount, pathAndQuery, refuseBadPrefix } from "./mount.ts"
import { NodeEntry } from "./node-entry.ts"

/** Where an application is mounted, and whose 404 it is. */
export interface HandlerOptions {
  /** What stands before our own addresses in `request.url`: `"/api"`. What Express has cut off itself is not repeated here. Default: nothing. */
  readonly prefix?: string
  /** Who answers an address behind the prefix that is none of ours: the host's `next` (default), or we, with the 404 of a problem. */
  readonly notFound?: "host" | "own"
}

/** A handler of `node:http`, Express, Connect and their kind. Without `next`, what is not ours is answered with 404. */
export type NodeHandler = (request: IncomingMessage, response: ServerResponse, next?: (error?: unknown) => void) => void

/** The request as Express hands it on. */
type HostRequest = IncomingMessage & { readonly baseUrl?: string }

/** @throws {TrestleError} `START_REFUSED` for a prefix that could never be found. */
export function nodeHandler(mount: Mount, { prefix = "", notFound = "host" }: HandlerOptions): NodeHandler {
  refuseBadPrefix(mount.parts.name, prefix)
  const { bodyBytesMax } = mount.parts.limits
  return (request: HostRequest, response, next) => {
    const entry = new NodeEntry(request, response, bodyBytesMax)
    const target = behind(prefix, pathAndQuery(request.url!))
    entry.host = request
    entry.prefix = (request.baseUrl ?? "") + prefix
    if (target !== null) {
      entry.url = target
      if (mount.serve(entry, target)) return
    }
    if (next && (notFound === "host" || target === null)) next()
    else mount.notFound(entry)
  }
}

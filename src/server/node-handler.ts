import type { IncomingMessage, ServerResponse } from "node:http"
import { behind, type Mount, pathAndQuery } from "./mount.ts"
import { NodeEntry } from "./node-entry.ts"

export interface HandlerOptions {
  /** What stands before our own addresses in `request.url`: `"/api"`. What Express has cut off itself is not repeated here. Default: nothing. */
  readonly prefix?: string
}

/** A handler of `node:http`, Express, Connect and their kind. Without `next`, what is not ours is answered with 404. */
export type NodeHandler = (request: IncomingMessage, response: ServerResponse, next?: (error?: unknown) => void) => void

/** The request as Express hands it on. */
type HostRequest = IncomingMessage & { readonly baseUrl?: string }

export function nodeHandler(mount: Mount, { prefix = "" }: HandlerOptions): NodeHandler {
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
    if (next) next()
    else mount.notFound(entry)
  }
}

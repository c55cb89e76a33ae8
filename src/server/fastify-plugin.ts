import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify"
import { FastifyEntry } from "./fastify-entry.ts"
import { type Mount, pathAndQuery } from "./mount.ts"
import { refuse } from "./refuse.ts"
import { frameworkRefusal, parseNothing } from "./standalone.ts"

/** What is used of the host's Fastify, whichever copy of its package it comes from. */
export interface HostFastify {
  readonly prefix: string
  addHook(name: "onClose", hook: () => Promise<void>): unknown
}

/** How an application behaves in a Fastify of yours. */
export interface PluginOptions {
  /** Closes the application with the host. Default `true`; `false` where it lives longer than the host, or in several of them. */
  readonly close?: boolean
  /** Who answers an address behind the prefix that is none of ours: the host (default), or we, with the 404 of a problem. */
  readonly notFound?: "host" | "own"
}

/**
 * Puts every address into the host's router, in a scope of its own: the host's parsers and its error handler stay outside, its hooks run.
 * The address is read once more by our router, for the host's may be told to read it otherwise.
 */
export async function addToFastify(scope: FastifyInstance, mount: Mount, notFound: PluginOptions["notFound"] = "host"): Promise<void> {
  const { parts } = mount
  const { bodyBytesMax } = parts.limits
  // Fastify takes "/api/" for "/api", and "/" for none.
  const segments = scope.prefix.replace(/\/$/, "").split("/").length - 1
  const entryOf = (request: FastifyRequest, reply: FastifyReply): FastifyEntry => {
    const entry = new FastifyEntry(request, reply, bodyBytesMax)
    const { prefix, target } = split(pathAndQuery(request.url), segments)
    entry.host = request
    entry.prefix = prefix
    entry.url = target
    return entry
  }
  parseNothing(scope)
  scope.setErrorHandler<FastifyError>((error, request, reply) => {
    // What the host's hooks throw is for the host to answer.
    if (error.code !== "FST_ERR_CTP_INVALID_MEDIA_TYPE") throw error
    refuse(parts, entryOf(request, reply), frameworkRefusal(error))
  })
  if (notFound === "own") scope.setNotFoundHandler((request, reply) => mount.notFound(entryOf(request, reply)))
  const handler = (request: FastifyRequest, reply: FastifyReply): void => {
    const entry = entryOf(request, reply)
    if (!mount.serve(entry, entry.url)) mount.notFound(entry)
  }
  for (const { methods, url } of mount.addresses) {
    scope.route({ method: [...methods], url, exposeHeadRoute: false, handler })
  }
  if (!parts.pages) return
  const { addPages } = await import("./pages.ts")
  await addPages(scope, parts.pages, (url) => split(pathAndQuery(url), segments).target)
}

/** By the number of segments, for a prefix may have parameters: `/:tenant/api`. */
function split(target: string, segments: number): { prefix: string; target: string } {
  const [path] = target.split(/[?#]/, 1) as [string]
  let end = 0
  for (let i = 0; i < segments && end !== -1; i++) end = path.indexOf("/", end + 1)
  if (end === -1) return { prefix: path, target: `/${target.slice(path.length)}` }
  return { prefix: path.slice(0, end), target: target.slice(end) }
}

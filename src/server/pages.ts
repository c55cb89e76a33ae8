import { readdir } from "node:fs/promises"
import type { IncomingMessage } from "node:http"
import { join, relative, sep } from "node:path"
import { fileURLToPath } from "node:url"
import type { SendOptions, SendResult } from "@fastify/send"
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify"
import { UNKNOWN_TYPE } from "../contract/file-body.ts"
import { type Pages, pagesOptions } from "../contract/pages.ts"
import { pathAndQuery } from "./mount.ts"
import { PAGE_FIELDS } from "./page-fields.ts"

/**
 * Serves a folder of static pages.
 *
 * Every other address comes first, whatever the folder holds: pages are under the one wildcard of the router. Files and folders whose
 * names begin with a dot are not there, nor is anything outside the folder; no folder is listed. No dot segment, double slash or escaped
 * slash leads to a page: whoever guards one address of it would not know of the others.
 *
 * @param targetOf A request's path and query behind the prefix of `app`.
 */
export async function addPages(app: FastifyInstance, pages: Pages, targetOf: (url: string) => string): Promise<void> {
  const { folder, policy } = pagesOptions(pages)
  const find = await finderIn(fileURLToPath(folder))
  const fields = { ...PAGE_FIELDS, "content-security-policy": policy }
  const handler = async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    const path = pathIn(targetOf(request.url))
    const found = path === null ? null : await find(request.raw, path)
    if (found === null) return reply.callNotFound()
    const { type, statusCode, headers } = found
    if (type === "file") return reply.code(statusCode).headers(typed(statusCode, headers)).headers(fields).send(found.stream)
    // "/help" leads to "/help/", which is help/index.html.
    if (type === "directory") return reply.redirect(withLastSlash(request.url), 301)
    // What may not be read is not there. A condition or a range that does not hold keeps its own status.
    if (statusCode === 412 || statusCode === 416) return reply.code(statusCode).headers(fields).send()
    if (statusCode < 500) return reply.callNotFound()
    throw found.metadata.error
  }
  app.route({ method: ["GET", "HEAD"], url: "/*", exposeHeadRoute: false, handler, errorHandler: endGivenUp })
}

function typed(statusCode: number, headers: Record<string, string>): Record<string, string> {
  return statusCode === 304 ? headers : { "Content-Type": UNKNOWN_TYPE, ...headers }
}

/** Nobody waits for it any more. */
function endGivenUp(error: FastifyError, request: FastifyRequest): void {
  if (error.code !== "ERR_STREAM_PREMATURE_CLOSE") throw error
  request.raw.destroy()
}

type Find = (request: IncomingMessage, path: string) => Promise<SendResult | null>

/** What the folder has at a path; `null` where that is there under another spelling only. */
async function finderIn(root: string): Promise<Find> {
  const { send } = await import("@fastify/send")
  const options: SendOptions = {
    root,
    dotfiles: "ignore",
    // "/recruiter" is recruiter.html.
    extensions: ["html"],
    cacheControl: false,
    onFile: (path) => refuseMisspelt(root, path),
  }
  return async (request, path) => {
    try {
      const found = await send(request, path, options)
      if (found.type === "directory") await refuseMisspelt(root, found.metadata.path)
      return found
    } catch (error) {
      if (error instanceof Misspelt) return null
      throw error
    }
  }
}

class Misspelt extends Error {}

/** File systems that ignore case, or know short names, would find files under names that the folder does not show. */
async function refuseMisspelt(root: string, path: string): Promise<void> {
  let parent = root
  for (const name of relative(root, path).split(sep)) {
    const names: readonly string[] = await readdir(parent).catch(() => [])
    if (!names.includes(name)) throw new Misspelt()
    parent = join(parent, name)
  }
}

/** The path of a target, as it is asked for in the folder; `null` for one that could be spelt more simply. */
function pathIn(target: string): string | null {
  const [path = ""] = target.split("?", 1)
  try {
    const names = path.split("/").slice(1).map(decodeURIComponent)
    const isPlain = names.every((name, i) => !/^\.{1,2}$|[/\\]/.test(name) && (name !== "" || i === names.length - 1))
    return isPlain ? `/${names.map(encodeURIComponent).join("/")}` : null
  } catch {
    return null
  }
}

/** The same address with a slash at its end, and never one of another host, as `//host` and `/\host` would be. */
function withLastSlash(url: string): string {
  const { pathname, search } = new URL(pathAndQuery(url).replace(/^[/\\]+/, "/"), "http://localhost")
  return `${pathname}/${search}`
}

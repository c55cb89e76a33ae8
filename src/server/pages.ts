import { fileURLToPath } from "node:url"
import type { FastifyError, FastifyInstance } from "fastify"
import { type Pages, pagesOptions } from "../contract/pages.ts"
import { readClientModules } from "./client-modules.ts"

/** Of pages and of the client alike. */
const FIELDS = {
  "cache-control": "no-cache",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
}

/**
 * Serves a folder of static pages, and the client for them at `/rpc/client.js`.
 *
 * An operation's route always comes first, whatever the folder holds: pages are under the one wildcard of the router. Files and folders
 * whose names begin with a dot are not there, nor is anything outside the folder; no folder is listed.
 */
export async function addPages(app: FastifyInstance, pages: Pages): Promise<void> {
  const { default: serveFiles } = await import("@fastify/static")
  const { folder, policy } = pagesOptions(pages)
  const fields = { ...FIELDS, "content-security-policy": policy }
  await addClient(app)
  app.register(async (scope) => {
    scope.setErrorHandler<FastifyError>((error, _request, reply) => {
      const { statusCode = 500 } = error
      // What may not be read is not there. A condition or a range that does not hold keeps its own status.
      if (statusCode === 412 || statusCode === 416) return reply.code(statusCode).headers(fields).send()
      if (statusCode < 500) return reply.callNotFound()
      throw error
    })
    await scope.register(serveFiles, {
      root: fileURLToPath(folder),
      decorateReply: false,
      dotfiles: "ignore",
      // "/recruiter" is recruiter.html, "/help" leads to "/help/", which is help/index.html.
      extensions: ["html"],
      redirect: true,
      cacheControl: false,
      setHeaders: (reply) => reply.headers(fields),
    })
  })
}

/** Beside what it calls, so that a proxy or a prefix that lets calls through lets the client through. */
async function addClient(app: FastifyInstance): Promise<void> {
  const modules = await readClientModules()
  // Otherwise a browser would find them one after the other.
  const link = modules.map(({ name }) => `</rpc/${name}>; rel=modulepreload`).join(", ")
  for (const { name, text, tag } of modules) {
    app.get(`/rpc/${name}`, (request, reply) => {
      reply.headers({ ...FIELDS, etag: tag, ...(name === "client.js" ? { link } : {}) })
      if (request.headers["if-none-match"]?.includes(tag)) reply.code(304).send()
      else reply.header("content-type", "text/javascript; charset=utf-8").send(text)
    })
  }
}

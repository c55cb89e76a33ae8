import { fileURLToPath } from "node:url"
import type { FastifyError, FastifyInstance } from "fastify"
import { type Pages, pagesOptions } from "../contract/pages.ts"
import { PAGE_FIELDS } from "./page-fields.ts"

/**
 * Serves a folder of static pages.
 *
 * Every other address comes first, whatever the folder holds: pages are under the one wildcard of the router. Files and folders whose
 * names begin with a dot are not there, nor is anything outside the folder; no folder is listed.
 */
export async function addPages(app: FastifyInstance, pages: Pages): Promise<void> {
  const { default: serveFiles } = await import("@fastify/static")
  const { folder, policy } = pagesOptions(pages)
  const fields = { ...PAGE_FIELDS, "content-security-policy": policy }
  await app.register(async (scope) => {
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

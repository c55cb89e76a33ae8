import { Readable } from "node:stream"
import type { FastifyInstance, InjectOptions } from "fastify"

/** Answers a `Request` without a port: the same routes, the same stages, the same problems. */
export async function fetchThrough(app: FastifyInstance, request: Request): Promise<Response> {
  const url = new URL(request.url)
  const headers: Record<string, string> = Object.fromEntries(request.headers)
  if (request.body && headers["content-length"] === undefined) headers["transfer-encoding"] = "chunked"
  const answer = await app.inject({
    method: request.method as NonNullable<InjectOptions["method"]>,
    url: url.pathname + url.search,
    headers: { host: url.host, ...headers },
    ...(request.body ? { payload: Readable.fromWeb(request.body as never) } : {}),
  })
  const hasBody = answer.statusCode !== 204 && answer.statusCode !== 304 && request.method !== "HEAD"
  return new Response(hasBody ? new Uint8Array(answer.rawPayload) : null, {
    status: answer.statusCode,
    headers: responseHeaders(answer.headers),
  })
}

function responseHeaders(fields: Readonly<Record<string, number | string | string[] | undefined>>): Headers {
  const headers = new Headers()
  for (const [name, value] of Object.entries(fields)) {
    for (const item of Array.isArray(value) ? value : [value]) if (item !== undefined) headers.append(name, String(item))
  }
  return headers
}

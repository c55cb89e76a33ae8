import type { FastifyInstance, FastifyReply } from "fastify"
import { failWith, invalid, TrestleError } from "../errors/trestle-error.ts"
import { FastifyEntry } from "./fastify-entry.ts"
import { addressesOf, type HttpParts, PARAM_LENGTH_MAX } from "./http.ts"
import { answerMalformed } from "./malformed.ts"
import { pathAndQuery } from "./mount.ts"
import { notInvited } from "./node-entry.ts"
import { note, refuse } from "./refuse.ts"
import { serverSettings } from "./server-settings.ts"

/** Our own server. */
export async function createHttp(parts: HttpParts): Promise<FastifyInstance> {
  const { fastify } = await import("fastify")
  const { requestTimeout, ...http } = serverSettings
  const answer = (reply: FastifyReply, error: TrestleError): void => {
    refuse(parts, new FastifyEntry(reply.request, reply, parts.limits.bodyBytesMax), error)
  }
  const app = fastify({
    logger: false,
    requestIdHeader: false,
    forceCloseConnections: "idle",
    // Whoever still has a connection is answered; leaving is said with the answer before.
    return503OnClosing: false,
    requestTimeout: Math.max(requestTimeout, ...uploadTimesOf(parts)),
    routerOptions: { maxParamLength: PARAM_LENGTH_MAX, caseSensitive: true },
    http,
    clientErrorHandler: (error, socket) => answerMalformed(error, socket, (refusal) => note(parts, refusal, undefined)),
    frameworkErrors: (error, _request, reply) => answer(reply as FastifyReply, frameworkRefusal(error)),
  })
  // Whether a body is wanted is for the stages to say: the invitation is sent when it is read.
  for (const event of ["checkContinue", "checkExpectation"] as const)
    app.server.on(event, (request, response) => {
      notInvited(request)
      app.server.emit("request", request, response)
    })
  app.setNotFoundHandler((_request, reply) => answer(reply, failWith("NOT_FOUND")))
  app.setErrorHandler((error, _request, reply) => answer(reply, frameworkRefusal(error)))
  parseNothing(app)
  const { bodyBytesMax } = parts.limits
  for (const { methods, url, serve } of addressesOf(parts)) {
    app.route({
      method: [...methods],
      url,
      exposeHeadRoute: false,
      handler: (request, reply) => serve(new FastifyEntry(request, reply, bodyBytesMax)),
    })
  }
  if (parts.pages) await (await import("./pages.ts")).addPages(app, parts.pages, pathAndQuery)
  return app
}

/** A file may take as long as its operation; a sender that stops is found by the reading. */
function uploadTimesOf({ engine }: HttpParts): number[] {
  return [...engine.all()].flatMap(({ operation: { input, deadlineMs } }) => (input.file ? [deadlineMs] : []))
}

/** Nothing is parsed before the stages say so. */
export function parseNothing(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser("*", (_request, _payload, done) => done(null))
}

/** Fastify refuses a few requests before they reach us; all else it throws is a mistake of ours. */
export function frameworkRefusal(cause: unknown): TrestleError {
  switch ((cause as { code?: string } | null)?.code) {
    case "FST_ERR_BAD_URL":
      return invalid([], "The address is not well-formed.")
    case "FST_ERR_MAX_PARAM_LENGTH":
      return failWith("NOT_FOUND")
    case "FST_ERR_CTP_INVALID_MEDIA_TYPE":
      return failWith("UNSUPPORTED_MEDIA_TYPE")
    default:
      return new TrestleError("INTERNAL", undefined, { cause })
  }
}

import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify"
import type { Random } from "../base/random.ts"
import type { Verb } from "../contract/op.ts"
import type { Pages } from "../contract/pages.ts"
import type { CallRecord } from "../contract/ports.ts"
import { failWith, invalid, TrestleError } from "../errors/trestle-error.ts"
import { type Call, CallStart } from "../runtime/call.ts"
import type { Compiled, Engine } from "../runtime/engine.ts"
import { formerPaths } from "../runtime/retiring.ts"
import { docsPage } from "./docs-page.ts"
import { FastifyEntry } from "./entry.ts"
import type { HttpLimits } from "./http-stages.ts"
import { answerMalformed } from "./malformed.ts"
import { type MaySeeMeta, respond, sendProblem } from "./respond.ts"
import { announcementOf } from "./retiring.ts"

export interface Readiness {
  readonly isReady: boolean
  readonly services: Readonly<Record<string, string>>
}

export interface HttpParts {
  readonly name: string
  readonly engine: Engine
  readonly limits: HttpLimits
  readonly maySeeMeta: MaySeeMeta
  readonly random: Random
  readonly readiness: () => Promise<Readiness>
  /** The application is closing: each answer ends its connection. */
  readonly isLeaving: () => boolean
  /** The OpenAPI document, made once. */
  readonly document: () => object
  readonly record: (record: CallRecord) => void
  /** A client still uses a path that the operation once had; said once for each, for every client of that age will do it again. */
  readonly calledByFormerPath: (former: string, present: string) => void
  readonly pages: Pages | null
}

const VERBS: readonly Verb[] = ["GET", "POST", "PUT", "PATCH", "DELETE"]

/** A slow head and a slow body each end within 15 s. */
const HEADERS_TIMEOUT_MS = 8_000
const REQUEST_TIMEOUT_MS = 10_000
const CHECK_INTERVAL_MS = 2_500
const HEADER_BYTES_MAX = 16_384
const PARAM_LENGTH_MAX = 512

/** The HTTP entrance: one route an operation, its rpc twin, the documents and the health probes. Fastify routes; the stages decide. */
export async function createHttp(parts: HttpParts): Promise<FastifyInstance> {
  const { fastify } = await import("fastify")
  const app = fastify({
    logger: false,
    requestIdHeader: false,
    forceCloseConnections: "idle",
    // Whoever still has a connection is answered; leaving is said with the answer before.
    return503OnClosing: false,
    requestTimeout: REQUEST_TIMEOUT_MS,
    routerOptions: { maxParamLength: PARAM_LENGTH_MAX, caseSensitive: true },
    http: {
      headersTimeout: HEADERS_TIMEOUT_MS,
      connectionsCheckingInterval: CHECK_INTERVAL_MS,
      maxHeaderSize: HEADER_BYTES_MAX,
      // Of two credentials none counts; without this the first would, and a proxy may have looked at the last.
      joinDuplicateHeaders: true,
    },
    clientErrorHandler: (error, socket) => answerMalformed(error, socket, (refusal) => note(parts, refusal, undefined)),
    frameworkErrors: (error, request, reply) => refuse(parts, request, reply as FastifyReply, frameworkRefusal(error)),
  })
  // Whether a body is wanted is for the stages to say: the invitation is sent when it is read.
  for (const event of ["checkContinue", "checkExpectation"] as const)
    app.server.on(event, (request, response) => app.server.emit("request", request, response))
  // Nothing is parsed before the stages say so.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser("*", (_request, _payload, done) => done(null))
  app.setNotFoundHandler((request, reply) => refuse(parts, request, reply, failWith("NOT_FOUND")))
  app.setErrorHandler((error, request, reply) => refuse(parts, request, reply, frameworkRefusal(error)))
  addOperations(app, parts)
  addRpc(app, parts)
  addOwnPages(app, parts)
  if (parts.pages) await (await import("./pages.ts")).addPages(app, parts.pages)
  return app
}

/** Fastify refuses a few requests before they reach us; all else it throws is a mistake of ours. */
function frameworkRefusal(cause: unknown): TrestleError {
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

function addOperations(app: FastifyInstance, parts: HttpParts): void {
  const verbsByUrl = new Map<string, Set<Verb>>()
  for (const compiled of parts.engine.all()) {
    const { route } = compiled.operation
    if (!route) continue
    const url = route.pattern.replace(/\{(\w+)\}/g, ":$1")
    const shape = url.replace(/:\w+/g, ":")
    if (!verbsByUrl.has(shape)) verbsByUrl.set(shape, new Set())
    verbsByUrl.get(shape)!.add(route.verb)
    app.route({ method: route.verb, url, handler: admission(parts, compiled, "http") })
  }
  for (const [shape, verbs] of verbsByUrl)
    addNotAllowed(
      app,
      parts,
      shape.replace(/:/g, () => ":any"),
      verbs,
    )
}

/** 405 with `Allow` for the other methods of an address. Source: RFC 9110, section 15.5.6. */
function addNotAllowed(app: FastifyInstance, parts: HttpParts, url: string, verbs: ReadonlySet<Verb>): void {
  let count = 0
  const unique = url.replace(/:any/g, () => `:any${count++}`)
  const allow = [...verbs, ...(verbs.has("GET") ? ["HEAD"] : [])].join(", ")
  const others = [...VERBS.filter((verb) => !verbs.has(verb)), "OPTIONS", ...(verbs.has("GET") ? [] : ["HEAD"])]
  app.route({
    method: others,
    url: unique,
    handler: (request, reply) => refuse(parts, request, reply, failWith("METHOD_NOT_ALLOWED"), { allow }),
  })
}

function addRpc(app: FastifyInstance, parts: HttpParts): void {
  app.post("/rpc/:path", (request, reply) => {
    const compiled = parts.engine.find((request.params as { path: string }).path)
    // An internal operation looks from outside like one that is not there.
    if (compiled?.operation.route) admit(parts, compiled, "rpc", request, reply)
    else refuse(parts, request, reply, failWith("NOT_FOUND"))
  })
  addNotAllowed(app, parts, "/rpc/:any", new Set(["POST"]))
  for (const compiled of parts.engine.all()) addSpecialRpc(app, parts, compiled)
}

/** Addresses of their own for operations on their way out, and for the paths that operations once had; the router prefers these. */
function addSpecialRpc(app: FastifyInstance, parts: HttpParts, compiled: Compiled): void {
  const { operation } = compiled
  if (!operation.route) return
  const handler = admission(parts, compiled, "rpc")
  if (operation.retiring) app.post(`/rpc/${operation.path}`, handler)
  for (const former of formerPaths(operation)) {
    let isSaid = false
    app.post(`/rpc/${former}`, (request, reply) => {
      if (!isSaid) parts.calledByFormerPath(former, operation.path)
      isSaid = true
      handler(request, reply)
    })
  }
}

type Handler = (request: FastifyRequest, reply: FastifyReply) => void

/** Decided once: an operation that is not on its way out pays nothing for those that are. */
function admission(parts: HttpParts, compiled: Compiled, kind: "http" | "rpc"): Handler {
  const announce = announcementOf(compiled.operation, parts.engine.clock.epoch())
  if (!announce) return (request, reply) => admit(parts, compiled, kind, request, reply)
  return (request, reply) => {
    announce(reply.raw)
    admit(parts, compiled, kind, request, reply)
  }
}

/** Where a request becomes a call. */
function admit(parts: HttpParts, compiled: Compiled, kind: "http" | "rpc", request: FastifyRequest, reply: FastifyReply): void {
  const { operation } = compiled
  const { headers } = request
  const status = kind === "rpc" && !operation.isSilent ? 200 : operation.status
  const start = new CallStart(kind, null)
  start.entry = new FastifyEntry(request, reply.raw, kind, parts.limits.bodyBytesMax)
  start.trace = traceOf(headers.traceparent)
  start.idempotencyKey = keyOf(headers["idempotency-key"])
  start.ifMatch = headers["if-match"]
  const call = parts.engine.start(compiled, start, (ended) => {
    if (parts.isLeaving()) reply.raw.setHeader("connection", "close")
    respond(ended, status, reply, parts.maySeeMeta)
  })
  if (call.isSettled || operation.effect === "write") return
  // Nobody waits for the answer any more. A write goes on: half of it may already be done.
  reply.raw.once("close", () => giveUp(call, reply))
}

function giveUp(call: Call, reply: FastifyReply): void {
  if (!reply.raw.writableFinished) call.stop(new TrestleError("CANCELLED", undefined, { note: "the client closed the connection" }))
}

/** The trace id of a `traceparent`, if it is one. Source: W3C Trace Context, version 00. */
function traceOf(field: string | string[] | undefined): string | undefined {
  if (typeof field !== "string") return undefined
  const match = /^(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?$/.exec(field)
  return match && !/^0+$/.test(match[1]!) ? match[1] : undefined
}

function keyOf(field: string | string[] | undefined): string | undefined {
  return typeof field === "string" && field.length >= 1 && field.length <= 255 ? field : undefined
}

/** Ends a request that never became a call; it is recorded all the same. */
function refuse(
  parts: HttpParts,
  request: FastifyRequest,
  reply: FastifyReply,
  error: TrestleError,
  more?: Readonly<Record<string, string>>,
): void {
  note(parts, error, traceOf(request.headers.traceparent))
  sendProblem(error, reply, error.trace, more)
}

function note(parts: HttpParts, error: TrestleError, given: string | undefined): void {
  const trace = given ?? parts.random.hex(16)
  error.trace = trace
  const { clock } = parts.engine
  const meta = { servedBy: "", attempts: 0, ms: 0, degraded: false, trace } as const
  parts.record({ operation: "-", entrance: "http", principal: null, meta, epoch: clock.epoch(), error, status: error.status, route: null })
}

function addOwnPages(app: FastifyInstance, parts: HttpParts): void {
  app.get("/health/live", (_request, reply) => {
    reply.header("cache-control", "no-store").send({ status: "live" })
  })
  app.get("/health/ready", async (_request, reply) => {
    const { isReady, services } = await parts.readiness()
    return reply
      .code(isReady ? 200 : 503)
      .header("cache-control", "no-store")
      .send({ status: isReady ? "ready" : "not ready", services })
  })
  let document: string | undefined
  app.get("/openapi.json", (_request, reply) => {
    document ??= JSON.stringify(parts.document(), null, 2)
    reply
      .headers({ "content-type": "application/json; charset=utf-8", "cache-control": "no-cache", "x-content-type-options": "nosniff" })
      .send(document)
  })
  app.get("/docs", (_request, reply) => {
    const nonce = parts.random.hex(16)
    const policy = `default-src 'none'; style-src 'nonce-${nonce}'; script-src 'nonce-${nonce}'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`
    const headers = {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": policy,
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
    }
    reply.headers({ ...headers, "cache-control": "no-store" }).send(docsPage({ name: parts.name, openapiUrl: "/openapi.json", nonce }))
  })
}

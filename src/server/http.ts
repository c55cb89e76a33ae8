import type { Random } from "../base/random.ts"
import { deadlineIn } from "../contract/deadline-field.ts"
import type { KeptWork } from "../contract/kept-work.ts"
import type { Verb } from "../contract/op.ts"
import type { Pages } from "../contract/pages.ts"
import type { CallRecord } from "../contract/ports.ts"
import type { RequestHead } from "../contract/principal.ts"
import type { ServiceStatus } from "../contract/service.ts"
import { failWith } from "../errors/trestle-error.ts"
import { CallStart } from "../runtime/call-start.ts"
import type { Compiled, Engine } from "../runtime/engine.ts"
import { formerPaths } from "../runtime/retiring.ts"
import { clientAddresses } from "./client-modules.ts"
import { GET, type HttpEntry } from "./entry.ts"
import type { HttpLimits } from "./http-stages.ts"
import { keyIn, REPLAYED_HEADER } from "./idempotency-key.ts"
import { ownPages } from "./own-pages.ts"
import { waitOf } from "./prefer.ts"
import { refuse, traceOf } from "./refuse.ts"
import { type MaySeeMeta, respond } from "./respond.ts"
import { announcementOf } from "./retiring.ts"
import { type WorkBook, workAddresses } from "./work.ts"

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
  /** How the application stands with each of its services, for those who may see it. */
  readonly services: () => readonly ServiceStatus[]
  /** `null`: a store did not answer; nothing where nothing outlives its call. */
  readonly keptWork: () => Promise<KeptWork | null | undefined>
  readonly maySeeInside: (head: RequestHead) => Promise<boolean>
  /** The application is closing: each answer ends its connection. */
  readonly isLeaving: () => boolean
  /** The OpenAPI document, as callers see it who find the application behind that prefix. */
  readonly document: (prefix: string) => object
  readonly record: (record: CallRecord) => void
  /** A client still uses a path that the operation once had; said once for each, for every client of that age will do it again. */
  readonly calledByFormerPath: (former: string, present: string) => void
  readonly pages: Pages | null
  /** `null`: no operation of the application leaves work behind. */
  readonly work: WorkBook | null
}

/** One address: what answers there. Every server, ours or a host's, serves the same list of them. */
export interface Served {
  readonly methods: readonly string[]
  /** `/users/:id`. */
  readonly url: string
  readonly serve: (entry: HttpEntry) => void
  /** Runs an operation; the other addresses still answer when the application is closing. */
  readonly isCall: boolean
}

const VERBS: readonly Verb[] = ["GET", "POST", "PUT", "PATCH", "DELETE"]

/** A parameter of a path has at most so many characters. */
export const PARAM_LENGTH_MAX = 512

/** The HTTP entrance: one route an operation, its rpc twin, the documents and the health probes. A router finds; the stages decide. */
export function addressesOf(parts: HttpParts): Served[] {
  return [...operationsOf(parts), ...rpcOf(parts), ...ownPages(parts), ...workAddresses(parts), ...(parts.pages ? clientAddresses() : [])]
}

function* operationsOf(parts: HttpParts): Iterable<Served> {
  const verbsByUrl = new Map<string, Set<Verb>>()
  for (const compiled of parts.engine.all()) {
    const { route } = compiled.operation
    if (!route) continue
    const url = route.pattern.replace(/\{(\w+)\}/g, ":$1")
    const shape = url.replace(/:\w+/g, ":")
    if (!verbsByUrl.has(shape)) verbsByUrl.set(shape, new Set())
    verbsByUrl.get(shape)!.add(route.verb)
    yield { methods: route.verb === "GET" ? GET : [route.verb], url, serve: admission(parts, compiled, "http"), isCall: true }
  }
  for (const [shape, verbs] of verbsByUrl) yield notAllowed(parts, shape, verbs)
}

/** 405 with `Allow` for the other methods of an address. Source: RFC 9110, section 15.5.6. */
function notAllowed(parts: HttpParts, shape: string, verbs: ReadonlySet<Verb>): Served {
  let count = 0
  const url = shape.replace(/:/g, () => `:any${count++}`)
  const allow = [...verbs, ...(verbs.has("GET") ? ["HEAD"] : [])].join(", ")
  const methods = ["OPTIONS", ...VERBS.filter((verb) => !verbs.has(verb)).flatMap((verb) => (verb === "GET" ? GET : [verb]))]
  return { methods, url, serve: (entry) => refuse(parts, entry, failWith("METHOD_NOT_ALLOWED"), { allow }), isCall: false }
}

function* rpcOf(parts: HttpParts): Iterable<Served> {
  const serve = (entry: HttpEntry): void => {
    const compiled = parts.engine.find(entry.params.path!)
    // An internal operation looks from outside like one that is not there.
    if (compiled?.operation.route) admit(parts, compiled, "rpc", entry)
    else refuse(parts, entry, failWith("NOT_FOUND"))
  }
  yield { methods: ["POST"], url: "/rpc/:path", serve, isCall: true }
  yield notAllowed(parts, "/rpc/:", new Set<Verb>(["POST"]))
  for (const compiled of parts.engine.all()) yield* specialRpc(parts, compiled)
}

/** Addresses of their own for operations on their way out, and for the paths that operations once had; the router prefers these. */
function* specialRpc(parts: HttpParts, compiled: Compiled): Iterable<Served> {
  const { operation } = compiled
  if (!operation.route) return
  const rpc = { methods: ["POST"], isCall: true } as const
  const serve = admission(parts, compiled, "rpc")
  if (operation.retiring) yield { ...rpc, url: `/rpc/${operation.path}`, serve }
  for (const former of formerPaths(operation)) {
    let isSaid = false
    const serveFormer = (entry: HttpEntry): void => {
      if (!isSaid) parts.calledByFormerPath(former, operation.path)
      isSaid = true
      serve(entry)
    }
    yield { ...rpc, url: `/rpc/${former}`, serve: serveFormer }
  }
}

/** Decided once: an operation that is not on its way out pays nothing for those that are. */
function admission(parts: HttpParts, compiled: Compiled, kind: "http" | "rpc"): Served["serve"] {
  const announce = announcementOf(compiled.operation, parts.engine.clock.epoch())
  if (!announce) return (entry) => admit(parts, compiled, kind, entry)
  return (entry) => {
    announce(entry)
    admit(parts, compiled, kind, entry)
  }
}

/** Where a request becomes a call. */
function admit(parts: HttpParts, compiled: Compiled, kind: "http" | "rpc", entry: HttpEntry): void {
  const { operation } = compiled
  const { headers } = entry.head
  const status = kind === "rpc" && !operation.isSilent ? 200 : operation.status
  entry.kind = kind
  const start = new CallStart(kind, null)
  start.entry = entry
  start.trace = traceOf(headers)
  const key = headers["idempotency-key"]
  start.idempotencyKey = operation.repeat === "key" ? (keyIn(key) ?? undefined) : keyOf(key)
  start.ifMatch = headers["if-match"]
  start.patienceMs = waitOf(headers.prefer)
  const { callerDeadline } = parts.limits
  if (callerDeadline !== undefined) start.deadlineMs = deadlineIn(callerDeadline, headers[callerDeadline.header])
  const call = parts.engine.start(compiled, start, (ended) => {
    if (parts.isLeaving()) entry.setHeader("connection", "close")
    if (ended.isReplayed) entry.setHeader(REPLAYED_HEADER, "true")
    respond(ended, status, entry, parts.maySeeMeta)
  })
  // A write goes on without anybody waiting for its answer: half of it may already be done.
  if (!call.isSettled && operation.effect === "read") entry.stopWhenGone(call)
}

/** Handed on to services that take one, and nothing else here. */
function keyOf(field: string | undefined): string | undefined {
  return field !== undefined && field.length >= 1 && field.length <= 255 ? field : undefined
}

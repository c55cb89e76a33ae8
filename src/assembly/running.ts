import type { AddressInfo } from "node:net"
import type { FastifyInstance } from "fastify"
import { listeningUrl } from "../base/listening-url.ts"
import type { Random } from "../base/random.ts"
import type { Meta } from "../contract/call.ts"
import type { Callers, Remote } from "../contract/caller.ts"
import type { Operation } from "../contract/operation.ts"
import type { Principal } from "../contract/principal.ts"
import type { HasService, ServiceStatus } from "../contract/service.ts"
import type { Topic } from "../contract/topic.ts"
import type { Shedder } from "../policies/shed.ts"
import { type CallerOf, compileCallers } from "../runtime/callers.ts"
import type { Engine } from "../runtime/engine.ts"
import type { EvidenceBook } from "../runtime/evidence.ts"
import { type OperationStatus, statusOf } from "../runtime/status.ts"
import { addToFastify, type HostFastify, type PluginOptions } from "../server/fastify-plugin.ts"
import { type FetchHost, fetchThrough } from "../server/fetch.ts"
import type { HttpParts } from "../server/http.ts"
import type { HttpLimits } from "../server/http-stages.ts"
import { Mount } from "../server/mount.ts"
import { type HandlerOptions, type NodeHandler, nodeHandler } from "../server/node-handler.ts"
import type { WorkReport } from "../server/work.ts"
import type { Log } from "../telemetry/call-log.ts"
import type { Metrics } from "../telemetry/metrics.ts"
import type { Running, TrestleOptions } from "./definition.ts"
import { documentOf } from "./describe.ts"
import type { DurableParts } from "./durable.ts"
import type { Keepings } from "./keeping.ts"
import type { LiveEvidence } from "./live-evidence.ts"
import type { Services } from "./services.ts"

/** Calls under way get this long to finish when the application closes; all of it ends within 10 s. */
const DRAIN_MS_MAX = 7_000
/** Then the answers of those that were stopped, and what became of their jobs, get this long. */
const LAST_ANSWERS_MS = 100
const DEFAULT_PORT = 4000
const KINDS: readonly Principal["kind"][] = ["user", "key", "service", "system"]

export interface RunningParts<T> {
  readonly options: TrestleOptions<T & object>
  readonly engine: Engine
  readonly operations: readonly Operation[]
  readonly services: Services
  readonly keeping: Keepings
  /** `null` where nothing outlives its call. */
  readonly durable: DurableParts | null
  readonly log: Log
  readonly metrics: Metrics
  readonly random: Random
  readonly limits: HttpLimits
  readonly maySeeInside: HttpParts["maySeeInside"]
  readonly shedder: Shedder | null
  readonly maySeeMeta: HttpParts["maySeeMeta"]
  /** What was seen of the operations, as it is kept. */
  readonly evidence: () => EvidenceBook
  readonly live: LiveEvidence | null
}

export class RunningApp<T> implements Running<T> {
  readonly #parts: RunningParts<T>
  readonly #callers: (who: CallerOf) => unknown
  #http: Promise<FastifyInstance> | null = null
  #mount: Mount | null = null
  #closing: Promise<void> | null = null

  constructor(parts: RunningParts<T>) {
    this.#parts = parts
    this.#callers = compileCallers(parts.options.ops, parts.engine)
  }

  as(principal: Principal): Remote<T, Meta> {
    return this.#callers({ principal, isOwnAuthority: false }) as Remote<T, Meta>
  }

  internal(): Callers<T> {
    return this.#callers({ principal: null, isOwnAuthority: true }) as Callers<T>
  }

  /** A field, not a method: hosts take it away from its object, as in `hono.mount("/api", running.fetch)`. */
  readonly fetch = (request: Request, host?: FetchHost): Promise<Response> => fetchThrough(this.#openMount(), request, host)

  handler(options: HandlerOptions = {}): NodeHandler {
    return nodeHandler(this.#openMount(), options)
  }

  plugin({ close = true, notFound }: PluginOptions = {}): (host: HostFastify) => Promise<void> {
    return async (host) => {
      await addToFastify(host as FastifyInstance, this.#openMount(), notFound)
      if (close) host.addHook("onClose", () => this.close())
    }
  }

  async listen({ port = DEFAULT_PORT, host = "127.0.0.1" }: { port?: number; host?: string } = {}): Promise<{ url: string }> {
    const http = await this.#openHttp()
    await http.listen({ port, host })
    const url = listeningUrl(http.server.address() as AddressInfo)
    this.#parts.log.events.info("listening", { url })
    return { url }
  }

  status(): readonly OperationStatus[] {
    const { operations, evidence, live } = this.#parts
    const book = live ? live.over(evidence()) : evidence()
    return operations.map((operation) => statusOf(operation, book))
  }

  services(): readonly ServiceStatus[] {
    return this.#parts.services.status()
  }

  isolate(service: HasService): void {
    this.#parts.services.breakerOf(service).isolate()
  }

  release(service: HasService): void {
    this.#parts.services.breakerOf(service).release()
  }

  async publish<P, I>(topic: Topic<P, I>, payload: NoInfer<I>): Promise<void> {
    const { durable, random } = this.#parts
    const message = { id: random.hex(16), topic, payload, trace: random.hex(16), principal: null, isOwnAuthority: true }
    await durable?.site.publish(message)
  }

  async work(id: string): Promise<WorkReport | null> {
    return (await this.#parts.durable?.callersWork.look(id)) ?? null
  }

  async metrics(): Promise<string> {
    const { metrics, shedder, durable } = this.#parts
    const work = durable ? { work: await durable.figures.look() } : {}
    return metrics.text({ services: this.services(), shed: shedder?.refused ?? 0, ...work })
  }

  forget(principalId: string): void {
    for (const kind of KINDS) this.#parts.keeping.forget({ id: principalId, kind })
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    const { engine, services, keeping, durable, log } = this.#parts
    durable?.stop()
    const http = await this.#http
    const late = setTimeout(() => {
      const stuck = engine.underWay()
      const what = stuck.length === 0 ? "a store that does not answer" : `calls still under way: ${stuck.join(", ")}`
      log.events.warn(`closing with ${what}`, { stuck })
      engine.stopAll()
      setTimeout(() => {
        http?.server.closeAllConnections()
        durable?.giveUp()
      }, LAST_ANSWERS_MS)
    }, DRAIN_MS_MAX)
    if (http) {
      const { leave } = await import("../server/leave.ts")
      await leave(http.server)
      await http.close()
    }
    await engine.idle()
    await durable?.close()
    clearTimeout(late)
    await this.#parts.live?.close()
    keeping.close()
    await services.close()
    log.events.info("closed")
    await log.close()
  }

  #openHttp(): Promise<FastifyInstance> {
    this.#http ??= this.#createHttp()
    return this.#http
  }

  async #createHttp(): Promise<FastifyInstance> {
    // What ends it is loaded too: a request that comes while it is being loaded would not hear that its connection ends.
    const [{ createHttp }] = await Promise.all([import("../server/standalone.ts"), import("../server/leave.ts")])
    return createHttp(this.#httpParts())
  }

  #openMount(): Mount {
    this.#mount ??= new Mount(this.#httpParts())
    return this.#mount
  }

  #httpParts(): HttpParts {
    const { options, engine, operations, services, log, random, limits, maySeeMeta, maySeeInside } = this.#parts
    return {
      name: options.name,
      engine,
      limits,
      random,
      maySeeMeta,
      readiness: async () => {
        const [readiness, store] = await Promise.all([services.readiness(operations), this.#parts.durable?.state()])
        const known = store === undefined ? readiness.services : { ...readiness.services, store }
        return { services: known, isReady: readiness.isReady && (store === undefined || store === "up") && !this.#closing }
      },
      services: () => services.status(),
      keptWork: async () => this.#parts.durable?.figures.look(),
      maySeeInside,
      isLeaving: () => this.#closing !== null,
      document: (prefix) => documentOf(options, operations, prefix),
      record: (record) => log.recorder.record(record),
      calledByFormerPath: (former, present) =>
        log.events.warn(`deprecated path: a client calls ${former}, which is ${present} now`, { former, operation: present }),
      pages: options.pages ?? null,
      work: this.#parts.durable?.callersWork ?? null,
    }
  }
}

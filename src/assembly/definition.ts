import type { Sql } from "../connectors/sql/index.ts"
import type { Meta } from "../contract/call.ts"
import type { Callers, Remote } from "../contract/caller.ts"
import type { Finding } from "../contract/finding.ts"
import type { Pages } from "../contract/pages.ts"
import type { Defaults } from "../contract/policy.ts"
import type { Authenticator, Principal } from "../contract/principal.ts"
import type { HasService, ServiceStatus } from "../contract/service.ts"
import type { Topic } from "../contract/topic.ts"
import type { OperationStatus } from "../runtime/status.ts"
import type { HostFastify, PluginOptions } from "../server/fastify-plugin.ts"
import type { FetchHost } from "../server/fetch.ts"
import type { HandlerOptions, NodeHandler } from "../server/node-handler.ts"
import type { WorkReport } from "../server/work.ts"
import type { HostLogger } from "../telemetry/host-log.ts"

/** What an application consists of. */
export interface TrestleOptions<T extends object> {
  /** The application's name, for logs, documents and the banner. */
  name: string
  /** Every operation, in groups as you like; the path of its keys is an operation's name. */
  ops: T
  /** How callers prove who they are, in this order. Default: nobody can, so only operations for `anyone` can be reached from outside. */
  authenticate?: readonly Authenticator[]
  /** What each role may do: `{ recruiter: ["users:create"] }`. `"meta:read"` shows who served an answer. */
  permissions?: Readonly<Record<string, readonly string[]>>
  /** Policies, deadline and body limit for all that says nothing of its own. Default: the built-in ones of `Defaults`. */
  defaults?: Defaults
  /** Version of the API, in its document. Default `"0.0.0"`. */
  version?: string
  /**
   * A folder of static pages to serve beside the operations, with the typed client for them at `/rpc/client.js`:
   * `pages: new URL("./pages/", import.meta.url)`. Everybody can read everything in it. Default: none.
   */
  pages?: Pages
  /**
   * The database in which Trestle keeps its own tables: jobs, messages, what is done once for an idempotency key. One that several nodes
   * share lets them share the work. Default: `store.db` in the data folder, made when something of the application needs it.
   */
  store?: Sql
}

/** A declared application. Nothing is resolved, opened or read until it starts. */
export interface App<T> {
  /** As declared. */
  readonly name: string
  /** As declared: for types, and to name an operation in a test. */
  readonly ops: T
  /** Everything wrong with the declarations, at once. Needs no secret and no network. */
  check(): readonly Finding[]
  /**
   * Resolves references, opens services, binds backends.
   * @throws {TrestleError} `START_REFUSED` with the findings: of the declarations, of unset variables and secrets, of services.
   */
  start(options?: StartOptions): Promise<Running<T>>
}

/** What a start is told by whoever starts it. */
export interface StartOptions {
  /** The host's logger, such as Fastify's `host.log` or a pino: gets every line as an object, secrets already masked. Default: our own log. */
  readonly log?: HostLogger
}

/** A started application. */
export interface Running<T> {
  /** Calls on behalf of somebody: the rules about callers apply. */
  as(principal: Principal): Remote<T, Meta>
  /** Calls with the application's own authority; reaches internal operations too. */
  internal(): Callers<T>
  /**
   * Answers a request without a port, and mounts the application in whatever speaks `fetch`; may be taken away from its object.
   * What is not ours is answered with 404.
   */
  readonly fetch: (request: Request, host?: FetchHost) => Promise<Response>
  /** Mounts the application in `node:http`, Express and their kind; what is not ours goes to `next`, or is answered with 404. */
  handler(options?: HandlerOptions): NodeHandler
  /** Mounts the application in a Fastify 5 of yours: `await host.register(running.plugin(), { prefix: "/api" })`. */
  plugin(options?: PluginOptions): (host: HostFastify) => Promise<void>
  /** Opens the HTTP entrance. Default: port 4000 (0 takes a free one), host 127.0.0.1. */
  listen(options?: { port?: number; host?: string }): Promise<{ url: string }>
  /** How real each operation is, in the order of their declaration: the board that `trestle status` prints. */
  status(): readonly OperationStatus[]
  /** How it stands with each of its services: circuit breaker, attempts under way, calls that wait. */
  services(): readonly ServiceStatus[]
  /**
   * Holds a service's circuit breaker open by hand until `release`: nothing is sent to it, reads fall back, writes are refused. Calls under way
   * go on. For this process only, and until it ends.
   * @throws {TypeError} for a service that no operation reaches.
   */
  isolate(service: HasService): void
  /** Closes the circuit breaker that `isolate` has opened; does nothing to one that opened by itself. Throws as `isolate` does. */
  release(service: HasService): void
  /**
   * Gives a message to every operation that is `on` that topic, with the application's own authority. Resolves when it is stored: from then
   * on it is delivered, at least once, whatever becomes of this process. Where nothing is on the topic it goes nowhere.
   * @throws {TrestleError} `INVALID`: the payload is not what the topic says. `UNAVAILABLE`: it could not be stored.
   */
  publish<T, I>(topic: Topic<T, I>, payload: NoInfer<I>): Promise<void>
  /**
   * How far the work of that id has come which went on after its call: `meta.work` of its answer, or `work` of its error. `null`: there is none,
   * or it ended longer ago than it is kept, a day by default. With the application's own authority.
   */
  work(id: string): Promise<WorkReport | null>
  /** What was counted since the start, in Prometheus' text format. */
  metrics(): Promise<string>
  /**
   * Removes every answer that `cache` and `lastGood` keep for the principals of that id, from memory and from the file, before it returns.
   * For hosts and authenticators of your own: when somebody is locked out, or may see less than before. API keys do it by themselves.
   */
  forget(principalId: string): void
  /** Takes no new calls, lets those under way finish for 10 s at most, closes services and log. Idempotent. */
  close(): Promise<void>
}

/** Found on an `App` by tools, even through two copies of the package. */
export const DEFINITION = Symbol.for("trestle.app")

export function definitionOf<T>(app: App<T>): TrestleOptions<T & object> {
  return (app as unknown as Record<symbol, TrestleOptions<T & object>>)[DEFINITION]!
}

export function isApp(value: unknown): value is App<unknown> {
  return typeof value === "object" && value !== null && DEFINITION in value
}

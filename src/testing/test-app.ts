import { type App, definitionOf, type Running } from "../assembly/definition.ts"
import type { DurableParts } from "../assembly/durable.ts"
import { startApp } from "../assembly/start.ts"
import type { Duration } from "../base/duration.ts"
import { seededRandom } from "../base/random.ts"
import type { Ctx, Meta } from "../contract/call.ts"
import type { Callers, Remote } from "../contract/caller.ts"
import type { JobReport, NewMessage } from "../contract/job.ts"
import type { Op } from "../contract/op.ts"
import type { CallRecord } from "../contract/ports.ts"
import type { Authenticator, AuthenticatorHost, Principal } from "../contract/principal.ts"
import type { HasService, Service } from "../contract/service.ts"
import type { Topic } from "../contract/topic.ts"
import type { Settled, Settlement } from "../durable/settling.ts"
import { checkDeclarations } from "../runtime/check.ts"
import { servicesOf } from "../runtime/within.ts"
import { authenticateKeys, reportEnds } from "../security/api-keys.ts"
import { openAuthentication } from "../security/authentication.ts"
import { type KeyStore, memoryKeyStore } from "../security/key-store.ts"
import type { WorkReport } from "../server/work.ts"
import { FakeClock } from "./fake-clock.ts"
import type { FailsHow } from "./replaced.ts"
import { Replacements } from "./replaced.ts"
import { rememberingLog, standInReferences, THROWAWAY } from "./stand-ins.ts"
import { TestApplication } from "./test-application.ts"
import { TestCallers } from "./test-callers.ts"
import { type SentRequest, Wire } from "./wire.ts"
import type { ProgrammedReply, ReplyOptions } from "./wire-answer.ts"

/** The world in which a test begins. */
export interface TestAppOptions {
  /** Values of references, by the name of their variable, where the stand-ins will not do. */
  readonly values?: Readonly<Record<string, string>>
  /** What the calendar says at the start. Default: 1 January 2026, UTC. */
  readonly startsAt?: Date | number
  /** Of the random source. Default 1. */
  readonly seed?: number
}

/** A request's own settings, and who sends it. */
export interface TestRequestInit extends RequestInit {
  /** Acts as that principal, whatever credentials the application takes. */
  as?: Principal
  /** Sent as the body, with its content type. */
  json?: unknown
}

/** In the place of an operation's whole backend. */
export interface TestBackend<T, V, O> {
  /** Answers as `code()` would: a value, or a function of the input, which may fail with `ctx.fail`. The contract is checked. */
  replies(answer: O | ((input: V, ctx: Ctx) => O | Promise<O>), options?: { times?: number }): TestApp<T>
  /** Fails with the error that a service's leaf gives for it: a write after `"timeout"` is `OUTCOME_UNKNOWN`, a read `TIMEOUT`. */
  fails(how: FailsHow, options?: { times?: number }): TestApp<T>
}

/** What a service answers on one route. Answers with `times` come first, in their order; then the one given last. */
export interface TestRoute<T> {
  reply(status: number, body?: unknown, options?: ReplyOptions): TestApp<T>
  /** Answers by the request. What it throws comes out of the call as it is. */
  replies(answer: (request: SentRequest) => ProgrammedReply | Promise<ProgrammedReply>, options?: { times?: number }): TestApp<T>
  /** Takes the request and never answers: until a timeout, when the clock is advanced. */
  hangs(options?: { times?: number }): TestApp<T>
  /** Takes the request and loses the connection. */
  drops(options?: { times?: number }): TestApp<T>
}

/** In the place of a service's network: mapping, credentials, retry, breaker, bulkhead and timeouts run for real. */
export interface TestWire<T> {
  /** @param route `"GET /people/{id}"`, as in the declaration; without the query. */
  on(route: string): TestRoute<T>
  /** Refuses every connection; for a time on the test's clock, or until `up`. */
  down(options?: { for?: Duration }): TestApp<T>
  /** Takes connections again. */
  up(): TestApp<T>
}

/** Work that outlives its call. */
export interface Outbox {
  readonly waiting: number
  readonly dead: number
  readonly parked: number
}

/** A started application without network, ports or disk, whose time stands still and whose chance repeats. */
export interface TestApp<T> {
  /** Stands still until `advance`. */
  readonly clock: FakeClock
  /** API keys that `apiKeys()` accepts here; in memory. */
  readonly keys: KeyStore
  /** As `running.as`: the rules about callers apply. */
  as(principal: Principal): Remote<T, Meta>
  /** As `running.internal`: with the application's own authority. */
  internal(): Callers<T>
  /** Through the HTTP entrance: a request, or its method and path, `"POST /users"`; without a method it is GET. */
  http(request: Request | string, init?: TestRequestInit): Promise<Response>
  /** Puts answers in the place of that operation's whole backend. */
  backend<V, O, E extends string>(operation: Op<any, V, O, E, any>): TestBackend<T, V, O>
  /** Puts answers in the place of that service's network. */
  wire(service: HasService): TestWire<T>
  /** Every request that has left for the service. @throws the mistake, when a request was not programmed. */
  sent(service: HasService): readonly SentRequest[]
  /** How the last call was made; nested ones do not count. */
  lastCall(): Meta
  /** The record of every call, nested ones and early refusals included. */
  calls(): readonly CallRecord[]
  /** Payloads of the messages that were published to that topic, in their order, as the publisher gave them. */
  published<P, I>(topic: Topic<P, I>): readonly I[]
  /** As `running.publish`: the message waits for `drain`. */
  publish<P, I>(topic: Topic<P, I>, payload: NoInfer<I>): Promise<void>
  /** Gives a message to the operations that are on that topic, and drains. What fails shows in `jobs` and `outbox`. */
  deliver<P, I>(topic: Topic<P, I>, payload: NoInfer<I>): Promise<void>
  /**
   * Does everything that is due: messages, deferred work, schedules, and what comes of them. Time does not move: what is to be tried again
   * after a while waits for `clock.advance`, and another `drain`. Without it nothing of the kind is done here.
   */
  drain(): Promise<void>
  /** As `running.work`: how far the work has come that went on after a call. */
  work(id: string): Promise<WorkReport | null>
  /** How many jobs wait, are given up on, or wait for a person. */
  outbox(): Promise<Outbox>
  /** The jobs that are kept, in the order in which they were put. */
  jobs(): Promise<readonly JobReport[]>
  /** Orders another run of a job that waits, is parked or dead, as `trestle jobs retry` does; it waits for `drain`. `false`: of no such job. */
  retry(id: string): Promise<boolean>
  /** Removes a job that waits, is parked or dead, as `trestle jobs drop` does. `false`: there is no such job. */
  drop(id: string): Promise<boolean>
  /**
   * Says what a person has found out of something of which nobody knows whether it has happened, as `trestle jobs settle` does; what goes on
   * waits for `drain`.
   *
   * @throws {TrestleError} `CONFLICT`: the job is neither parked nor dead. `INVALID`: there is none, nothing of that name is undecided, or the
   * answer does not fit.
   */
  settle(id: string, settlement: Settlement): Promise<Settled>
  /** Forgets programs, requests, records and mistakes. Breakers, budgets, keys and time stay. */
  reset(): void
  /** Ends every call, then the application. @throws the mistake, when a request was not programmed. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** Starts an application for a test. Every call makes a fresh one. */
export async function testApp<T>(app: App<T>, options: TestAppOptions = {}): Promise<TestApp<T>> {
  const definition = definitionOf(app)
  const clock = new FakeClock(options.startsAt)
  const keys = memoryKeyStore({ now: () => clock.epoch(), random: seededRandom(2) })
  const callers = new TestCallers()
  const replacements = new Replacements()
  const records: CallRecord[] = []
  const mistakes: Error[] = []
  const { operations } = checkDeclarations(definition.ops, definition.defaults ?? {})
  const trouble = (error: Error): void => void mistakes.push(error)
  const wires = new Map<Service, Wire>(servicesOf(operations).map((service) => [service, new Wire(service.name, clock, trouble)]))
  const published: NewMessage[] = []
  let durable: DurableParts | null = null
  const running: Running<T> = await startApp(app, {
    clock,
    random: seededRandom(options.seed ?? 1),
    log: rememberingLog(records),
    ...THROWAWAY,
    references: standInReferences(options.values),
    transportOf: (service) => () => wires.get(service)!.transport,
    replaced: replacements.replaced,
    openAuthentication: (authenticators, host) => openForTest(authenticators, host, callers, keys),
    durable: {
      isByHand: true,
      published: (message) => void published.push(message),
      opened: (parts) => {
        durable = parts
      },
    },
  })
  return new TestApplication({ running, clock, keys, callers, replacements, records, mistakes, wires, durable, published })
}

/** Test callers first; API keys from memory instead of the disk; the application's other authenticators as they are. */
function openForTest(
  authenticators: readonly Authenticator[],
  host: AuthenticatorHost,
  callers: TestCallers,
  keys: KeyStore,
): ReturnType<typeof openAuthentication> {
  const own = authenticators.map((authenticator): Authenticator => {
    if (authenticator.kind !== "api-keys") return authenticator
    const { scheme } = authenticator
    const header = scheme?.type === "apiKey" ? { header: String(scheme.name) } : {}
    const open = (): ReturnType<typeof authenticateKeys> => {
      reportEnds(keys, host)
      return authenticateKeys(keys, host.now, header)
    }
    return { kind: authenticator.kind, open }
  })
  return openAuthentication([callers.authenticator, ...own], host)
}

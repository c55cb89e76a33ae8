import type { Running } from "../assembly/definition.ts"
import type { DurableParts } from "../assembly/durable.ts"
import { parseDuration } from "../base/duration.ts"
import type { Meta } from "../contract/call.ts"
import type { Callers, Remote } from "../contract/caller.ts"
import type { JobReport, NewMessage } from "../contract/job.ts"
import { declarationOf, type Op } from "../contract/op.ts"
import type { CallRecord } from "../contract/ports.ts"
import type { Principal } from "../contract/principal.ts"
import type { HasService, Service } from "../contract/service.ts"
import type { Topic } from "../contract/topic.ts"
import type { Settled, Settlement } from "../durable/settling.ts"
import { invalid } from "../errors/trestle-error.ts"
import type { KeyStore } from "../security/key-store.ts"
import type { WorkReport } from "../server/work.ts"
import type { FakeClock } from "./fake-clock.ts"
import type { FailsHow, Replacements } from "./replaced.ts"
import type { Outbox, TestApp, TestBackend, TestRequestInit, TestRoute, TestWire } from "./test-app.ts"
import type { TestCallers } from "./test-callers.ts"
import { TestFailure } from "./test-failure.ts"
import type { SentRequest, Wire } from "./wire.ts"
import { wireOutcome } from "./wire-answer.ts"
import { parseWireRoute } from "./wire-route.ts"

interface Parts<T> {
  readonly running: Running<T>
  readonly clock: FakeClock
  readonly keys: KeyStore
  readonly callers: TestCallers
  readonly replacements: Replacements
  readonly records: CallRecord[]
  /** Mistakes of the test, in their order. */
  readonly mistakes: Error[]
  readonly wires: ReadonlyMap<Service, Wire>
  /** `null` where nothing outlives its call. */
  readonly durable: DurableParts | null
  readonly published: NewMessage[]
}

export class TestApplication<T> implements TestApp<T> {
  readonly clock: FakeClock
  readonly keys: KeyStore
  readonly #parts: Parts<T>
  #opening: Promise<unknown> | null = null
  #closing: Promise<void> | null = null

  constructor(parts: Parts<T>) {
    this.#parts = parts
    this.clock = parts.clock
    this.keys = parts.keys
  }

  as(principal: Principal): Remote<T, Meta> {
    return this.#parts.running.as(principal)
  }

  internal(): Callers<T> {
    return this.#parts.running.internal()
  }

  async http(request: Request | string, init: TestRequestInit = {}): Promise<Response> {
    const made = requestOf(request, init, this.#parts.callers)
    const { running, clock } = this.#parts
    // Opening the entrance loads modules from the disk: real work, over which time must not move.
    if (!this.#opening) {
      this.#opening = running.fetch(new Request("http://app.test/health/live"))
      clock.hold(this.#opening)
    }
    await this.#opening
    return running.fetch(made)
  }

  backend<V, O, E extends string>(operation: Op<any, V, O, E, any>): TestBackend<T, V, O> {
    const declaration = declarationOf(operation)
    const { replacements } = this.#parts
    return {
      replies: (answer, { times } = {}) => {
        const reply = typeof answer === "function" ? (answer as (input: any, ctx: any) => unknown) : () => answer
        replacements.put(declaration, { reply }, times)
        return this
      },
      fails: (how: FailsHow, { times } = {}) => {
        replacements.put(declaration, { fails: how }, times)
        return this
      },
    }
  }

  wire(service: HasService): TestWire<T> {
    const wire = this.#wireOf(service)
    return {
      on: (route) => this.#route(wire, route),
      down: (options = {}) => {
        const ms = options.for === undefined ? undefined : parseDuration(options.for)
        if (ms === null) throw new TypeError(`"${options.for}" is not a duration such as "30s"`)
        wire.down(ms)
        return this
      },
      up: () => {
        wire.up()
        return this
      },
    }
  }

  sent(service: HasService): readonly SentRequest[] {
    this.#throwMistake()
    return this.#wireOf(service).sent
  }

  lastCall(): Meta {
    const last = this.#parts.records.findLast(({ entrance }) => entrance !== "nested" && entrance !== "refresh")
    if (!last) throw new TestFailure("no call has ended yet")
    return last.meta
  }

  calls(): readonly CallRecord[] {
    return this.#parts.records
  }

  published<P, I>(topic: Topic<P, I>): readonly I[] {
    return this.#parts.published.filter((message) => message.topic.topic === topic.topic).map(({ payload }) => payload as I)
  }

  publish<P, I>(topic: Topic<P, I>, payload: NoInfer<I>): Promise<void> {
    return this.#parts.running.publish(topic, payload)
  }

  async deliver<P, I>(topic: Topic<P, I>, payload: NoInfer<I>): Promise<void> {
    await this.publish(topic, payload)
    await this.drain()
  }

  async drain(): Promise<void> {
    await this.#parts.durable?.work()
  }

  work(id: string): Promise<WorkReport | null> {
    return this.#parts.running.work(id)
  }

  async outbox(): Promise<Outbox> {
    const jobs = await this.jobs()
    const count = (wanted: JobReport["state"]): number => jobs.filter(({ state }) => state === wanted).length
    return { waiting: count("waiting"), dead: count("dead"), parked: count("parked") }
  }

  async jobs(): Promise<readonly JobReport[]> {
    const jobs: JobReport[] = []
    for await (const job of this.#parts.durable?.desk.all() ?? []) jobs.push(job)
    return jobs
  }

  async retry(id: string): Promise<boolean> {
    const desk = this.#parts.durable?.desk
    const job = await desk?.find(id)
    return job != null && (await desk!.retry([job])).length === 1
  }

  async drop(id: string): Promise<boolean> {
    const desk = this.#parts.durable?.desk
    const job = await desk?.find(id)
    return job != null && (await desk!.drop([job])).length === 1
  }

  async settle(id: string, settlement: Settlement): Promise<Settled> {
    const desk = this.#parts.durable?.desk
    const job = await desk?.find(id)
    if (!job) throw invalid([{ path: "id", message: `there is no job "${id}"` }])
    return desk!.settle(job, settlement)
  }

  reset(): void {
    const { replacements, records, mistakes, wires, published } = this.#parts
    published.length = 0
    replacements.reset()
    records.length = 0
    mistakes.length = 0
    for (const wire of wires.values()) wire.reset()
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    // Otherwise the application would wait, in real time, for calls that hang.
    await this.clock.runOut()
    await this.#parts.running.close()
    this.#throwMistake()
  }

  #throwMistake(): void {
    const [first] = this.#parts.mistakes
    if (first) throw first
  }

  #wireOf(service: HasService): Wire {
    const { wires } = this.#parts
    const wire = wires.get(service["~service"])
    if (wire) return wire
    const names = [...wires.keys()].map(({ name }) => name)
    throw new TestFailure(`no operation of this application uses ${service["~service"].name}; it uses ${names.join(", ") || "no service"}`)
  }

  #route(wire: Wire, text: string): TestRoute<T> {
    const route = parseWireRoute(text)
    const put = (...programmed: Parameters<Wire["answers"]["add"]> extends [unknown, ...infer Rest] ? Rest : never): TestApp<T> => {
      wire.answers.add(route, ...programmed)
      return this
    }
    return {
      reply: (status, body, { headers = {}, times, raw } = {}) => {
        const outcome = wireOutcome({ status, body, headers }, raw)
        return put(() => outcome, times)
      },
      replies: (answer, { times } = {}) => put(async (request) => wireOutcome(await answer(request)), times),
      hangs: ({ times } = {}) => put(() => "hangs", times),
      drops: ({ times } = {}) => put(() => "drops", times),
    }
  }
}

function requestOf(request: Request | string, { as, json, ...init }: TestRequestInit, callers: TestCallers): Request {
  const [, method, target] = typeof request === "string" ? (/^(?:([A-Z]+) )?(.*)$/s.exec(request) ?? []) : []
  const all: RequestInit = { ...init, ...(method ? { method } : {}), ...(json === undefined ? {} : { body: JSON.stringify(json) }) }
  const made = new Request(typeof request === "string" ? new URL(target ?? "/", "http://app.test") : request, all)
  if (json !== undefined) made.headers.set("content-type", "application/json")
  if (as) for (const [name, value] of Object.entries(callers.headersOf(as))) made.headers.set(name, value)
  return made
}

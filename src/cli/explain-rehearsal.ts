import { defer } from "../backends/defer.ts"
import { fallback } from "../backends/fallback.ts"
import type { Clock } from "../base/clock.ts"
import type { Random } from "../base/random.ts"
import { type Answer, type Backend, backend, type Site } from "../contract/backend.ts"
import { failure } from "../contract/failure.ts"
import type { Durable } from "../contract/job.ts"
import type { Operation } from "../contract/operation.ts"
import { attemptSettings, callPolicies, type Defaults, servicePolicies, serviceSettings } from "../contract/policy.ts"
import type { Connection, Exchange, Service } from "../contract/service.ts"
import type { Shape } from "../contract/shape.ts"
import { TrestleError } from "../errors/trestle-error.ts"
import { createGate, type Gate } from "../policies/gate.ts"
import { guard } from "../policies/guard.ts"
import type { Call } from "../runtime/call.ts"
import { CallStart } from "../runtime/call-start.ts"
import { Engine, type EngineParts } from "../runtime/engine.ts"
import { FakeClock } from "../testing/fake-clock.ts"

type AnyBackend = Backend<any, any, any>

/** What a leaf does whenever it is asked in a rehearsal. */
export type Behaviour =
  | { readonly does: "answer" }
  | { readonly does: "fail"; readonly isSent: boolean; error(): TrestleError }
  /** Until its timeout is over, its request having left or not. */
  | { readonly does: "hang"; readonly isSent: boolean }
  | { readonly does: "stay open"; readonly of: "circuit breaker" }
  | { readonly does: "stay full"; readonly of: "bulkhead" }

export const ANSWERS: Behaviour = { does: "answer" }

/** A backend that answers by itself, as the operation's backend tree reaches it. */
export interface Leaf {
  readonly backend: AnyBackend
  readonly service: Service | null
  /** The service promises that repeating has no further effect, or knows us by a key. */
  readonly mayRepeatUnknown: boolean
}

/** One try at a leaf. */
export interface Try {
  readonly leaf: number
  readonly startedAt: number
  /** When its time was over, for one that hangs; otherwise it takes no time. */
  endedAt: number
}

export interface Rehearsal {
  readonly leaves: readonly Leaf[]
  readonly tries: readonly Try[]
  /** Of the call: attempts at services, who answered, why it is degraded, how it ended. */
  readonly call: Call
}

export interface Script {
  readonly operation: Operation
  readonly defaults: Defaults
  readonly behaviour: (leaf: number) => Behaviour
  /** Before repeats, where chance decides. Default `longest`. */
  readonly pauses?: "longest" | "none"
  /** Default: the operation's own. */
  readonly deadlineMs?: number
}

const ANY: Shape = { json: {}, check: (value) => ({ value }), coerce: (fields) => fields }
const UNOPENED: Connection = { close: async () => {} }
/** Takes what is put off, and forgets it. */
const STORE = { put: async () => true, isQueued: async () => false } satisfies Partial<Durable> as unknown as Durable
/** In the place of one whose answer is code of the application. */
const DEFERRED = defer<unknown, unknown>(() => undefined)
/** Nothing is open, and nothing has been kept yet. `guard` is replaced where a backend is bound. */
const SURROUNDINGS: ReturnType<EngineParts["siteOf"]> = {
  connection: () => UNOPENED,
  guard: () => () => undefined,
  durable: STORE,
  keeping: {
    revocations: 0,
    events: { info: () => {}, warn: () => {}, error: () => {} },
    add: () => {},
    shelf: () => null,
    count: () => {},
  },
}
/** Every pause as long as it can be, or none. */
const CHANCE: Readonly<Record<"longest" | "none", Random>> = {
  longest: { next: () => 1, hex: (bytes) => "0".repeat(bytes * 2) },
  none: { next: () => 0, hex: (bytes) => "0".repeat(bytes * 2) },
}

/**
 * Runs an operation's own backend tree, with its own policies and its own deadline, against services that do what a script says: on a
 * clock of its own, without network, without secrets, and without running any code of the application. So what is foretold is not a
 * second opinion on the rules: it is the rules.
 */
export async function rehearse(script: Script): Promise<Rehearsal> {
  const clock = new FakeClock()
  const stage = new RehearsalStage(script, clock)
  const engine = new Engine({
    clock,
    random: CHANCE[script.pauses ?? "longest"],
    record: () => {},
    stages: {},
    siteOf: () => SURROUNDINGS,
  })
  const operation = stage.rehearsed()
  engine.add(operation, operation)
  let call: Call | null = null
  engine.start(engine.findOp(operation)!, new CallStart("in-process", null), (ended) => {
    call = ended
  })
  await clock.runOut()
  return { leaves: stage.leaves, tries: stage.tries, call: call! }
}

/** Binds the backend tree, putting a scripted exchange in the place of each leaf's own. */
class RehearsalStage {
  readonly leaves: Leaf[] = []
  readonly tries: Try[] = []
  /** All calls of a service share its gate, as they do in the running application. */
  readonly #gates = new Map<Service, Gate>()
  readonly #script: Script
  readonly #clock: Clock

  constructor(script: Script, clock: Clock) {
    this.#script = script
    this.#clock = clock
  }

  rehearsed(): Operation {
    const { operation, deadlineMs = operation.deadlineMs } = this.#script
    const { declaration } = operation
    const own = declaration.backend
    const tree = own && backend("rehearsal", { bind: (site) => this.#bind(own, site) })
    return { ...operation, deadlineMs, input: ANY, output: ANY, declaration: { ...declaration, backend: tree } }
  }

  #bind(part: AnyBackend, site: Site): Answer {
    const { plan } = part
    if (!plan.service && !plan.parts) return this.#own(part, site)
    const { plan: shown } = plan.parts?.at(-1)?.plan.bindLast ? fallback(plan.parts[0]!, ...plan.parts.slice(1, -1), DEFERRED) : part
    return shown.bind({
      ...site,
      bind: (inner) => this.#bind(inner, site),
      guard: (service, _exchange, { policy, mayRepeatUnknown }) => {
        const leaf = this.leaves.push({ backend: part, service, mayRepeatUnknown }) - 1
        const { operation, defaults } = this.#script
        const declared = { call: policy, service: service.policy }
        const settings = attemptSettings(operation.effect, ...callPolicies(operation.effect, declared, defaults))
        return guard(this.#gateOf(service, leaf), this.#exchange(leaf, service.name), { settings, mayRepeatUnknown })
      },
    })
  }

  #gateOf(service: Service, leaf: number): Gate {
    const settings = serviceSettings(...servicePolicies(service.policy, this.#script.defaults))
    const { does } = this.#script.behaviour(leaf)
    if (does === "stay full") return createGate(service.name, { ...settings, concurrency: 0, concurrencyMin: 0, queueMax: 0 }, this.#clock)
    if (does === "stay open") {
      const gate = createGate(service.name, settings, this.#clock)
      gate.breaker.isolate()
      return gate
    }
    const known = this.#gates.get(service) ?? createGate(service.name, settings, this.#clock)
    this.#gates.set(service, known)
    return known
  }

  #exchange(leaf: number, name: string): Exchange {
    return {
      prepare: () => null,
      send: (_request, attempt) => {
        const one = this.#try(leaf)
        attempt.stoppable = {
          stop: () => {
            one.endedAt = this.#clock.now()
          },
        }
        const behaviour = this.#script.behaviour(leaf)
        if (behaviour.does === "answer") return Promise.resolve(attempt.call.noteServedBy(name))
        if ("isSent" in behaviour && behaviour.isSent) attempt.isSent = true
        return behaviour.does === "fail" ? Promise.reject(behaviour.error()) : new Promise(() => {})
      },
    }
  }

  /** Code of the application, and answers from the declaration: never run here. */
  #own(part: AnyBackend, site: Site): Answer {
    const leaf = this.leaves.push({ backend: part, service: null, mayRepeatUnknown: false }) - 1
    return (_input, call) => {
      this.#try(leaf)
      if (this.#script.behaviour(leaf).does === "answer") return site.accept(undefined, call, part.kind)
      // What a flow has done is undone.
      if (part.plan.isDurable) throw new TrestleError("INTERNAL", undefined, { outcome: "refused" })
      call.noteSent()
      throw failure("thrown", site.effect)
    }
  }

  #try(leaf: number): Try {
    const now = this.#clock.now()
    const one = { leaf, startedAt: now, endedAt: now }
    this.tries.push(one)
    return one
  }
}

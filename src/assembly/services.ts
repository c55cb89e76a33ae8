import type { Clock } from "../base/clock.ts"
import { withPatience } from "../base/patience.ts"
import type { Site } from "../contract/backend.ts"
import type { Finding } from "../contract/finding.ts"
import type { Operation } from "../contract/operation.ts"
import { attemptSettings, type BreakerState, callPolicies, type Defaults, servicePolicies, serviceSettings } from "../contract/policy.ts"
import type { EventLog, OpenTransport } from "../contract/ports.ts"
import type { References } from "../contract/reference.ts"
import type { Connection, HasService, Service, ServiceHost, ServiceStatus } from "../contract/service.ts"
import { TrestleError } from "../errors/trestle-error.ts"
import type { CircuitBreaker } from "../policies/circuit-breaker.ts"
import { createGate, type Gate } from "../policies/gate.ts"
import { guard } from "../policies/guard.ts"
import { type FindingCode, finding } from "../runtime/findings.ts"
import { within } from "../runtime/within.ts"
import type { Readiness } from "../server/http.ts"

interface Opened {
  readonly connection: Connection
  readonly gate: Gate
}

export interface OpenOptions {
  readonly services: readonly Service[]
  readonly references: References
  readonly clock: Clock
  readonly events: EventLog
  readonly transportOf: (service: Service) => OpenTransport | null
  readonly isEphemeral: boolean
  readonly openService: OpenService
}

/** Opens a service: by its own connector, or what stands in its place. */
export type OpenService = (service: Service, host: ServiceHost) => Connection | Promise<Connection>

/** A probe's answer is good for this long, so that a health checker cannot become a load. */
const PROBE_GOOD_FOR_MS = 2_000
/** Who asks whether the application is ready waits no longer for any of them. */
const PROBE_MS_MAX = 2_000

/** The services of one started application: their connections, and the policies that all their calls share. */
export class Services {
  readonly #opened = new Map<Service, Opened>()
  readonly #clock: Clock
  readonly #defaults: Defaults
  #probed: { at: number; states: Promise<Readonly<Record<string, string>>> } | null = null

  constructor(clock: Clock, defaults: Defaults) {
    this.#clock = clock
    this.#defaults = defaults
  }

  /** Opens all of them; what cannot be opened is a finding each. */
  async open(options: OpenOptions): Promise<Finding[]> {
    const findings: Finding[] = []
    for (const service of options.services) {
      const settings = serviceSettings(...servicePolicies(service.policy, this.#defaults))
      const { references, clock, events } = options
      const changed = (state: BreakerState): void => {
        const say = state === "open" || state === "isolated" ? events.warn : events.info
        say.call(events, `circuit breaker of ${service.name} is ${state}`, { service: service.name, state })
      }
      try {
        const connection = await options.openService(service, {
          references,
          clock,
          concurrency: settings.concurrency,
          openTransport: options.transportOf(service),
          isEphemeral: options.isEphemeral,
        })
        this.#opened.set(service, { connection, gate: createGate(service.name, settings, clock, changed) })
      } catch (error) {
        findings.push(unopened(service, error))
      }
    }
    return findings
  }

  /** An opened one of this application. */
  connection(service: Service): Connection {
    return this.#opened.get(service)!.connection
  }

  /** What a backend of that operation gets from the services. */
  siteOf(operation: Operation): Pick<Site, "connection" | "guard"> {
    return {
      connection: (service) => this.#opened.get(service)!.connection,
      guard: (service, exchange, { policy, mayRepeatUnknown }) =>
        guard(this.#opened.get(service)!.gate, exchange, {
          settings: attemptSettings(
            operation.effect,
            ...callPolicies(operation.effect, { call: policy, service: service.policy }, this.#defaults),
          ),
          mayRepeatUnknown,
        }),
    }
  }

  /** How each service stands, in the order of their first use. */
  status(): readonly ServiceStatus[] {
    return [...this.#opened].map(([{ kind }, { gate }]) => ({ ...gate.status, kind }))
  }

  /** @throws {TypeError} for a service that no operation of this application reaches. */
  breakerOf({ "~service": service }: HasService): CircuitBreaker {
    const opened = this.#opened.get(service)
    if (opened) return opened.gate.breaker
    throw new TypeError(`no operation of this application reaches ${service.name}`)
  }

  /** Ready when every probed service that some operation cannot do without answers its probe. */
  async readiness(operations: readonly Operation[]): Promise<Readiness> {
    const services = await this.#states()
    const needed = neededServices(operations)
    const isReady = [...needed].every((service) => services[service.name] === undefined || services[service.name] === "up")
    return { isReady, services }
  }

  #states(): Promise<Readonly<Record<string, string>>> {
    const now = this.#clock.now()
    if (!this.#probed || now - this.#probed.at > PROBE_GOOD_FOR_MS) this.#probed = { at: now, states: this.#probe() }
    return this.#probed.states
  }

  async #probe(): Promise<Readonly<Record<string, string>>> {
    const probes = [...this.#opened].flatMap(([service, { connection }]) =>
      connection.probe ? [{ name: service.name, probe: connection.probe }] : [],
    )
    const states = await Promise.all(
      probes.map(async ({ name, probe }) => {
        const state = probe().then(
          () => "up",
          () => "down",
        )
        return [name, (await withPatience(state, PROBE_MS_MAX, this.#clock)) ?? "no answer"] as const
      }),
    )
    return Object.fromEntries(states)
  }

  async close(): Promise<void> {
    await Promise.allSettled([...this.#opened.values()].map(({ connection }) => connection.close()))
  }
}

/** A connector may name its own finding and what to do; else the address or a setting is wrong. */
function unopened({ name, at }: Service, error: unknown): Finding {
  const why = TrestleError.is(error) ? error.detail : (error as Error).message
  const own = TrestleError.is(error) ? (error.findings[0] as { code: FindingCode; fix: string } | undefined) : undefined
  return finding(own?.code ?? "TRS1014", at, `${name}: ${why}`, own?.fix ?? "Correct the address or the setting it comes from.")
}

/** Services without an alternative in some operation. A service with a fallback may be down: the application is ready to cope. */
function neededServices(operations: readonly Operation[]): Set<Service> {
  const needed = new Set<Service>()
  for (const { declaration } of operations) {
    const { backend } = declaration
    if (!backend) continue
    const replaceable = new Set(
      within(backend).flatMap(({ plan }) => (plan.fallsBack && (plan.parts?.length ?? 0) > 1 ? (plan.parts ?? []).flatMap(within) : [])),
    )
    for (const part of within(backend)) if (part.plan.service && !replaceable.has(part)) needed.add(part.plan.service)
  }
  return needed
}

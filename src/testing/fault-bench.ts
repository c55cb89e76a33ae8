import { checkApplication } from "../assembly/check.ts"
import { type App, definitionOf, type TrestleOptions } from "../assembly/definition.ts"
import { showDuration } from "../base/duration.ts"
import type { Operation } from "../contract/operation.ts"
import type { Defaults } from "../contract/policy.ts"
import type { References } from "../contract/reference.ts"
import type { Service } from "../contract/service.ts"
import type { Fault } from "../contract/stand-in.ts"
import type { Checked } from "../runtime/check.ts"
import { servicesOf, within } from "../runtime/within.ts"
import { type Calls, callsAt, type KnownCall } from "./fault-calls.ts"
import type { Absence } from "./fault-ground.ts"
import type { FaultOptions } from "./fault-lab.ts"
import type { FaultRow, FaultTrouble } from "./fault-row.ts"
import { type Played, play, rehearseStart, type Script, type World } from "./fault-stage.ts"
import { Lateness } from "./lateness.ts"
import { Turns } from "./turns.ts"

const LIMIT_MS = 60_000
/** Nearly all of a run is waiting. */
const AT_ONCE = 12
const TRIES_MAX = 3

interface BenchOptions extends FaultOptions {
  readonly defaults: Defaults
  readonly calls: Calls
  readonly services: readonly Service[]
  /** Those of them in whose place nothing can stand. */
  readonly absent: ReadonlyMap<Service, Absence>
  readonly references: References
}

/** Where the runs of one application are made: many at once, in turns, with an eye on whether this machine keeps up. */
export class FaultBench {
  readonly operations: readonly Operation[]
  readonly defaults: Defaults
  readonly #calls: Calls
  readonly #world: World
  readonly #options: FaultOptions
  readonly #lateness = new Lateness()
  readonly #turns = new Turns(AT_ONCE)
  readonly #shortestTimeoutMs: number
  #planned = 0
  #done = 0

  constructor(app: App<unknown>, operations: readonly Operation[], options: BenchOptions) {
    const { defaults, calls, services, absent, references } = options
    this.operations = operations
    this.defaults = defaults
    this.#calls = calls
    this.#options = options
    this.#shortestTimeoutMs = Math.min(...[...calls.values()].flat().map(({ timeoutMs }) => timeoutMs))
    const backends = operations.flatMap(({ declaration: { backend } }) => (backend ? within(backend) : []))
    this.#world = {
      app,
      services,
      absent,
      references,
      callsOf: (service, operation) => callsAt(calls, service, operation),
      freshMs: Math.max(0, ...backends.map(({ plan }) => plan.freshMs ?? 0)),
      limitMs: options.limitMs ?? LIMIT_MS,
      signal: options.signal ?? new AbortController().signal,
      checked: undisturbed(checkApplication(definitionOf(app) as TrestleOptions<object>)),
      starting: new Turns(1),
      lateness: this.#lateness,
    }
  }

  get services(): readonly Service[] {
    return this.#world.services
  }

  get isInterrupted(): boolean {
    return this.#world.signal.aborted
  }

  get absent(): ReadonlyMap<Service, Absence> {
    return this.#world.absent
  }

  /** The ways in which a service can fail an operation of that effect, as far as something can stand in its place. */
  faultsFor(service: Service, { effect }: Pick<Operation, "effect">): readonly Fault[] {
    const faults = this.absent.has(service) ? [] : service.rehearsal!.faults
    return faults.filter((fault) => fault.of === undefined || fault.of === effect)
  }

  /** What would have to be there so that the services of those rows could be tried, once for each. */
  lacksOf(rows: readonly FaultRow[]): readonly FaultTrouble[] {
    const named = new Set(rows.map(({ service }) => service))
    return [...this.absent].flatMap(([{ name, at: place }, { why, fix }]) =>
      fix !== null && named.has(name) ? [{ kind: "nothing to try it on", message: `${name} is not tried: ${why}`, fix, place }] : [],
    )
  }

  isWanted({ name }: Service): boolean {
    return this.#options.service === undefined || this.#options.service === name
  }

  /** The declared calls of those services. */
  callsOf(services: readonly Service[]): readonly KnownCall[] {
    return services.flatMap((service) => this.#calls.get(service) ?? [])
  }

  /** Loads what would make the first calls slow. @throws {TrestleError} `START_REFUSED` when the application does not start. */
  async warmUp(): Promise<void> {
    if (this.operations[0]) await rehearseStart(this.#world, this.operations[0])
  }

  plan(count: number): void {
    this.#planned += count
  }

  done(): void {
    this.#options.progress?.(++this.#done, this.#planned)
  }

  /** Makes a run when its turn has come; once more, and again, where this process was so late that it may have made the failure itself. */
  play(script: Script): Promise<Played> {
    return this.#repeatedly(() => this.#turns.run(() => play(this.#world, script)))
  }

  /** The same with nothing beside it, for what must be certain. */
  playAlone(script: Script): Promise<Played> {
    return this.#repeatedly(() => this.#turns.alone(() => play(this.#world, script)))
  }

  async #repeatedly(playOnce: () => Promise<Played>): Promise<Played> {
    for (let tries = 1; ; tries++) {
      const played = await playOnce()
      if (tries === TRIES_MAX || played.isCut || !this.#isHeldUp(played)) return played
    }
  }

  /** Why a run tells nothing; `null` where it does. */
  doubtOf(played: Played, isBroken: boolean): string | null {
    const { limitMs } = this.#world
    if (played.isCut) return this.isInterrupted ? "interrupted" : `it had not ended after ${showDuration(limitMs)}`
    return isBroken && this.#isHeldUp(played) ? `this machine was too busy: it was late by ${showDuration(played.lateMs)}` : null
  }

  close(): void {
    this.#lateness.stop()
  }

  #isHeldUp({ lateMs }: Played): boolean {
    return lateMs > this.#shortestTimeoutMs / 2
  }
}

/** Schedules and messages would begin calls of their own within a row, whose effects would be counted as its. Flows and deferred work go on. */
function undisturbed(checked: Checked): Checked {
  const operations = checked.operations.map((operation) => {
    const { on, every, ...contract } = operation.declaration.contract
    const begins = on !== undefined || every !== undefined
    return begins ? { ...operation, declaration: { ...operation.declaration, contract } } : operation
  })
  return { ...checked, operations }
}

/** Those that operations ask, and the one that holds Trestle's own tables. */
export function servicesTried(app: App<unknown>, operations: readonly Operation[]): readonly Service[] {
  const { store } = definitionOf(app)
  return [...new Set([...servicesOf(operations), ...(store ? [store["~service"]] : [])])]
}

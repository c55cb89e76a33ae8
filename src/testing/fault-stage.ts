import type { App, Running } from "../assembly/definition.ts"
import { startApp } from "../assembly/start.ts"
import { seededRandom } from "../base/random.ts"
import type { FileBody } from "../contract/file-body.ts"
import type { Operation } from "../contract/operation.ts"
import type { CallRecord } from "../contract/ports.ts"
import type { References } from "../contract/reference.ts"
import type { Service } from "../contract/service.ts"
import type { Arrival, Fault, PlacedCall, StandIn } from "../contract/stand-in.ts"
import type { Checked } from "../runtime/check.ts"
import { absent } from "./absent-service.ts"
import type { Absence } from "./fault-ground.ts"
import { FlowWatch, isJournaledFlow } from "./flow-watch.ts"
import { JumpingClock } from "./jumping-clock.ts"
import type { Lateness } from "./lateness.ts"
import { rememberingLog, THROWAWAY } from "./stand-ins.ts"
import type { Turns } from "./turns.ts"

/** What every run has in common. */
export interface World {
  readonly app: App<unknown>
  readonly services: readonly Service[]
  /** Those in whose place nothing can stand. */
  readonly absent: ReadonlyMap<Service, Absence>
  readonly references: References
  /** The declared calls of a service, those of that operation first. */
  callsOf(service: Service, operation: Operation): readonly PlacedCall[]
  /** The longest time for which some `cache` gives its answer without asking. */
  readonly freshMs: number
  /** Longest that one run may take. */
  readonly limitMs: number
  readonly signal: AbortSignal
  /** Starts are work for the processor: one at a time, so that they do not hold up the calls that are measured meanwhile. */
  readonly starting: Turns
  /** Its declarations, which need not be read for each start. */
  readonly checked: Checked
  readonly lateness: Lateness
}

/** One call, and the services that fail it. */
export interface Script {
  readonly operation: Operation
  readonly input: unknown
  readonly failing: ReadonlyMap<Service, Fault>
  /** They fail in their n-th write alone. Default: in everything from the first on. */
  readonly nth?: number
}

/** What became of it. */
export interface Played {
  readonly record: CallRecord
  /** Of the operations that it ran inside. */
  readonly nested: readonly CallRecord[]
  readonly arrivals: ReadonlyMap<Service, readonly Arrival[]>
  /** What a journaled flow has done; `null` for all others. */
  readonly flow: FlowWatch | null
  /** It was ended by us, before it ended by itself. */
  readonly isCut: boolean
  /** How long this process was held up within it, in milliseconds. */
  readonly lateMs: number
}

/**
 * Runs one call in an application of its own, started for it: own breakers, own budgets, own stand-ins behind real sockets, nothing kept.
 * A read is first made once while all is well, so that there is something to fall back to; then what is fresh has grown old.
 */
export async function play(world: World, script: Script): Promise<Played> {
  const stage = new Stage(world, script)
  try {
    return await stage.play()
  } finally {
    await stage.close()
  }
}

/** Starts the application once and ends it again. @throws {TrestleError} `START_REFUSED` */
export async function rehearseStart(world: World, operation: Operation): Promise<void> {
  const stage = new Stage(world, { operation, input: undefined, failing: new Map() })
  try {
    await stage.open()
  } finally {
    await stage.close()
  }
}

class Stage {
  readonly #world: World
  readonly #script: Script
  readonly #standIns = new Map<Service, StandIn>()
  readonly #records: CallRecord[] = []
  readonly #clock = new JumpingClock()
  readonly #flow: FlowWatch | null
  #running: Running<unknown> | null = null

  constructor(world: World, script: Script) {
    this.#world = world
    this.#script = script
    this.#flow = isJournaledFlow(script.operation) ? new FlowWatch() : null
  }

  async play(): Promise<Played> {
    await this.#world.starting.run(() => this.open())
    const startedAt = performance.now()
    const { operation, failing, nth } = this.#script
    if (failing.size > 0 && operation.effect === "read") await this.#call()
    if (this.#world.freshMs > 0) this.#clock.jump(this.#world.freshMs + 1)
    const before = new Map([...this.#standIns].map(([service, { arrivals }]) => [service, arrivals.length]))
    this.#records.length = 0
    for (const service of failing.keys()) await this.#standIns.get(service)!.fail(nth)
    const isCut = await this.#call()
    const record = this.#records.findLast(({ entrance }) => entrance === "in-process")!
    return {
      record,
      nested: this.#records.filter(({ entrance }) => entrance === "nested"),
      arrivals: new Map([...this.#standIns].map(([service, { arrivals }]) => [service, arrivals.slice(before.get(service))])),
      flow: this.#flow,
      isCut,
      lateMs: this.#world.lateness.since(startedAt),
    }
  }

  async close(): Promise<void> {
    await this.#running?.close()
    await Promise.all([...this.#standIns.values()].map((standIn) => standIn.close()))
  }

  async open(): Promise<void> {
    const { app, services, absent: absentees, callsOf, checked } = this.#world
    const { operation, failing } = this.#script
    for (const service of services) {
      const fault = failing.get(service) ?? null
      if (!absentees.has(service)) this.#standIns.set(service, await service.rehearsal!.standIn(callsOf(service, operation), fault))
    }
    this.#running = await startApp(app, {
      ...THROWAWAY,
      checked: this.#flow?.over(checked, operation.path) ?? checked,
      clock: this.#clock,
      random: seededRandom(1),
      log: rememberingLog(this.#records),
      references: this.#world.references,
      openService: (service, host) => this.#standIns.get(service)?.open(host) ?? absent(service, host),
      // Nobody comes from outside; keys and tokens of this machine are left alone.
      openAuthentication: async () => () => null,
    })
  }

  /** @returns whether we had to end it. */
  async #call(): Promise<boolean> {
    const { operation, input } = this.#script
    const { signal, limitMs } = this.#world
    const limit = new AbortController()
    const alarm = setTimeout(() => limit.abort(), limitMs)
    const given = AbortSignal.any([signal, limit.signal])
    try {
      const { value } = await detailedCaller(this.#running!, operation.path)(input, { signal: given })
      await takePieces(value, operation)
    } catch {
      // Its record says why.
    } finally {
      clearTimeout(alarm)
    }
    return given.aborted
  }
}

export type DetailedCaller = (input: unknown, options: { signal: AbortSignal }) => Promise<{ value: unknown }>

/** The caller of an operation, by its path, with the application's own authority. */
function detailedCaller(running: Running<unknown>, path: string): DetailedCaller {
  let node: unknown = running.internal()
  for (const key of path.split(".")) node = (node as Record<string, unknown>)[key]
  return (node as { detailed: DetailedCaller }).detailed
}

const PIECES_MAX = 1_000

/** What comes piece by piece fails piece by piece. */
async function takePieces(value: unknown, { output }: Operation): Promise<void> {
  const pieces = output.items ? (value as AsyncIterable<unknown>) : output.file ? (value as FileBody).stream() : []
  let count = 0
  for await (const _ of pieces) if (++count >= PIECES_MAX) break
}

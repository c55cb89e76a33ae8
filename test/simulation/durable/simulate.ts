import { startApp } from "../../../src/assembly/start.ts"
import { type Random, seededRandom } from "../../../src/base/random.ts"
import type { CallRecord } from "../../../src/contract/ports.ts"
// What the start of an application imports when it needs it: here it is there before the first one.
import "../../../src/assembly/durable.ts"
import "../../../src/assembly/open-store.ts"
import { standInReferences, THROWAWAY } from "../../../src/testing/stand-ins.ts"
import { VirtualClock } from "../virtual-clock.ts"
import { DURABLE_WORLDS, type DurableWorld, type Order, TABLES_SQL } from "./application.ts"
import { type Asked, type Callable, Client, type Serving, type Task } from "./client.ts"
import { type Fate, type HeldWrite, SimulatedConnection, SimulatedDatabase, type World } from "./databases.ts"
import { brokenAtTheEnd } from "./judge.ts"
import { SimulatedProcess } from "./process.ts"
import { EffectsReceiver } from "./receiver.ts"

/** What has happened in one world, or in many. */
export interface Happened {
  crashes: number
  pauses: number
  /** Times in which a process could not reach the store. */
  "times cut off": number
  /** Writes of a holder who had lost its lease, which changed nothing. */
  "stale writes": number
  "jobs parked": number
  /** Requests that the receiver knew already. */
  repeats: number
  effects: number
}

export function nothingYet(): Happened {
  return { crashes: 0, pauses: 0, "times cut off": 0, "stale writes": 0, "jobs parked": 0, repeats: 0, effects: 0 }
}

const PROCESSES = 2
const TASKS = 10
const LASTS_MS_MAX = 1_800_000
const LOOK_EVERY_MS = 1_000

/** Runs one world from its seed; the answer is everything that must never be. */
export async function simulateDurable(
  seed: number,
  { tell = () => {}, happened = nothingYet() }: { tell?: (line: string) => void; happened?: Happened } = {},
): Promise<string[]> {
  const timers = globalThis.setInterval
  // What sweeps and flushes in real time has no place in a world whose time is not real.
  globalThis.setInterval = (() => ({ unref: () => null })) as never
  try {
    return await new DurableSimulation(seed, tell, happened).run()
  } finally {
    globalThis.setInterval = timers
  }
}

class DurableSimulation {
  readonly #declared: DurableWorld
  readonly #clock = new VirtualClock()
  readonly #random: Random
  readonly #broken: string[] = []
  readonly #tell: (line: string) => void
  readonly #happened: Happened
  readonly #db: SimulatedDatabase
  readonly #store: SimulatedDatabase
  readonly #receiver: EffectsReceiver
  readonly #world: World
  readonly #serving: (Serving | null)[] = Array(PROCESSES).fill(null)
  readonly #records = new Set<CallRecord>()
  readonly #troubleUntil: number
  readonly #danger: number
  #starts = 0
  #isOver = false

  constructor(seed: number, tell: (line: string) => void, happened: Happened) {
    this.#declared = DURABLE_WORLDS[seed % DURABLE_WORLDS.length]!
    this.#random = seededRandom(seed)
    this.#tell = tell
    this.#happened = happened
    this.#troubleUntil = 15_000 + this.#random.next() * 40_000
    this.#danger = [0.005, 0.02, 0.06][Math.floor(this.#random.next() * 3)]!
    this.#db = new SimulatedDatabase("db", this.#clock)
    this.#db.exec(TABLES_SQL)
    this.#store = this.#declared.isOneDatabase ? this.#db : new SimulatedDatabase("store", this.#clock)
    this.#receiver = new EffectsReceiver(this.#clock, seededRandom(seed ^ 0xeffec7), [0.1, 0.4, 0.8][Math.floor(this.#random.next() * 3)]!)
    this.#receiver.told = (line) => tell(`${Math.round(this.#clock.now())} ${line}`)
    this.#world = {
      clock: this.#clock,
      random: this.#random,
      fateOf: () => this.#fate(),
      kept: (writes) => this.#kept(writes),
    }
  }

  async run(): Promise<string[]> {
    const tasks = tasksOf(this.#random)
    const client = new Client({ clock: this.#clock, random: this.#random, anyone: () => this.#anyone(), told: this.#tell })
    for (let slot = 0; slot < PROCESSES; slot++) this.#start(slot)
    for (const queue of queuesOf(tasks)) this.#clock.at(this.#random.next() * 12_000, () => void client.carryOut(queue))
    this.#planTrouble()
    this.#clock.at(this.#troubleUntil, () => {
      this.#receiver.trouble = 0
    })
    let nextLookAt = this.#troubleUntil
    await this.#clock.runUntil(() => {
      const now = this.#clock.now()
      if (now < nextLookAt) return false
      nextLookAt = now + LOOK_EVERY_MS
      return now > LASTS_MS_MAX || (tasks.every(({ isOver }) => isOver) && client.open === 0 && this.#isDrained())
    })
    this.#end(tasks, client)
    return [...new Set(this.#broken)]
  }

  #end(tasks: readonly Task[], client: Client): void {
    const { effects, repeats, broken } = this.#receiver
    if (client.open > 0) this.#broken.push(`${client.open} calls have not settled`)
    this.#broken.push(...broken, ...brokenAtTheEnd({ tasks, effects, db: this.#db, store: this.#store }))
    this.#happened.effects += effects.length
    this.#happened.repeats += repeats
    this.#happened["jobs parked"] += this.#store.rows("select 1 from trestle_jobs where state = 'parked'").length
    this.#isOver = true
    for (const { operation, state, attempts, outcome, history, body } of this.#store.rows("select * from trestle_jobs order by seq"))
      this.#tell(`left: ${operation} ${state} after ${attempts} runs, ${outcome} ${history} ${body}`)
    for (const serving of this.#serving) serving?.process.crash()
    for (const database of new Set([this.#db, this.#store])) database.close()
  }

  #isDrained(): boolean {
    const open = "select 1 from trestle_jobs where state in ('waiting', 'running') limit 1"
    return this.#store.rows(open).length === 0 && this.#db.rows("select 1 from trestle_outbox limit 1").length === 0
  }

  // -- processes ----------------------------------------------------------------------------------

  #start(slot: number): void {
    if (this.#isOver) return
    const number = this.#starts++
    const process = new SimulatedProcess(`process ${number}`, this.#clock)
    process.onDeath(() => {
      if (this.#isOver) return
      this.#happened.crashes++
      this.#tell(`${Math.round(this.#clock.now())} ${process.name} crashes`)
      this.#serving[slot] = null
      this.#clock.at(100 + this.#random.next() * 3_000, () => this.#start(slot))
    })
    const open = new Map([
      ["db", new SimulatedConnection(this.#db, process, this.#world)],
      ["store", new SimulatedConnection(this.#store, process, this.#world)],
    ])
    const silent = (): void => {}
    startApp(this.#declared.app, {
      ...THROWAWAY,
      clock: process.clock,
      random: seededRandom(Math.floor(this.#random.next() * 2 ** 32)),
      checked: this.#declared.checked,
      references: standInReferences(),
      log: {
        recorder: { record: (record) => this.#recorded(record) },
        events: { info: silent, warn: silent, error: silent },
        flush: async () => {},
        close: async () => {},
      },
      transportOf: () => () => this.#receiver.transportOf(process, this.#declared.concurrency),
      openService: (service, host) => open.get(service.name) ?? service.open(host),
    }).then(
      (running) => {
        if (!process.isDead) this.#serving[slot] = { process, callers: running.internal() as unknown as Callable }
      },
      // A store that cannot be reached keeps it from starting.
      () => process.crash(),
    )
  }

  #anyone(): Serving | null {
    const serving = this.#serving.filter((one) => one !== null)
    return serving[Math.floor(this.#random.next() * serving.length)] ?? null
  }

  // -- trouble ------------------------------------------------------------------------------------

  #fate(): Fate {
    if (this.#clock.now() >= this.#troubleUntil || this.#random.next() >= this.#danger) return "fine"
    const fates: readonly Fate[] = ["refused", "unknown", "late", "crash before", "crash after", "crash after"]
    return fates[Math.floor(this.#random.next() * fates.length)]!
  }

  #planTrouble(): void {
    for (let i = 0; i < 2; i++) {
      const at = this.#random.next() * this.#troubleUntil
      const lastsMs = 1_000 + this.#random.next() * 50_000
      const slot = Math.floor(this.#random.next() * PROCESSES)
      const isPause = this.#random.next() < 0.5
      this.#clock.at(at, () => {
        const process = this.#serving[slot]?.process
        if (!process) return
        if (isPause) process.pause(lastsMs)
        else process.cutOffUntil = this.#clock.now() + lastsMs
        if (isPause) this.#happened.pauses++
        else this.#happened["times cut off"]++
      })
    }
  }

  // -- what must hold at every moment ---------------------------------------------------------------

  #recorded(record: CallRecord): void {
    if (this.#records.has(record)) this.#broken.push(`${record.operation}: a call was recorded twice`)
    this.#records.add(record)
  }

  /** A write of an old fence must change nothing. */
  #kept(writes: readonly HeldWrite[]): void {
    for (const { id, fence, newest, changes } of writes) {
      if (changes === 0) this.#happened["stale writes"]++
      else if (fence !== newest) this.#broken.push(`fence ${fence} of ${id} has changed something, and ${newest} is the newest`)
    }
  }
}

const ASKED: readonly Asked[] = ["place", "place", "place", "later", "later", "note", "mail", "checkout", "checkout", "ticket"]

function tasksOf(random: Random): Task[] {
  return Array.from({ length: TASKS }, (_, n): Task => {
    const order: Order = { id: `i${n}`, customer: random.next() < 0.7 ? "ada" : "bob", n }
    return { asks: ASKED[Math.floor(random.next() * ASKED.length)]!, order, told: null, isOver: false, tries: 0 }
  })
}

/** Those of one customer whose order counts follow each other; the others are asked for when they please. */
function queuesOf(tasks: readonly Task[]): Task[][] {
  const queues = new Map<string, Task[]>()
  for (const task of tasks) {
    const name = task.asks === "later" ? task.order.customer : task.order.id
    queues.set(name, [...(queues.get(name) ?? []), task])
  }
  return [...queues.values()]
}

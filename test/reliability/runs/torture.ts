// Kills an application again and again while it works, and compares two ledgers that were kept outside of it: what was acknowledged to its
// callers, and what arrived at another system.
import { type ChildProcess, fork } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import { type Random, seededRandom } from "../../../src/base/random.ts"
import { freePort } from "../../servers/free-port.ts"
import { CRASH_POINTS } from "../torture/crashing-store.ts"
import type { TortureDatabase } from "../torture/databases.ts"

export interface TortureOptions {
  readonly kills: number
  /** Requests of the driver. */
  readonly deliveries: number
  readonly seed: number
  readonly database: TortureDatabase
  readonly say?: (line: string) => void
  /** Where the application's sources are, for mistakes that were planted in a copy. Default: here. */
  readonly subject?: string
}

export interface TortureFigures {
  readonly kills: number
  /** How often each named point, or the place of the kill, was hit. */
  readonly hits: Readonly<Record<string, number>>
  readonly acknowledged: number
  readonly unknown: number
  readonly arrivals: number
  readonly duplicatesOnTheWire: number
  readonly duplicatesMax: number
  /** Every promise that was broken, in words; none where all is well. */
  readonly broken: readonly string[]
  readonly seconds: number
}

/** Runs of jobs at once in the application, and units of one commit: what can be repeated after one kill. */
const IN_FLIGHT = 64
const ACKNOWLEDGED_TOGETHER = 64
const CUSTOMERS = 24
const RECEIVER_POINT = "effect arrived"
const OUTSIDE_POINT = "from outside"
/** A process that has not died by itself at its point by then is killed from outside. */
const LIFE_MS = 2_500
const DRAIN_MS_MAX = 120_000
const PATHS = ["orders", "orders", "later", "checkout"] as const
type Path = (typeof PATHS)[number]

/** One request as its caller knows it. */
interface Request {
  readonly path: Path
  readonly id: string
  readonly customer: string
  readonly n: number
  /** What the caller was told at last. */
  told: "acknowledged" | "declined" | "unknown" | "refused"
}

export async function torture(options: TortureOptions): Promise<TortureFigures> {
  const run = new Torture(options)
  try {
    return await run.run()
  } finally {
    await run.close()
  }
}

/** The first promise that a run finds broken, or what kept it from its end; `null`: none. */
export async function noticedBy(options: TortureOptions): Promise<string | null> {
  try {
    const { broken } = await torture(options)
    return broken[0] ?? null
  } catch (error) {
    return (error as Error).message
  }
}

class Torture {
  readonly #options: TortureOptions
  readonly #random: Random
  readonly #folder = mkdtempSync(join(tmpdir(), "trestle-torture-"))
  readonly #requests: Request[] = []
  readonly #hits: Record<string, number> = {}
  #receiver: ChildProcess | null = null
  #receiverPort = 0
  #subjectPort = 0
  #subject: ChildProcess | null = null
  #kills = 0
  #isOver = false
  #sent = 0

  constructor(options: TortureOptions) {
    this.#options = options
    this.#random = seededRandom(options.seed)
  }

  async run(): Promise<TortureFigures> {
    const startedAt = performance.now()
    this.#receiverPort = await freePort()
    this.#subjectPort = await freePort()
    await this.#startReceiver()
    const life = this.#life()
    await Promise.all(Array.from({ length: CUSTOMERS }, (_, i) => this.#customer(`c${i}`)))
    this.#isOver = true
    await life
    await this.#drain()
    const figures = await this.#judge()
    return { ...figures, seconds: Math.round((performance.now() - startedAt) / 1_000) }
  }

  async close(): Promise<void> {
    this.#subject?.kill("SIGKILL")
    this.#receiver?.kill("SIGKILL")
    await this.#options.database.close()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  // -- the processes --------------------------------------------------------------------------------

  async #startReceiver(): Promise<void> {
    this.#receiver = fork(join(import.meta.dirname, "../torture/receiver.ts"), [this.#ledger, String(this.#receiverPort)], {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    })
    await once(this.#receiver, "message")
    await this.#control({ troubleEvery: 40 })
  }

  get #ledger(): string {
    return join(this.#folder, "arrivals.jsonl")
  }

  async #control(what: object): Promise<void> {
    await fetch(`http://127.0.0.1:${this.#receiverPort}/control`, { method: "POST", body: JSON.stringify(what) }).catch(() => undefined)
  }

  /** Starts the application, lets it work for a moment, and sees it die; again and again. */
  async #life(): Promise<void> {
    const { kills, database, say } = this.#options
    while (this.#kills < kills && !this.#isOver) {
      const point = this.#nextPoint()
      const child = await this.#startSubject(point)
      if (child === null) continue
      const died = once(child, "exit")
      if (point === RECEIVER_POINT) await this.#control({ pid: child.pid, killAfter: 1 + this.#below(30) })
      const lifeMs = point === OUTSIDE_POINT ? this.#below(LIFE_MS) : LIFE_MS
      let wasLate = false
      const late = setTimeout(() => {
        wasLate = true
        child.kill("SIGKILL")
      }, lifeMs)
      const [, signal] = await died
      clearTimeout(late)
      if (signal !== "SIGKILL") throw new Error(`the application ended by itself: ${signal}`)
      this.#kills++
      // A point that was not reached in time was a kill from outside.
      const hit = wasLate ? OUTSIDE_POINT : point
      this.#hits[hit] = (this.#hits[hit] ?? 0) + 1
      if (this.#kills % 25 === 0) {
        say?.(`${this.#kills} kills, ${this.#sent} requests`)
        this.#receiver!.kill("SIGKILL")
        await once(this.#receiver!, "exit")
        await this.#startReceiver()
        await database.kill()
      }
    }
    this.#subject = await this.#startSubject(null)
  }

  /** The point that was hit least so far. */
  #nextPoint(): string {
    const points = [...CRASH_POINTS.map(({ name }) => name), RECEIVER_POINT, OUTSIDE_POINT]
    return points.reduce((least, one) => ((this.#hits[one] ?? 0) < (this.#hits[least] ?? 0) ? one : least))
  }

  async #startSubject(point: string | null): Promise<ChildProcess | null> {
    const { database, subject = join(import.meta.dirname, "../torture/subject.ts") } = this.#options
    const { PATH, NODE_COMPILE_CACHE } = process.env
    const child = fork(subject, {
      stdio: ["ignore", "ignore", "inherit", "ipc"],
      env: {
        PATH,
        NODE_COMPILE_CACHE,
        ...database.variables(this.#folder),
        TRESTLE_DATA: join(this.#folder, "data"),
        SUBJECT_PORT: String(this.#subjectPort),
        RECEIVER_URL: `http://127.0.0.1:${this.#receiverPort}`,
        ...(point === null ? {} : { CRASH_POINT: point, CRASH_COUNT: String(1 + this.#below(20)) }),
      },
    })
    this.#subject = child
    const [first] = await Promise.race([once(child, "message"), once(child, "exit")])
    if (first === "listening") return child
    // Killed before it listens is killed too; what ends by itself cannot start.
    if (child.signalCode !== "SIGKILL") throw new Error(`the application does not start: exit code ${child.exitCode}`)
    return null
  }

  // -- the callers ----------------------------------------------------------------------------------

  /** One thing after the other, each with a key of its own, until it is known what became of it. */
  async #customer(customer: string): Promise<void> {
    const random = seededRandom(this.#options.seed * 1_000 + Number(customer.slice(1)))
    for (let n = 1; this.#mustGoOn; n++) {
      this.#sent++
      const path = PATHS[Math.floor(random.next() * PATHS.length)]!
      const request: Request = { path, id: `${customer}-${n}`, customer, n, told: "unknown" }
      this.#requests.push(request)
      await this.#ask(request)
    }
  }

  get #mustGoOn(): boolean {
    return this.#sent < this.#options.deliveries || this.#kills < this.#options.kills
  }

  async #ask(request: Request): Promise<void> {
    const { path, id, customer, n } = request
    for (let tries = 0; tries < 400; tries++) {
      const reply = await fetch(`http://127.0.0.1:${this.#subjectPort}/${path}`, {
        method: "POST",
        headers: { "content-type": "application/json", "idempotency-key": id },
        body: JSON.stringify({ id, customer, n }),
        signal: AbortSignal.timeout(10_000),
      }).catch(() => null)
      const status = reply?.status
      const body = reply && ((await reply.json().catch(() => null)) as { code?: string; outcome?: string } | null)
      request.told = toldBy(status, body?.outcome)
      // Nobody answered, somebody holds the key, or nothing has happened: asked again. What the application itself does not know stays unknown.
      const isOver = request.told === "acknowledged" || request.told === "declined" || body?.outcome === "unknown"
      if (isOver) return
      await pause(20 + tries)
    }
  }

  // -- the end --------------------------------------------------------------------------------------

  /** Until nothing is left to be done. */
  async #drain(): Promise<void> {
    const { database, say } = this.#options
    const until = performance.now() + DRAIN_MS_MAX
    await this.#control({ troubleEvery: 0 })
    for (;;) {
      const left = await database.left(this.#folder)
      if (left === 0) break
      if (performance.now() > until) throw new Error(`${left} jobs and messages were still left after ${DRAIN_MS_MAX / 1_000} s`)
      say?.(`${left} left`)
      await pause(1_000)
    }
  }

  async #judge(): Promise<Omit<TortureFigures, "seconds">> {
    const { database } = this.#options
    const arrivals = readFileSync(this.#ledger, "utf8")
      .split("\n")
      .filter((line) => line.endsWith("}"))
      .map((line) => JSON.parse(line) as Arrival)
    const stored = await database.stored(this.#folder)
    const broken = judge(this.#requests, arrivals, stored)
    const distinct = new Set(arrivals.map(({ via, id }) => `${via} ${id}`)).size
    return {
      kills: this.#kills,
      hits: this.#hits,
      acknowledged: this.#requests.filter(({ told }) => told === "acknowledged").length,
      unknown: this.#requests.filter(({ told }) => told === "unknown").length,
      arrivals: arrivals.length,
      duplicatesOnTheWire: arrivals.length - distinct,
      duplicatesMax: this.#kills * (IN_FLIGHT + ACKNOWLEDGED_TOGETHER),
      broken,
    }
  }

  #below(most: number): number {
    return Math.floor(this.#random.next() * most)
  }
}

function toldBy(status: number | undefined, outcome: string | undefined): Request["told"] {
  if (status !== undefined && status >= 200 && status < 300) return "acknowledged"
  if (status === 402) return "declined"
  return outcome === "refused" || status === 409 ? "refused" : "unknown"
}

interface Arrival {
  readonly via: string
  readonly id: string
  readonly customer: string
  readonly n: number
  readonly key: string
  readonly status: number
  readonly isFirst: boolean
}

/** What is in the application's own database, and in its store. */
export interface Stored {
  readonly orders: readonly string[]
  readonly bills: readonly string[]
  readonly ledger: readonly string[]
  /** Jobs that wait for a person, with their reasons. */
  readonly undecided: readonly string[]
}

/** Every promise, one after the other. Effects are counted by the business's own ids, never by our keys. */
function judge(requests: readonly Request[], arrivals: readonly Arrival[], stored: Stored): string[] {
  const broken: string[] = []
  const effects = new Map<string, Set<string>>()
  for (const { via, id, key, status } of arrivals) {
    if (status !== 201) continue
    const name = `${via} ${id}`
    effects.set(name, (effects.get(name) ?? new Set()).add(key))
  }
  const times = (via: string, id: string): number => effects.get(`${via} ${id}`)?.size ?? 0
  // What was taken back may be done anew, when the caller asks again.
  for (const [name, keys] of effects) if (keys.size > 1 && !/^(reserve|release) /.test(name)) broken.push(`${name}: ${keys.size} effects`)
  for (const table of ["orders", "bills", "ledger"] as const) for (const id of repeated(stored[table])) broken.push(`${table} ${id}: twice`)
  const orders = new Set(stored.orders)
  const bills = new Set(stored.bills)
  const ledger = new Set(stored.ledger)
  for (const { path, id, told } of requests) {
    const isAcknowledged = told === "acknowledged"
    if (path === "orders") {
      if (isAcknowledged && !orders.has(id)) broken.push(`order ${id}: acknowledged, and not there`)
      if (orders.has(id) !== (times("ship", id) === 1))
        broken.push(`order ${id}: stored ${orders.has(id)}, shipped ${times("ship", id)} times`)
      if (orders.has(id) !== bills.has(id)) broken.push(`order ${id}: stored ${orders.has(id)}, billed ${bills.has(id)}`)
    } else if (path === "later") {
      if (isAcknowledged && times("later", id) !== 1) broken.push(`later ${id}: acknowledged, and ${times("later", id)} effects`)
    } else {
      const [reserved, released, charged, booked, thanked] = [
        times("reserve", id),
        times("release", id),
        times("charge", id),
        ledger.has(id) ? 1 : 0,
        times("thank", id),
      ]
      const isDone = reserved - released === 1 && charged === 1 && booked === 1 && thanked === 1
      const isUndone = reserved === released && charged === 0 && booked === 0 && thanked === 0
      if (!isDone && !isUndone)
        broken.push(`checkout ${id}: reserved ${reserved}, released ${released}, charged ${charged}, booked ${booked}, thanked ${thanked}`)
      if (told === "declined" && !isUndone) broken.push(`checkout ${id}: declined, and not undone`)
    }
  }
  broken.push(...outOfOrder(arrivals, "ship"))
  for (const one of stored.undecided) broken.push(`left for a person: ${one}`)
  return broken
}

function repeated(ids: readonly string[]): string[] {
  const seen = new Set<string>()
  return ids.filter((id) => seen.has(id) || !seen.add(id))
}

/** First arrivals of each customer, in the order in which the customer has asked. */
function outOfOrder(arrivals: readonly Arrival[], which: string): string[] {
  const last = new Map<string, number>()
  const seen = new Set<string>()
  const broken: string[] = []
  for (const { via, id, customer, n } of arrivals) {
    if (via !== which || seen.has(id)) continue
    seen.add(id)
    const before = last.get(customer) ?? 0
    if (n < before) broken.push(`${which} ${id}: came after ${customer}-${before}`)
    last.set(customer, Math.max(n, before))
  }
  return broken
}

// R5: many calls with one key, on two nodes with one store, whose processes are killed while they hold keys.
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { createInterface } from "node:readline"
import { DatabaseSync } from "node:sqlite"
import { setTimeout as pause } from "node:timers/promises"
import { claimId } from "../../../src/durable/claim-names.ts"
import { replies } from "../kit/behaviours.ts"
import { type Arrival, type Behaviour, Receiver } from "../kit/receiver.ts"

const NODE = new URL("../kit/keyed-node.ts", import.meta.url).pathname
const NAMES = ["a", "b"] as const
type NodeName = (typeof NAMES)[number]

/** When a holder dies: before the effect, with the effect and no answer, with the answer on its way to it. */
export const POINTS = ["before the effect", "after the effect", "with the answer"] as const
type Point = (typeof POINTS)[number]

export interface DuplicatesOptions {
  readonly folder: string
  readonly keys: number
  /** Calls of each key, all at once, on both nodes in turn. */
  readonly times: number
  readonly kills: number
  /** Keys under way together. */
  readonly together: number
  /** Ends the leases of the dead at once, instead of waiting until they are over. */
  readonly endsLeases: boolean
}

export interface DuplicatesFigures {
  readonly keys: number
  readonly calls: number
  readonly kills: Readonly<Record<Point, number>>
  /** Keys with more than one effect. Must be none. */
  readonly doubled: readonly string[]
  /** Keys of which some call was answered, and that have not exactly one effect. Must be none. */
  readonly lied: readonly string[]
  /** Keys whose calls were not all answered alike. Must be none. */
  readonly torn: readonly string[]
  /** Keys that are unknown although the process that asked for their effect did not die. Must be none. */
  readonly lost: readonly string[]
  readonly answered: number
  readonly unknown: number
}

/** Runs it, and looks at the receiver's ledger. */
export async function duplicates(options: DuplicatesOptions): Promise<DuplicatesFigures> {
  const ledger = new Ledger(options)
  await using receiver = await Receiver.open(ledger.behaviour)
  const nodes = new Nodes(options.folder, receiver.url)
  ledger.kill = (name) => nodes.kill(name)
  await nodes.start()
  try {
    const waiting = Array.from({ length: options.keys }, (_, n) => `key-${n}`)
    const results = new Map<string, string[]>()
    const worker = async (): Promise<void> => {
      for (let key = waiting.shift(); key !== undefined; key = waiting.shift()) results.set(key, await callsOf(key, nodes, options, ledger))
    }
    await Promise.all(Array.from({ length: options.together }, worker))
    return ledger.figures(results)
  } finally {
    await nodes.stop()
  }
}

/** All calls of one key, each repeated as a client would until it knows how it stands. */
async function callsOf(key: string, nodes: Nodes, { times, endsLeases, folder }: DuplicatesOptions, ledger: Ledger): Promise<string[]> {
  const one = async (n: number): Promise<string> => {
    for (let tried = 0; ; tried++) {
      const end = await call(nodes.urlOf(NAMES[(n + tried) % NAMES.length]!), key)
      if (end !== "again") return end
      if (endsLeases && tried % 10 === 9 && ledger.isOfTheDead(key)) endLease(folder, key)
      await pause(20 + Math.random() * 30)
    }
  }
  return Promise.all(Array.from({ length: times }, (_, n) => one(n)))
}

/** The answer; `unknown`; or `again` for what says nothing. */
async function call(url: string, key: string): Promise<string> {
  let reply: Response
  try {
    const headers = { "content-type": "application/json", "idempotency-key": `"${key}"` }
    reply = await fetch(`${url}/effects`, { method: "POST", headers, body: JSON.stringify({ key }) })
    const body = (await reply.json()) as { number?: number; code?: string }
    if (reply.status === 201) return `answered ${body.number}`
    if (body.code === "OUTCOME_UNKNOWN") return "unknown"
    if (body.code === "KEY_IN_USE" || body.code === "UNAVAILABLE") return "again"
    return `unexpected ${reply.status} ${body.code}`
  } catch {
    return "again"
  }
}

/** What time would do: whoever has died does not hold its key any more. */
function endLease(folder: string, key: string): void {
  const store = new DatabaseSync(`${folder}/store.db`, { timeout: 5_000 })
  try {
    const id = claimId("caller", { principal: null }, "act", key)
    store.prepare("update trestle_claims set lease_until = 0 where id = ? and state = 'running'").run(id)
  } finally {
    store.close()
  }
}

/** The receiver's side: every effect by the key that it was asked for under, and whom to kill when. */
class Ledger {
  readonly #effects = new Map<string, number>()
  readonly #kills = Object.fromEntries(POINTS.map((point) => [point, 0])) as Record<Point, number>
  readonly #everyNth: number
  readonly #options: DuplicatesOptions
  /** The process that asked for the effect of a key. */
  readonly #askedBy = new Map<string, string>()
  readonly #dead = new Set<string>()
  #arrivals = 0
  kill: (name: NodeName) => void = () => {}

  constructor(options: DuplicatesOptions) {
    this.#options = options
    this.#everyNth = Math.max(1, Math.floor(options.keys / (options.kills + 1)))
  }

  isOfTheDead(key: string): boolean {
    const process = this.#askedBy.get(key)
    return process !== undefined && this.#dead.has(process)
  }

  readonly behaviour: Behaviour = (socket, arrival) => {
    const { key } = JSON.parse(arrival.body) as { key: string }
    const node = arrival.headers["x-node"]!
    const kills = this.#killCount()
    const isDue = ++this.#arrivals >= (kills + 1) * this.#everyNth && kills < this.#options.kills && !this.#dead.has(node)
    const point = isDue ? POINTS[kills % POINTS.length]! : null
    this.#askedBy.set(key, node)
    if (point === "before the effect") return this.#kill(node, point)
    const number = (this.#effects.get(key) ?? 0) + 1
    this.#effects.set(key, number)
    if (point === "after the effect") return this.#kill(node, point)
    replies(200, { number })(socket, arrival as Arrival)
    if (point === "with the answer") this.#kill(node, point)
  }

  #kill(node: string, point: Point): void {
    this.#kills[point]++
    this.#dead.add(node)
    this.kill(node.split(" ")[0] as NodeName)
  }

  #killCount(): number {
    return Object.values(this.#kills).reduce((sum, count) => sum + count, 0)
  }

  figures(results: ReadonlyMap<string, readonly string[]>): DuplicatesFigures {
    const all = [...results]
    const effectsOf = (key: string): number => this.#effects.get(key) ?? 0
    const isAnswered = (ends: readonly string[]): boolean => ends.some((end) => end.startsWith("answered"))
    const named = (holds: (key: string, ends: readonly string[]) => boolean): string[] =>
      all
        .filter(([key, ends]) => holds(key, ends))
        .map(([key, ends]) => `${key}: ${effectsOf(key)} effects, ${[...new Set(ends)].join(", ")}`)
    return {
      keys: all.length,
      calls: all.reduce((sum, [, ends]) => sum + ends.length, 0),
      kills: this.#kills,
      doubled: named((key) => effectsOf(key) > 1),
      lied: named((key, ends) => isAnswered(ends) && effectsOf(key) !== 1),
      torn: named((_, ends) => new Set(ends).size !== 1 || ends.some((end) => end.startsWith("unexpected"))),
      lost: named((key, ends) => !isAnswered(ends) && this.#askedBy.has(key) && !this.isOfTheDead(key)),
      answered: all.filter(([, ends]) => isAnswered(ends)).length,
      unknown: all.filter(([, ends]) => !isAnswered(ends)).length,
    }
  }
}

/** Two processes on one store; one that was killed is started again. */
class Nodes {
  readonly #folder: string
  readonly #receiver: string
  readonly #running = new Map<NodeName, { readonly child: ChildProcess; readonly url: string }>()
  readonly #starting = new Set<Promise<void>>()
  #isOver = false

  constructor(folder: string, receiver: string) {
    this.#folder = folder
    this.#receiver = receiver
  }

  async start(): Promise<void> {
    for (const name of NAMES) await this.#startOne(name)
  }

  /** Of the other one while that one is being started again. */
  urlOf(name: NodeName): string {
    return (this.#running.get(name) ?? [...this.#running.values()][0])?.url ?? "http://127.0.0.1:1"
  }

  kill(name: NodeName): void {
    this.#running.get(name)?.child.kill("SIGKILL")
    this.#running.delete(name)
    const starting = this.#startOne(name).finally(() => this.#starting.delete(starting))
    this.#starting.add(starting)
  }

  async stop(): Promise<void> {
    this.#isOver = true
    await Promise.all(this.#starting)
    for (const { child } of this.#running.values()) {
      const closed = once(child, "close")
      child.kill("SIGKILL")
      await closed
    }
  }

  async #startOne(name: NodeName): Promise<void> {
    const child = spawn(process.execPath, ["--no-warnings", NODE], {
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, NODE: name, RECEIVER: this.#receiver, TRESTLE_DATA: this.#folder, TRESTLE_LOG: "error" },
    })
    for await (const line of createInterface({ input: child.stdout! })) {
      if (!line.startsWith("= ")) continue
      if (this.#isOver) child.kill("SIGKILL")
      else this.#running.set(name, { child, url: line.slice(2) })
      child.stdout!.resume()
      return
    }
    throw new Error(`node ${name} has ended before it was ready`)
  }
}

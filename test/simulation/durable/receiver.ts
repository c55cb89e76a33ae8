import type { Random } from "../../../src/base/random.ts"
import type { HttpTransport, WireListener, WireRequest } from "../../../src/contract/ports.ts"
import { Flight, reply } from "../receiver.ts"
import type { VirtualClock } from "../virtual-clock.ts"
import type { Order } from "./application.ts"
import type { SimulatedProcess } from "./process.ts"

const FAULTS = [
  "refuse",
  "hang",
  "hang with effect",
  "reset",
  "reset after effect",
  "500",
  "500 after effect",
  "503",
  "429",
  "slow",
  "late effect",
] as const
type Fault = (typeof FAULTS)[number] | "none"

/** An effect, or a repeat of it that had none. */
export interface Effect {
  readonly via: string
  readonly id: string
  readonly customer: string
  readonly n: number
  readonly at: number
}

/**
 * Another system, which counts effects by what they are about, whatever key they came with. Of what comes with a key it remembers the first
 * answer.
 */
export class EffectsReceiver {
  /** In the order in which they happened. */
  readonly effects: Effect[] = []
  arrivals = 0
  repeats = 0
  /** How many of its requests meet a fault, from 0 to 1. */
  trouble: number
  readonly broken: string[] = []
  /** Hears of every request, and of what it met. */
  told: (line: string) => void = () => {}
  readonly #answers = new Map<string, number>()
  readonly #clock: VirtualClock
  readonly #random: Random
  /** Who is asking for what just now. */
  readonly #underWay = new Map<string, SimulatedProcess>()

  constructor(clock: VirtualClock, random: Random, trouble: number) {
    this.#clock = clock
    this.#random = random
    this.trouble = trouble
  }

  /** The network as one process has it. */
  transportOf(process: SimulatedProcess, concurrency: number): HttpTransport {
    let flying = 0
    return {
      close: () => Promise.resolve(),
      open: () => {
        throw new Error("no operation of the simulation streams")
      },
      send: (request, listener) => {
        if (process.isDead) return { stop: () => {} }
        if (++flying > concurrency) this.broken.push(`${flying} requests at once from one process, which sends ${concurrency}`)
        const asked = JSON.parse(request.body as string) as Order & { via: string }
        const what = `${asked.via} ${asked.id}`
        const other = this.#underWay.get(what)
        if (other && !other.hasBeenPaused && !process.hasBeenPaused)
          this.broken.push(`${what} is sent by ${process.name} while ${other.name} still waits for its answer`)
        this.#underWay.set(what, process)
        const flight = new Flight(gated(listener, process), () => {
          flying--
          if (this.#underWay.get(what) === process) this.#underWay.delete(what)
        })
        process.onDeath(() => flight.stop())
        this.#send(request, asked, flight)
        return flight
      },
    }
  }

  #send(request: WireRequest, asked: Order & { via: string }, flight: Flight): void {
    const fault: Fault = this.#random.next() < this.trouble ? FAULTS[Math.floor(this.#random.next() * FAULTS.length)]! : "none"
    this.told(`${asked.via} ${asked.id} meets ${fault}`)
    const wait = (ms: number, happen: () => void): void => this.#clock.at(ms, happen)
    const travelMs = this.#random.next() * 20
    if (fault === "refuse") return wait(travelMs, () => flight.fail("ECONNREFUSED"))
    wait(travelMs, () => {
      if (flight.isOver) return
      this.arrivals++
      flight.begin(() => {})
      const soon = this.#random.next() * 30
      const status = (): number => this.#effect(request.headers["x-key"], asked)
      if (fault === "hang") return
      if (fault === "hang with effect") return wait(soon, status)
      if (fault === "reset") return wait(soon, () => flight.fail("ECONNRESET"))
      if (fault === "500") return wait(soon, () => flight.reply(reply(500)))
      if (fault === "503") return wait(soon, () => flight.reply(reply(503)))
      if (fault === "429") return wait(soon, () => flight.reply(reply(429, undefined, { "retry-after": "1" })))
      const delayMs = fault === "slow" ? 1_000 + soon * 100 : fault === "late effect" ? 6_000 + soon * 100 : soon
      wait(delayMs, () => {
        const answer = status()
        if (fault === "reset after effect") flight.fail("ECONNRESET")
        else flight.reply(fault === "500 after effect" ? reply(500) : reply(answer, {}))
      })
    })
  }

  #effect(key: string | undefined, { via, id, customer, n }: Order & { via: string }): number {
    const known = key === undefined ? undefined : this.#answers.get(key)
    if (known !== undefined) {
      this.repeats++
      return known
    }
    const status = via === "charge" && n % 3 === 0 ? 402 : 201
    if (key !== undefined) this.#answers.set(key, status)
    if (status === 201) this.effects.push({ via, id, customer, n, at: this.#clock.now() })
    return status
  }
}

function gated(listener: WireListener, process: SimulatedProcess): WireListener {
  return {
    sent: () => process.enter(() => listener.sent()),
    replied: (answer) => process.enter(() => listener.replied(answer)),
    failed: (error) => process.enter(() => listener.failed(error)),
  }
}

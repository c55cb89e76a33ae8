import type { Random } from "../../src/base/random.ts"
import type { HttpTransport, WireListener, WireReply, WireRequest } from "../../src/contract/ports.ts"
import type { VirtualClock } from "./virtual-clock.ts"

/** What one request met, told by the receiver's side of the wire: the ledger that the invariants read. */
export interface Arrival {
  readonly receiver: string
  readonly intent: string
  readonly isWrite: boolean
  readonly key: string | undefined
  readonly bytes: string
  readonly at: number
  readonly fault: Fault
  /** The receiver said that nothing has happened. */
  isRefused: boolean
  /** When the caller knew the end of it: reply, loss or stop. */
  endedAt: number
}

const FAULTS = [
  "none",
  "none",
  "none",
  "none",
  "refuse",
  "connect hangs",
  "hang",
  "hang with effect",
  "reset",
  "reset after effect",
  "500",
  "500 after effect",
  "503",
  "429",
  "425",
  "404",
  "drift",
  "broken json",
  "slow",
  "slow effect",
] as const
export type Fault = (typeof FAULTS)[number]

const REFUSALS: readonly Fault[] = ["429", "425"]

/** Who listens for what happens on the wire. */
export interface Watch {
  sending(receiver: string): void
  ended(receiver: string): void
}

/**
 * A faulty service in memory. It remembers keys as a good service does: a repeat of a request with a known key has no second effect and
 * is answered as the first was, or with 409 where it is of that kind.
 */
export class Receiver implements HttpTransport {
  readonly name: string
  readonly arrivals: Arrival[] = []
  /** Effects by intent: times and the key or id that makes a repeat the same one. */
  readonly effects = new Map<string, Set<string>>()
  readonly #clock: VirtualClock
  readonly #random: Random
  readonly #watch: Watch
  readonly #trouble: number
  readonly #refuses503: boolean
  #counter = 0

  constructor(name: string, clock: VirtualClock, random: Random, options: { watch: Watch; trouble: number; refuses503: boolean }) {
    this.name = name
    this.#clock = clock
    this.#random = random
    this.#watch = options.watch
    this.#trouble = options.trouble
    this.#refuses503 = options.refuses503
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  open(): { stop(): void } {
    throw new Error("no operation of the simulation streams")
  }

  send(request: WireRequest, listener: WireListener): { stop(): void } {
    const flight = new Flight(listener, () => this.#watch.ended(this.name))
    this.#watch.sending(this.name)
    const fault = this.#random.next() < this.#trouble ? FAULTS[Math.floor(this.#random.next() * FAULTS.length)]! : "none"
    const latencyMs = Math.floor(this.#random.next() * 20)
    if (fault === "refuse") this.#clock.at(latencyMs, () => flight.fail("ECONNREFUSED"))
    else if (fault !== "connect hangs") this.#clock.at(latencyMs, () => flight.isOver || this.#arrive(request, flight, fault))
    return flight
  }

  #arrive(request: WireRequest, flight: Flight, fault: Fault): void {
    const intent = request.path.split("/")[2] ?? JSON.parse(request.body as string).intent
    const isWrite = request.method !== "GET"
    const key = request.headers["x-key"]
    const isFirst = !this.arrivals.some((one) => one.intent === intent && one.isWrite)
    const arrival: Arrival = {
      receiver: this.name,
      intent,
      isWrite,
      key,
      bytes: `${request.method} ${request.path} ${request.body}`,
      at: this.#clock.now(),
      fault,
      isRefused: REFUSALS.includes(fault) || (fault === "503" && this.#refuses503),
      endedAt: Number.POSITIVE_INFINITY,
    }
    this.arrivals.push(arrival)
    flight.begin(() => {
      arrival.endedAt = this.#clock.now()
    })
    const identity = request.method === "PUT" ? "natural" : (key ?? `#${this.#counter++}`)
    const effect = (): void => {
      if (!isWrite) return
      const all = this.effects.get(intent) ?? new Set()
      this.effects.set(intent, all.add(identity))
    }
    const isKnown = key !== undefined && this.effects.get(intent)?.has(identity) === true
    const success = (): WireReply =>
      isKnown && intent.endsWith("c") ? reply(409) : reply(isWrite ? 201 : 200, { intent, by: this.name, name: "x" })
    const soon = Math.floor(this.#random.next() * 30)
    const later = (ms: number, happen: () => void): void => this.#clock.at(ms, happen)
    const effectThen = (ms: number, answer: () => void): void =>
      later(ms, () => {
        effect()
        answer()
      })
    switch (fault) {
      case "hang":
        return
      case "hang with effect":
        return later(soon, effect)
      case "reset":
        return later(soon, () => flight.fail("ECONNRESET"))
      case "reset after effect":
        return effectThen(soon, () => flight.fail("ECONNRESET"))
      case "500":
      case "503":
        return later(soon, () => flight.reply(reply(Number(fault))))
      case "500 after effect":
        return effectThen(soon, () => flight.reply(reply(500)))
      case "429":
        return later(soon, () => flight.reply(reply(429, undefined, { "retry-after": String(Math.floor(this.#random.next() * 3)) })))
      case "425":
        return later(soon, () => flight.reply(reply(425)))
      case "404":
        // A real "no" comes only from a service that has not done it before.
        if (isWrite && !isFirst) return effectThen(soon, () => flight.reply(success()))
        return later(soon, () => flight.reply(reply(404)))
      case "drift":
        return effectThen(soon, () => flight.reply(reply(200, { no: "thing" })))
      case "broken json":
        return effectThen(soon, () => flight.reply({ status: 200, headers: {}, body: '{"intent":' }))
      case "slow":
        return effectThen(200 + soon * 20, () => flight.reply(success()))
      case "slow effect":
        // It goes on although its caller has closed the connection.
        return effectThen(1_500 + soon, () => flight.reply(success()))
      default:
        return effectThen(soon, () => flight.reply(success()))
    }
  }
}

/** One request under way, as its sender has it. */
export class Flight {
  isOver = false
  readonly #listener: WireListener
  readonly #over: () => void
  #ended: () => void = () => {}

  constructor(listener: WireListener, over: () => void) {
    this.#listener = listener
    this.#over = over
  }

  begin(ended: () => void): void {
    this.#ended = ended
    this.#listener.sent()
  }

  reply(answer: WireReply): void {
    if (this.#end()) this.#listener.replied(answer)
  }

  fail(code: string): void {
    if (this.#end()) this.#listener.failed(Object.assign(new Error(code), { code }))
  }

  stop(): void {
    this.#end()
  }

  #end(): boolean {
    if (this.isOver) return false
    this.isOver = true
    this.#over()
    this.#ended()
    return true
  }
}

export function reply(status: number, body?: unknown, headers: Record<string, string> = {}): WireReply {
  return { status, headers, body: body === undefined ? "" : JSON.stringify(body) }
}

import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import type { Connection, ServiceHost } from "../../contract/service.ts"
import type { Arrival, Fault, PlacedCall, StandIn } from "../../contract/stand-in.ts"
import { openRest, type RestSettings } from "./connection.ts"
import type { HealthyReply, RestCall } from "./rehearsed.ts"
import { answerBadly, isHarmless, REST_FAULTS, type RestFault } from "./rest-faults.ts"
import { openSwitch, type Switch } from "./stand-in-network.ts"

/** Which service it stands for. */
interface Place {
  readonly settings: RestSettings
  /** Statuses with which it says that nothing has happened. */
  readonly refuses: readonly number[]
}

interface Placed extends PlacedCall {
  readonly call: RestCall
  readonly pattern: RegExp
}

/** Opens an HTTP server on a free port of this machine that answers the declared calls, and fails as it is told. */
export async function openRestStandIn(place: Place, calls: readonly PlacedCall[], fault: Fault | null): Promise<StandIn> {
  const standIn = new RestStandIn(place, calls as readonly (PlacedCall & { call: RestCall })[], fault)
  await standIn.listen()
  return standIn
}

class RestStandIn implements StandIn {
  readonly arrivals: Arrival[] = []
  readonly #place: Place
  readonly #calls: readonly Placed[]
  readonly #fault: RestFault | null
  readonly #server = createServer((request, response) => void this.#receive(request, response))
  readonly #timers = new Set<NodeJS.Timeout>()
  #switch: Switch | null = null
  #isFailing = false
  /** It fails in this one alone of its writes; `null`: in everything. */
  #nth: number | null = null
  #writes = 0

  constructor(place: Place, calls: readonly (PlacedCall & { call: RestCall })[], fault: Fault | null) {
    this.#place = place
    this.#calls = calls.map((one) => ({ ...one, pattern: patternOf(one.call) }))
    this.#fault = REST_FAULTS.find(({ name }) => name === fault?.name) ?? null
  }

  listen(): Promise<void> {
    return new Promise((resolve, reject) => this.#server.once("error", reject).listen(0, "127.0.0.1", resolve))
  }

  /** The connector's own connection and transport, towards this server: no address is resolved, nothing leaves this machine. */
  async open(host: ServiceHost): Promise<Connection> {
    const url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
    this.#switch = await openSwitch(url, host.concurrency, this.#fault?.isRefusal === true)
    return openRest({ ...this.#place.settings, url }, { ...host, openTransport: () => this.#switch! })
  }

  fail(nth?: number): void {
    this.#isFailing = true
    this.#nth = nth ?? null
    if (this.#fault?.isRefusal) this.#switch?.refuse()
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer)
    await this.#switch?.end()
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await wholeOf(request)
    if (body === null) return
    const { method = "", url = "" } = request
    const path = url.split("?")[0]!
    const placed = this.#calls.find(({ call, pattern }) => call.route.method === method && pattern.test(path))
    if (!placed) return void response.writeHead(404).end()
    const fault = this.#strikes(placed, method) ? this.#fault : null
    const hasDoneNothing = fault !== null && isHarmless(fault, this.#place.refuses)
    this.arrivals.push({ asked: placed.call.asked, effect: hasDoneNothing ? null : this.#effectOf(placed, request, body) })
    const { reply } = placed.call
    if (fault === null) return answerWell(response, reply)
    const well = (): void => this.#later(placed.timeoutMs / 2, () => answerWell(response, reply))
    answerBadly(fault, { response, reply, well })
  }

  #strikes(placed: Placed, method: string): boolean {
    if (!this.#isFailing || this.#nth === null) return this.#isFailing
    return mayHaveEffect(placed, method) && ++this.#writes === this.#nth
  }

  /** What the service promises of a repeat decides whether a second arrival is a second effect. */
  #effectOf(placed: Placed, { method = "", url = "", headers }: IncomingMessage, body: string): string | null {
    const { call } = placed
    if (!mayHaveEffect(placed, method)) return null
    if (call.repeat === "none") return `${this.#place.settings.name} ${this.arrivals.length}`
    if (call.repeat === "natural") return `${method} ${url} ${body}`
    return `${this.#place.settings.name} ${headers[call.repeat.key.toLowerCase()]}`
  }

  #later(ms: number, work: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      work()
    }, ms)
    this.#timers.add(timer)
  }
}

function mayHaveEffect({ effect }: Placed, method: string): boolean {
  return effect === "write" && method !== "GET"
}

function answerWell(response: ServerResponse, { type, body }: HealthyReply): void {
  if (body === "") response.writeHead(204).end()
  else response.writeHead(200, { "content-type": type, "content-length": Buffer.byteLength(body) }).end(body)
}

function patternOf({ route }: RestCall): RegExp {
  const parts = route.parts.map((part, i) => (i % 2 === 1 ? "[^/]+" : part.replace(/[.*+?^$()|[\]\\{}]/g, "\\$&")))
  return new RegExp(`^${parts.join("")}$`)
}

/** `null` for a request that broke off: what has not come as a whole has no effect. */
async function wholeOf(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = []
  try {
    for await (const chunk of request) chunks.push(chunk as Buffer)
  } catch {
    return null
  }
  return Buffer.concat(chunks).toString("latin1")
}

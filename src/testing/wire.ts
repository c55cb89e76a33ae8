import type { Clock } from "../base/clock.ts"
import { readJson } from "../base/json.ts"
import type { HttpTransport, WireListener, WireRequest, WireStreamListener } from "../contract/ports.ts"
import { TrestleError } from "../errors/trestle-error.ts"
import { type WireAnswer, WireAnswers, type WireOutcome } from "./wire-answer.ts"
import { Flight, poisoned } from "./wire-flight.ts"
import { nearestRoute } from "./wire-route.ts"

/** A request that has left for a service. */
export interface SentRequest {
  /** The programmed route that it fits: `GET /people/{id}`. */
  readonly route: string
  readonly method: string
  readonly path: string
  readonly params: Readonly<Record<string, string>>
  /** A repeated field is a list. */
  readonly query: Readonly<Record<string, string | readonly string[]>>
  readonly headers: Readonly<Record<string, string>>
  /** Parsed where it is JSON; `undefined` without one. */
  readonly body: any
  /** The body's text, as it went over the wire. */
  readonly text: string | null
  /** The same as bytes, where it was sent as it was read: a file, a form with files. */
  readonly bytes: Uint8Array | null
  /** The caller has closed the connection before the answer was there. */
  readonly isStopped: boolean
}

type Sent = { -readonly [K in keyof SentRequest]: SentRequest[K] }

/** The network of one service, as a test has programmed it. */
export class Wire {
  readonly answers = new WireAnswers()
  readonly sent: SentRequest[] = []
  readonly #service: string
  readonly #clock: Clock
  readonly #trouble: (error: TrestleError) => void
  #downUntil = Number.NEGATIVE_INFINITY

  /** @param trouble Hears of every mistake of the test: it must not get lost in retries and fallbacks. */
  constructor(service: string, clock: Clock, trouble: (error: TrestleError) => void) {
    this.#service = service
    this.#clock = clock
    this.#trouble = trouble
  }

  down(ms = Number.POSITIVE_INFINITY): void {
    this.#downUntil = this.#clock.now() + ms
  }

  up(): void {
    this.#downUntil = Number.NEGATIVE_INFINITY
  }

  reset(): void {
    this.up()
    this.answers.clear()
    this.sent.length = 0
  }

  readonly transport: HttpTransport = {
    send: (request, listener) => this.#send(request, listener),
    open: (request, listener) => this.#send(request, listener),
    close: async () => {},
  }

  /** @throws {TrestleError} when nothing answers that request. Without a reason: no policy repeats it, no fallback hides it. */
  #send(request: WireRequest, listener: WireListener | WireStreamListener): { stop(): void } {
    const flight = new Flight(request, listener)
    if (this.#clock.now() < this.#downUntil) {
      queueMicrotask(() => flight.fail("ECONNREFUSED"))
      return flight
    }
    const [path = "", query = ""] = request.path.split("?", 2)
    const found = this.answers.take(request.method, path)
    if (!found) throw this.#mistake(this.#unmatched(request.method, path))
    const text = typeof request.body === "string" ? request.body : null
    const sent: Sent = {
      route: found.answer.route.text,
      method: request.method,
      path,
      params: found.params,
      query: queryOf(query),
      headers: { ...request.headers },
      body: text === null ? undefined : parsed(text),
      text,
      bytes: null,
      isStopped: false,
    }
    // As on a real wire, there is a moment in which the call can still be given up without a byte having left.
    queueMicrotask(() => {
      if (!flight.begin(sent)) return
      this.sent.push(sent)
      if (text === null && request.body !== null)
        void this.#receive(flight, sent, request.body as AsyncIterable<Uint8Array>, found.answer.outcome)
      else void this.#answer(flight, sent, found.answer.outcome)
    })
    return flight
  }

  /** Reads a body that is sent as it is read, then answers. */
  async #receive(flight: Flight, sent: Sent, body: AsyncIterable<Uint8Array>, outcomeOf: WireAnswer["outcome"]): Promise<void> {
    const chunks: Uint8Array[] = []
    try {
      for await (const chunk of body) {
        if (sent.isStopped) return
        chunks.push(chunk)
      }
    } catch (error) {
      return flight.lose(error)
    }
    const bytes = Buffer.concat(chunks)
    sent.bytes = bytes
    sent.text = bytes.toString("utf8")
    sent.body = parsed(sent.text)
    await this.#answer(flight, sent, outcomeOf)
  }

  async #answer(flight: Flight, sent: SentRequest, outcomeOf: (request: SentRequest) => WireOutcome | Promise<WireOutcome>): Promise<void> {
    let outcome: WireOutcome
    try {
      outcome = await outcomeOf(sent)
    } catch (cause) {
      const what = `the function that answers ${sent.route} of ${this.#service} threw: ${cause instanceof Error ? cause.message : String(cause)}`
      return flight.reply(poisoned(this.#mistake(what, cause)))
    }
    if (outcome === "drops") flight.fail("ECONNRESET")
    else if (outcome !== "hangs") flight.reply(outcome.reply, outcome.pieces)
  }

  #unmatched(method: string, path: string): string {
    const routes = this.answers.routes()
    const near = nearestRoute(method, path, routes)
    if (routes.some((route) => route.method === method && route.pattern.test(path))) {
      return `${method} ${path} to ${this.#service} is not answered: all answers for ${near} are used up; give one without \`times\``
    }
    const known = routes.slice(0, 8).map(({ text }) => text)
    const hint = near
      ? `did you mean ${near}?`
      : known.length > 0
        ? `programmed are ${known.join(", ")}`
        : "nothing is programmed for it yet"
    return `${method} ${path} to ${this.#service} is not answered by this test: ${hint} Program it: t.wire(...).on("${method} ${path}").reply(200, { ... })`
  }

  #mistake(what: string, cause?: unknown): TrestleError {
    const error = new TrestleError("INTERNAL", `TEST: ${what}`, cause === undefined ? {} : { cause })
    this.#trouble(error)
    return error
  }
}

function parsed(text: string): unknown {
  const read = readJson(text)
  return "value" in read ? read.value : text
}

function queryOf(text: string): Record<string, string | string[]> {
  const fields: Record<string, string | string[]> = {}
  for (const [name, value] of new URLSearchParams(text)) {
    const before = Object.hasOwn(fields, name) ? fields[name]! : undefined
    fields[name] = before === undefined ? value : [...(Array.isArray(before) ? before : [before]), value]
  }
  return fields
}

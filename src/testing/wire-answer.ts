import type { WireReply } from "../contract/ports.ts"
import type { SentRequest } from "./wire.ts"
import { paramsOf, type WireRoute } from "./wire-route.ts"

/** How an answer is given, and how often. */
export interface ReplyOptions {
  readonly headers?: Readonly<Record<string, string>>
  /** Answers so many requests and then is used up. Default: all. */
  readonly times?: number
  /** The body is text to be sent as it is, valid JSON or not. */
  readonly raw?: boolean
}

/** An answer of a service. */
export interface ProgrammedReply {
  readonly status: number
  /** Sent as JSON; bytes and what gives bytes piece by piece are sent as they are, to a call that reads them so. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** What happens to a request that fits a route. */
export type WireOutcome = { readonly reply: WireReply; readonly pieces?: AsyncIterable<Uint8Array> } | "hangs" | "drops"

export interface WireAnswer {
  readonly route: WireRoute
  readonly outcome: (request: SentRequest) => WireOutcome | Promise<WireOutcome>
  /** How many more requests it answers. */
  left: number
}

/** Everything programmed for one service. */
export class WireAnswers {
  #answers: WireAnswer[] = []

  add(route: WireRoute, outcome: WireAnswer["outcome"], times = Number.POSITIVE_INFINITY): void {
    this.#answers.push({ route, outcome, left: times })
  }

  /**
   * The answer for a request, one use of it taken. The route with the fewest parameters wins; on it those with `times` are used up first, in
   * their order, then the one given last.
   */
  take(method: string, path: string): { answer: WireAnswer; params: Record<string, string> } | null {
    const fitting = this.#answers.flatMap((answer) => {
      const params = answer.left > 0 ? paramsOf(answer.route, method, path) : null
      return params ? [{ answer, params }] : []
    })
    const fewest = Math.min(...fitting.map(({ answer }) => answer.route.params.length))
    const closest = fitting.filter(({ answer }) => answer.route.params.length === fewest)
    const taken = closest.find(({ answer }) => Number.isFinite(answer.left)) ?? closest.at(-1)
    if (!taken) return null
    taken.answer.left--
    return taken
  }

  routes(): WireRoute[] {
    return [...new Map(this.#answers.map(({ route }) => [route.text, route])).values()]
  }

  clear(): void {
    this.#answers = []
  }
}

export function wireOutcome(reply: ProgrammedReply, isRaw = false): Exclude<WireOutcome, string> {
  const { status, body, headers = {} } = reply
  const lower = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
  const type = (own: string): Record<string, string> => ({ "content-type": own, ...lower })
  if (body instanceof Uint8Array) {
    const fields = { "content-length": String(body.length), ...type("application/octet-stream") }
    return { reply: { status, headers: fields, body: Buffer.from(body).toString("utf8") }, pieces: onePiece(body) }
  }
  if (typeof body === "object" && body !== null && Symbol.asyncIterator in body) {
    const pieces = body as AsyncIterable<Uint8Array>
    return { reply: { status, headers: type("application/octet-stream"), body: "" }, pieces }
  }
  const text = body === undefined ? "" : isRaw ? String(body) : JSON.stringify(body)
  return { reply: { status, headers: text === "" ? lower : type("application/json"), body: text } }
}

async function* onePiece(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  if (bytes.length > 0) yield bytes
}

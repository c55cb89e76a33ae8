import type { WireReply } from "../contract/ports.ts"
import type { SentRequest } from "./wire.ts"
import { paramsOf, type WireRoute } from "./wire-route.ts"

export interface ReplyOptions {
  readonly headers?: Readonly<Record<string, string>>
  /** Answers so many requests and then is used up. Default: all. */
  readonly times?: number
  /** The body is text to be sent as it is, valid JSON or not. */
  readonly raw?: boolean
}

export interface ProgrammedReply {
  readonly status: number
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** What happens to a request that fits a route. */
export type WireOutcome = { readonly reply: WireReply } | "hangs" | "drops"

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

export function wireReply(reply: ProgrammedReply, isRaw = false): WireReply {
  const { status, body, headers = {} } = reply
  const text = body === undefined ? "" : isRaw ? String(body) : JSON.stringify(body)
  const lower = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
  return { status, headers: { ...(text === "" ? {} : { "content-type": "application/json" }), ...lower }, body: text }
}

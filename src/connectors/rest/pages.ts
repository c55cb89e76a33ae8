import type { Answer, Site } from "../../contract/backend.ts"
import type { CallContext } from "../../contract/call.ts"
import { failure } from "../../contract/failure.ts"
import type { Policy } from "../../contract/policy.ts"
import type { WireReply } from "../../contract/ports.ts"
import type { Std } from "../../contract/schema.ts"
import type { Exchange, Service } from "../../contract/service.ts"
import type { Common } from "../../errors/catalog.ts"
import type { TrestleError } from "../../errors/trestle-error.ts"
import type { RestConnection } from "./connection.ts"
import { exchanged } from "./listeners.ts"
import type { Next, Paging } from "./next-page.ts"
import { answerIn, drifted, errorOf, type ReplyRules } from "./reply.ts"
import { headersOf, type RouteTemplate, targetOf } from "./request.ts"

/** What one answer holds: of a list or of a stream. */
type ItemOf<O> = O extends AsyncIterable<infer T> | Iterable<infer T> ? T : never

/** How an operation is answered by all pages of a service's list. */
export interface PagesSpec<V, O, W, E extends string> {
  /** How the list goes on: `nextLink()`, `cursor(...)`, `pageNumber(...)`, `offset(...)`. */
  next: Paging
  /** The items of one page, as ours. */
  items: (reply: W, input: V) => readonly NoInfer<ItemOf<O>>[]
  /** As in `CallSpec`; so are the others without a sentence of their own. */
  params?: (input: V) => Record<string, string | number>
  query?: (input: V) => Record<string, unknown>
  headers?: (input: V) => Record<string, string>
  /** Their shape of one page. */
  response?: Std<any, W>
  errors?: Record<number, NoInfer<E> | Common>
  policy?: Policy
  /** More pages than these are no list but a mistake: the call fails. Default 1,000. */
  pagesMax?: number
  /** The same for items. Default 10,000 where the answer is a list; none where it is a stream. */
  itemsMax?: number
}

/** What is wrong with such a declaration. */
export function pagesMistakes({ pagesMax, itemsMax }: PagesSpec<any, any, any, string>): string[] {
  const counts = Object.entries({ pagesMax, itemsMax })
  return counts.flatMap(([name, count]) =>
    count === undefined || (Number.isInteger(count) && count >= 1) ? [] : [`${name} must be a whole number of at least 1`],
  )
}

const PAGES_MAX = 1_000
const ITEMS_MAX = 10_000

interface Page {
  readonly items: readonly unknown[]
  readonly next: Next
}

/** Which page is asked for. */
interface Turn {
  readonly input: unknown
  readonly index: number
  readonly total: number
  readonly at: Exclude<Next, null>
}

interface PageRequest {
  readonly turn: Turn
  readonly method: string
  readonly path: string
  readonly headers: Record<string, string>
  readonly body: null
  readonly answerBytesMax: number
}

interface Binding {
  readonly service: Service
  readonly limits: { readonly answerBytesMax: number; readonly refuses: readonly number[] }
  readonly route: RouteTemplate
}

/** Each page is an attempt of its own inside the service's policies; all of them are in one deadline. */
export function bindPages({ service, limits, route }: Binding, spec: PagesSpec<any, any, any, string>, site: Site): Answer {
  const connection = site.connection(service) as RestConnection
  const { effect } = site
  const rules: ReplyRules = {
    service: service.name,
    effect,
    errors: spec.errors ?? {},
    declared: site.errors,
    refuses: limits.refuses,
    epoch: connection.epoch,
  }
  const exchange: Exchange = {
    prepare(turn: Turn, call): PageRequest {
      const { input, at } = turn
      const path =
        "target" in at ? sameService(at.target, connection, rules) : connection.prefix + targetOf(route, withQuery(spec, at.query), input)
      const headers = connection.prove(headersOf(spec, input, call, null))
      return { turn, method: route.method, path, headers, body: null, answerBytesMax: limits.answerBytesMax }
    },
    async send(request, attempt) {
      const prepared = request as PageRequest
      const reply = await exchanged(connection, connection.timed(prepared, attempt, false), attempt, rules)
      const error = errorOf(reply, rules)
      if (error) throw error
      return pageOf(reply, prepared.turn, spec, rules)
    },
  }
  const ask = site.guard(service, exchange, { policy: spec.policy, mayRepeatUnknown: true }) as (
    turn: Turn,
    call: CallContext,
  ) => Promise<Page>
  return async (input, call) => {
    const pages = new Pages(ask, spec, site.isStream === true, rules)
    // Before the answer begins, so that a service that cannot answer at all can still be replaced by another.
    const first = await pages.first(input, call)
    const items = pages.from(first, input, call)
    return site.accept(site.isStream ? items : await collected(items), call, service.name)
  }
}

async function collected(items: AsyncIterable<unknown>): Promise<unknown[]> {
  const all: unknown[] = []
  for await (const item of items) all.push(item)
  return all
}

function withQuery(spec: PagesSpec<any, any, any, string>, more: Readonly<Record<string, unknown>>) {
  return { params: spec.params, query: (input: unknown) => ({ ...spec.query?.(input), ...more }) }
}

/** A link may name the service's own pages and nobody else's: our credentials go with it. */
function sameService(target: string, { origin, prefix }: RestConnection, { service, effect }: ReplyRules): string {
  const url = URL.parse(target, `${origin}${prefix}/`)
  if (url?.origin === origin && url.pathname.startsWith(`${prefix}/`)) return url.pathname + url.search
  throw failure("answer-unreadable", effect, { note: `${service}: its link to the next page leads to another place` })
}

async function pageOf(
  reply: WireReply,
  { input, index, total }: Turn,
  spec: PagesSpec<any, any, any, string>,
  rules: ReplyRules,
): Promise<Page> {
  const theirs = answerIn(reply, rules)
  const checked = spec.response ? await spec.response["~standard"].validate(theirs) : { value: theirs }
  if (checked.issues) throw drifted(checked.issues, spec.response!, rules, `page ${index + 1}`)
  try {
    const items = spec.items(checked.value, input)
    const next = spec.next.next({ reply: checked.value, headers: reply.headers, index, count: items.length, total: total + items.length })
    return { items, next }
  } catch (cause) {
    throw failure("answer-not-mapped", rules.effect, { cause, note: `${rules.service}: items threw on page ${index + 1}` })
  }
}

/** The pages of one call, one after the other. A list that is cut short would pass for a whole one, so whatever bounds it fails it. */
class Pages {
  readonly #ask: (turn: Turn, call: CallContext) => Promise<Page>
  readonly #paging: Paging
  readonly #pagesMax: number
  readonly #itemsMax: number
  readonly #rules: ReplyRules
  readonly #seen = new Set<string>()

  constructor(
    ask: (turn: Turn, call: CallContext) => Promise<Page>,
    { next, pagesMax, itemsMax }: PagesSpec<any, any, any, string>,
    isStream: boolean,
    rules: ReplyRules,
  ) {
    this.#ask = ask
    this.#paging = next
    this.#pagesMax = pagesMax ?? PAGES_MAX
    this.#itemsMax = itemsMax ?? (isStream ? Infinity : ITEMS_MAX)
    this.#rules = rules
  }

  first(input: unknown, call: CallContext): Promise<Page> {
    return this.#ask({ input, index: 0, total: 0, at: { query: this.#paging.first } }, call)
  }

  async *from(first: Page, input: unknown, call: CallContext): AsyncGenerator<unknown, void, undefined> {
    let total = 0
    let page = first
    for (let index = 1; ; index++) {
      total += page.items.length
      if (total > this.#itemsMax) throw this.#failure("answer-too-large", `its list has more than ${this.#itemsMax} items`)
      yield* page.items
      if (page.next === null) return
      if (index >= this.#pagesMax) throw this.#failure("answer-too-large", `its list has more than ${this.#pagesMax} pages`)
      const place = JSON.stringify(page.next)
      if (this.#seen.has(place)) throw this.#failure("answer-unreadable", `its page ${index} leads back to an earlier one`)
      this.#seen.add(place)
      page = await this.#ask({ input, index, total, at: page.next }, call)
    }
  }

  #failure(reason: "answer-too-large" | "answer-unreadable", what: string): TrestleError {
    return failure(reason, this.#rules.effect, { note: `${this.#rules.service}: ${what}` })
  }
}

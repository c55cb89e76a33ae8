import { faceOf } from "../../contract/mapping.ts"
import type { Repeat } from "../../contract/service.ts"
import type { RehearsedCall, Samples } from "../../contract/stand-in.ts"
import type { ItemsOptions } from "./answer.ts"
import { repeatOf } from "./exchange.ts"
import type { CallSpec } from "./index.ts"
import type { PagesSpec } from "./pages.ts"
import type { RouteTemplate } from "./request.ts"

/** What a healthy service answers, as bytes. */
export interface HealthyReply {
  readonly type: string
  readonly body: string
}

/** One declared call, as the stand-in answers it. */
export interface RestCall {
  /** As declared: `POST /people`. */
  readonly asked: string
  readonly route: RouteTemplate
  readonly repeat: Repeat
  readonly reply: HealthyReply
}

/** Where a call stands, for both of its kinds. */
interface Asked {
  readonly asked: string
  readonly route: RouteTemplate
}

/** Of `rest(...).call(...)`: its reply is made of `response`, else of what its mapping would read as our answer, else it is our answer. */
export async function rehearsedCall(
  { asked, route }: Asked,
  spec: CallSpec<any, any, any, string>,
  samples: Samples,
): Promise<RehearsedCall> {
  const repeat = repeatOf(route, spec)
  try {
    const reply = await replyOf(spec, samples)
    const isGuessed = spec.map !== undefined && spec.response === undefined && faceOf(spec.map)?.inverse === undefined
    return { call: { asked, route, repeat, reply } satisfies RestCall, ...(isGuessed ? { unknown: UNTOLD } : {}) }
  } catch (error) {
    return unknown({ asked, route, repeat }, error)
  }
}

const UNTOLD = "Nothing says what its map reads: give the call a response schema, or a mapping."

/** Of `rest(...).pages(...)`: one page, with which the list ends. */
export async function rehearsedPages({ asked, route }: Asked, spec: PagesSpec<any, any, any, string>, samples: Samples) {
  const call = { asked, route, repeat: "natural" } as const
  try {
    const page = await lastPage(spec, await (spec.response ? samples.of(spec.response) : samples.answer()))
    const isGuessed = spec.response === undefined
    return { call: { ...call, reply: json(page) } satisfies RestCall, ...(isGuessed ? { unknown: UNTOLD } : {}) }
  } catch (error) {
    return unknown(call, error)
  }
}

function unknown(call: Omit<RestCall, "reply">, error: unknown): RehearsedCall {
  return { call: { ...call, reply: json({}) } satisfies RestCall, unknown: (error as Error).message }
}

async function replyOf({ answer, response, map }: CallSpec<any, any, any, string>, samples: Samples): Promise<HealthyReply> {
  if (answer?.kind === "file") return { type: "application/octet-stream", body: "a sample" }
  if (answer?.kind === "text") return { type: "text/plain", body: String(await samples.answer()) }
  if (answer?.kind === "items") return itemsOf(answer.items ?? {}, samples)
  if (response && map) return json(await samples.of(response))
  const ours = await samples.answer()
  const inverse = faceOf(map)?.inverse
  // A function that reads nothing of an answer must still get one that it could look into.
  return json(inverse ? written(inverse, ours) : map && ours === undefined ? {} : ours)
}

async function itemsOf({ response, map, at }: ItemsOptions<any, any>, samples: Samples): Promise<HealthyReply> {
  const inverse = faceOf(map)?.inverse
  const item = response ? await samples.of(response) : inverse ? written(inverse, await samples.item()) : await samples.item()
  return json(at === undefined ? [item] : { [at]: [item] })
}

/** What the mapping would have read as our answer. */
function written(inverse: (ours: unknown) => unknown, ours: unknown): unknown {
  try {
    return inverse(ours)
  } catch (error) {
    throw new TypeError(`Give the contract an example that its mapping can write: ${(error as Error).message}.`)
  }
}

/** A sample says by chance whether another page follows; one field less, or null, and it is the last. */
async function lastPage({ next, items, response }: PagesSpec<any, any, any, string>, sample: unknown): Promise<unknown> {
  for (const page of [sample, ...variantsOf(sample)]) {
    const checked = response ? await response["~standard"].validate(page) : { value: page }
    if (checked.issues) continue
    const { length: count } = items(checked.value, {})
    if (next.next({ reply: checked.value, headers: {}, index: 0, count, total: count }) === null) return page
  }
  throw new TypeError("No page was found that ends its list: give its response a field that can be null or absent there.")
}

function variantsOf(page: unknown): unknown[] {
  if (Array.isArray(page)) return [[]]
  if (typeof page !== "object" || page === null) return []
  return Object.entries(page).flatMap(([name, value]) => {
    const { [name]: _, ...others } = page as Record<string, unknown>
    return [{ ...page, [name]: null }, others, ...(Array.isArray(value) ? [{ ...page, [name]: [] }] : [])]
  })
}

function json(value: unknown): HealthyReply {
  return { type: "application/json", body: value === undefined ? "" : JSON.stringify(value) }
}

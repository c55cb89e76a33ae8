import { parseBytes } from "../../base/bytes.ts"
import { callerPlace } from "../../base/source-place.ts"
import { type Backend, backend, type Site } from "../../contract/backend.ts"
import { type DeadlineField, deadlineFieldMistakes } from "../../contract/deadline-field.ts"
import { type Drift, mappingsAmong } from "../../contract/mapping.ts"
import type { Route } from "../../contract/op.ts"
import { type Policy, policyMistakes } from "../../contract/policy.ts"
import { isReference, type Ref } from "../../contract/reference.ts"
import type { Std } from "../../contract/schema.ts"
import type { HasService, Repeat, Service } from "../../contract/service.ts"
import type { Common } from "../../errors/catalog.ts"
import type { AnswerForm } from "./answer.ts"
import { openRest, type RestSettings } from "./connection.ts"
import type { OutboundAuth } from "./credentials.ts"
import { bindRestCall, repeatOf } from "./exchange.ts"
import { restFailures } from "./failures.ts"
import { bindPages, type PagesSpec, pagesMistakes } from "./pages.ts"
import { parseRoute } from "./request.ts"
import { REST_FAULTS } from "./rest-faults.ts"

export { type AnswerForm, asFile, asItems, asText, type ItemsOptions } from "./answer.ts"
export { type BodyEncoding, type FormFields, form, type MultipartFields, multipart, raw } from "./body.ts"
export { apiKey, basic, bearer, type OutboundAuth } from "./credentials.ts"
export { cursor, nextLink, offset, type Paging, pageNumber } from "./next-page.ts"
export type { PagesSpec } from "./pages.ts"

/** How one operation is answered by one call of a REST service. */
export interface CallSpec<V, O, W, E extends string> {
  /** Values of the route's parameters. Default: the input's fields of the same names. */
  params?: (input: V) => Record<string, string | number>
  /** Query fields; arrays repeat the field, `undefined` and `null` leave it out. Default: none. */
  query?: (input: V) => Record<string, unknown>
  /** Header fields besides the credential and those of the body. Default: none. */
  headers?: (input: V) => Record<string, string>
  /** JSON body; for others see `form`, `multipart` and `raw`. Default: for POST, PUT and PATCH the input less its path parameters, otherwise none. */
  body?: (input: V) => unknown
  /** What the answer is, where it is not one JSON value: `asText`, `asFile`, `asItems({ ... })`. */
  answer?: AnswerForm<W>
  /** Their shape. Without it the answer is `any`; the contract's output is checked all the same. */
  response?: Std<any, W>
  /** Their answer as ours. Default: as it is. */
  map?: (reply: W, input: V) => NoInfer<O>
  /** Their status codes as our errors. Others: 404 `NOT_FOUND`, 409 `CONFLICT`, other 4xx `INTERNAL`. */
  errors?: Record<number, NoInfer<E> | Common>
  /** What THIS service promises about this call. Only this decides whether an attempt may be repeated after an unknown outcome. Default: GET, PUT, DELETE `natural`; POST, PATCH `none`. */
  repeat?: Repeat
  /**
   * The service keeps versions of what this call is about: its `ETag` is the version of our answer, a caller's `ifMatch` goes to it as
   * `If-Match`, and its 412 is `PRECONDITION_FAILED`. Default: a write with `ifMatch` is refused, for it would overwrite.
   * Source: RFC 9110, section 13.1.1.
   */
  versions?: true
  /** Reads what an earlier attempt of the same call has made, when a later one answers 409. Without it that is `OUTCOME_UNKNOWN`. */
  lookup?: Backend<V, O, E>
  /** For this call. Default: that of the service. */
  policy?: Policy
}

/** A REST service. */
export interface Rest extends HasService {
  readonly kind: "rest"
  /** Answers by one call: `crm.call("POST /people", { map: (person) => ({ ... }) })`. Parameters in braces come from the input. */
  call<V, O, E extends string = never, W = any>(route: Route, spec?: CallSpec<V, O, W, E>): Backend<V, O, E>
  /**
   * All pages of a list, one after the other: as a list, or as the stream that the operation's `stream(Item)` asks for, in constant memory.
   * A list that would have to be cut short fails instead.
   */
  pages<V, O, E extends string = never, W = any>(route: `GET /${string}`, spec: PagesSpec<V, O, W, E>): Backend<V, O, E>
}

/** Where a REST service is, who we are there, and what it promises. */
export interface RestOptions {
  /** http or https; a path in it comes before every route. */
  url: Ref | string
  /** What proves us to the service: `bearer`, `basic`, `apiKey`. Default: nothing. */
  auth?: OutboundAuth
  /**
   * The header field in which it takes the time that is left for a request: `{ header: "Request-Timeout", unit: "s" }`. Each attempt says
   * in it what it has, `timeout` or the rest of the call's deadline, rounded down to a whole unit and at least 1. A call's own `headers`
   * come before it. Default: it is told nothing.
   */
  deadline?: DeadlineField
  /** For all its calls. Default: that of `trestle({ defaults })`. */
  policy?: Policy
  /** Answers with a status below 400 when the service is well: `"GET /ping"`. */
  health?: `GET /${string}`
  /** Same records and same ids as that service, so a write may fall back to this one. */
  replicaOf?: Rest
  /** For logs and `servedBy`. Default: from the reference (`CRM_EU_URL` is `crm-eu`), else the host. */
  name?: string
  /** Statuses with which this service says that nothing has happened; 503, where it means that. Default: none. */
  refuses?: readonly number[]
  /** Largest answer that is read. Default `"4mb"`. */
  answerLimit?: string
}

const ANSWER_BYTES_MAX = 4 * 1_048_576

/** Declares a REST service: address, credentials and policy, once. Opens nothing. */
export function rest(options: RestOptions): Rest {
  const name = options.name ?? nameOf(options.url)
  const health = options.health === undefined ? null : parseRoute(options.health)
  const settings: RestSettings = { name, url: options.url, auth: options.auth, deadline: options.deadline, health: probeOf(health) }
  const limits = { answerBytesMax: parseBytes(options.answerLimit ?? ANSWER_BYTES_MAX) ?? ANSWER_BYTES_MAX, refuses: options.refuses ?? [] }
  const service: Service = {
    kind: "rest",
    name,
    at: callerPlace(rest),
    address: options.url,
    references: [options.url, ...(options.auth?.references ?? [])].filter(isReference),
    policy: options.policy,
    replicaOf: options.replicaOf?.["~service"],
    mistakes: mistakesOf(options, health),
    isProbed: health !== null,
    open: (host) => openRest(settings, host),
    diagnose: async (host) => (await import("./diagnosis.ts")).diagnoseRest(settings, host),
    rehearsal: {
      faults: REST_FAULTS,
      standIn: async (calls, fault) => (await import("./stand-in.ts")).openRestStandIn({ settings, refuses: limits.refuses }, calls, fault),
    },
  }
  const failuresOf = (
    errors: Readonly<Record<number, string>> | undefined,
    { effect, errors: declared }: Pick<Site, "effect" | "errors">,
  ) => restFailures({ service: name, effect, errors: errors ?? {}, declared, refuses: limits.refuses, epoch: () => 0 })
  const call: Rest["call"] = (route, spec = {}) => {
    const template = parseRoute(route)
    const mistakes = [...("mistake" in template ? [template.mistake] : []), ...policyMistakes(spec.policy ?? {})]
    const any = spec as CallSpec<any, any, any, string>
    return backend("rest", {
      service,
      policy: spec.policy,
      at: callerPlace(call),
      asks: route,
      repeat: "mistake" in template ? "none" : repeatOf(template, any),
      mistakes,
      mappings: mappingsAmong(spec.map, spec.body, spec.answer?.items?.map),
      heedsDrift: heededBy(any),
      ...(spec.lookup ? { parts: [spec.lookup] } : {}),
      ...(spec.versions ? { comparesVersion: true } : {}),
      ...givesOf(any),
      failures: (site) => failuresOf(any.errors, site),
      rehearsed: async (samples) =>
        (await import("./rehearsed.ts")).rehearsedCall({ asked: route, route: template as never }, any, samples),
      bind: (site) => bindRestCall(service, limits, template as never, any, site),
    })
  }
  const pages: Rest["pages"] = (route, spec) => {
    const template = parseRoute(route)
    const any = spec as PagesSpec<any, any, any, string>
    return backend("rest", {
      service,
      policy: spec.policy,
      at: callerPlace(pages),
      asks: route,
      mistakes: [...("mistake" in template ? [template.mistake] : []), ...policyMistakes(spec.policy ?? {}), ...pagesMistakes(any)],
      failures: (site) => failuresOf(any.errors, site),
      rehearsed: async (samples) =>
        (await import("./rehearsed.ts")).rehearsedPages({ asked: route, route: template as never }, any, samples),
      bind: (site) => bindPages({ service, limits, route: template as never }, any, site),
    })
  }
  return { kind: "rest", "~service": service, call, pages }
}

/** A mapping heeds each of them; a schema can be passed over with a warning, and cannot mend. */
function heededBy({ map, response, answer }: CallSpec<any, any, any, string>): readonly Drift[] {
  if (mappingsAmong(map, answer?.items?.map).length > 0) return ["warn", "repair"]
  return response && !answer?.items ? ["warn"] : []
}

/** What becomes the operation's answer as it comes. */
function givesOf({ answer, map }: CallSpec<any, any, any, string>): { gives?: "file" | "items" } {
  return answer && answer.kind !== "text" && !map ? { gives: answer.kind } : {}
}

function probeOf(health: ReturnType<typeof parseRoute> | null): { method: string; path: string } | null {
  return health === null || "mistake" in health ? null : { method: health.method, path: health.parts.join("") }
}

function mistakesOf(options: RestOptions, health: ReturnType<typeof parseRoute> | null): string[] {
  const mistakes = [
    ...policyMistakes(options.policy ?? {}),
    ...deadlineFieldMistakes(options.deadline).map((mistake) => `deadline: ${mistake}`),
  ]
  if (health && "mistake" in health) mistakes.push(`health: ${health.mistake}`)
  if (options.answerLimit !== undefined && parseBytes(options.answerLimit) === null)
    mistakes.push('answerLimit is not a size such as "4mb"')
  return mistakes
}

function nameOf(url: Ref | string): string {
  if (typeof url === "string") return URL.canParse(url) ? new URL(url).host : url
  return (
    url.ref
      .replace(/_?(URL|URI|ADDRESS)$/i, "")
      .toLowerCase()
      .replaceAll("_", "-") || url.ref.toLowerCase()
  )
}

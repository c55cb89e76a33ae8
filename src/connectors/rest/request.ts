import type { CallContext } from "../../contract/call.ts"
import { invalid } from "../../errors/trestle-error.ts"
import { type BodyEncoding, FORM_TYPE, type Upload } from "./body.ts"

/** How one declared call becomes requests; absent parts are made from the input itself. */
export interface RequestMapping {
  readonly params?: ((input: any) => Record<string, string | number>) | undefined
  readonly query?: ((input: any) => Record<string, unknown>) | undefined
  readonly headers?: ((input: any) => Record<string, string>) | undefined
  readonly body?: ((input: any) => unknown) | undefined
  readonly answer?: { readonly accept: string } | undefined
}

/** How a mapping's body is written; absent for JSON. */
function encodingOf({ body }: RequestMapping): BodyEncoding["~body"] | undefined {
  return (body as Partial<BodyEncoding> | undefined)?.["~body"]
}

export interface RouteTemplate {
  readonly method: string
  /** Alternating literals and parameter names: ["/people/", "id", "/notes"]. */
  readonly parts: readonly string[]
  readonly params: readonly string[]
}

export function parseRoute(route: string): RouteTemplate | { readonly mistake: string } {
  const match = /^(GET|POST|PUT|PATCH|DELETE) (\/\S*)$/.exec(route)
  if (!match) return { mistake: `"${route}" is not a method and a path such as "GET /people/{id}"` }
  const parts = match[2]!.split(/[{}]/)
  const params = parts.filter((_, i) => i % 2 === 1)
  if (parts.length % 2 === 0 || params.some((name) => !/^\w+$/.test(name)))
    return { mistake: `the braces in "${route}" do not enclose parameter names` }
  return { method: match[1]!, parts, params }
}

/** Path and query of a request. Every parameter is encoded, and can never leave its segment. */
export function targetOf(route: RouteTemplate, mapping: RequestMapping, input: any): string {
  const values = mapping.params ? mapping.params(input) : (input ?? {})
  let target = route.parts[0]!
  for (let i = 1; i < route.parts.length; i += 2) target += encodeSegment(route.parts[i]!, values[route.parts[i]!]) + route.parts[i + 1]!
  const query = mapping.query?.(input)
  return query ? target + queryString(query) : target
}

/** "." and ".." survive percent-encoding and would name another resource at the service. */
function encodeSegment(name: string, value: unknown): string {
  if (value === undefined || value === null)
    throw new TypeError(`path parameter {${name}} has no value; give it with params: (input) => ({ ${name}: ... })`)
  const text = String(value)
  if (!text.isWellFormed()) throw invalid([{ path: name, message: "holds half of a character" }])
  if (text === "" || text === "." || text === "..") throw invalid([{ path: name, message: 'cannot be empty, "." or ".."' }])
  return encodeURIComponent(text)
}

function queryString(query: Record<string, unknown>): string {
  const fields = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    for (const item of Array.isArray(value) ? value : [value]) if (item !== undefined && item !== null) fields.append(name, String(item))
  }
  const text = fields.toString()
  return text === "" ? "" : `?${text}`
}

/** The body as text, as what is read while it is sent, or `null` where the method carries none. */
export function contentOf(route: RouteTemplate, mapping: RequestMapping, input: any): string | Upload | null {
  return encodingOf(mapping) === undefined ? jsonOf(route, mapping, input) : (mapping.body!(input) as string | Upload)
}

/** Without a mapping: the input less its path parameters. */
function jsonOf(route: RouteTemplate, mapping: RequestMapping, input: any): string | null {
  const body = mapping.body
    ? mapping.body(input)
    : route.method === "GET" || route.method === "DELETE"
      ? undefined
      : withoutParams(route, input)
  return body === undefined ? null : JSON.stringify(body)
}

function withoutParams(route: RouteTemplate, input: any): unknown {
  if (route.params.length === 0 || typeof input !== "object" || input === null) return input
  return Object.fromEntries(Object.entries(input).filter(([name]) => !route.params.includes(name)))
}

const JSON_TYPE = "application/json"

/** Bytes of Latin-1 without control characters. Source: RFC 9110, section 5.5. */
const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/

/** The caller's mistake, found before the network is asked: there it would count against the service. */
export function fieldValue(name: string, value: unknown): string {
  const text = String(value)
  if (!FIELD_VALUE.test(text)) throw invalid([{ path: name, message: "holds a character that no header field can carry" }])
  return text
}

function describe({ type, size }: Upload, headers: Record<string, string>): void {
  headers["content-type"] = type
  if (size !== null) headers["content-length"] = String(size)
}

/** Header fields of ours and of the declaration. Credentials come last, so that nothing can take their place. */
export function headersOf(mapping: RequestMapping, input: any, call: CallContext, content: string | Upload | null): Record<string, string> {
  const headers: Record<string, string> = {
    accept: mapping.answer?.accept ?? JSON_TYPE,
    "user-agent": "trestle",
    traceparent: `00-${call.trace}-${call.random.hex(8)}-01`,
  }
  if (typeof content === "string") headers["content-type"] = encodingOf(mapping) === "form" ? FORM_TYPE : JSON_TYPE
  else if (content !== null) describe(content, headers)
  if (mapping.headers)
    for (const [name, value] of Object.entries(mapping.headers(input))) headers[name.toLowerCase()] = fieldValue(name, value)
  return headers
}

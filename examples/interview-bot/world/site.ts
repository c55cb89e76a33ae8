import type { IncomingHttpHeaders } from "node:http"

export type Asked = { params: Record<string, string>; query: URLSearchParams; text: string; signal: AbortSignal }
export type Answer = { status: number; body: unknown }
export type Route = { method: string; path: string; isOpen?: boolean; answer: (asked: Asked) => Answer | Promise<Answer> }

/** What one service says; how it listens and misbehaves is the door's business. */
export type Site = {
  routes: Route[]
  /** Bearer token that every route needs unless it is open; none: all are open. */
  token?: string
  /** An error in the dialect of this service. */
  error: (status: number, code: string, text: string) => Answer
  /** The same body as after a careless release of the service. */
  drift?: (body: unknown) => unknown
}

export type Match = { route: Route; params: Record<string, string> }

export function matchRoute(site: Site, method: string, path: string): Match | undefined {
  for (const route of site.routes) {
    const params = route.method === method && paramsOf(route.path, path)
    if (params) return { route, params }
  }
  return undefined
}

function paramsOf(template: string, path: string): Record<string, string> | undefined {
  const wanted = template.split("/")
  const given = path.split("/")
  if (wanted.length !== given.length) return undefined
  const params: Record<string, string> = {}
  for (const [index, part] of wanted.entries()) {
    const value = given[index] ?? ""
    if (part.startsWith("{")) params[part.slice(1, -1)] = value
    else if (part !== value) return undefined
  }
  return params
}

export function mayEnter(site: Site, match: Match | undefined, headers: IncomingHttpHeaders): boolean {
  return site.token === undefined || match?.route.isOpen === true || headers.authorization === `Bearer ${site.token}`
}

/** The JSON object in `text`, or undefined: the services answer all other bodies alike. */
export function objectIn(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

import { nearest } from "../base/nearest.ts"

/** A programmed route: `GET /people/{id}`. */
export interface WireRoute {
  readonly text: string
  readonly method: string
  readonly pattern: RegExp
  readonly params: readonly string[]
}

export function parseWireRoute(text: string): WireRoute {
  const match = /^([A-Z]+) (\/[^\s?#]*)$/.exec(text)
  if (!match) {
    throw new TypeError(`"${text}" is not a method and a path such as "GET /people/{id}"; leave the query out and look for it in sent()`)
  }
  const parts = match[2]!.split(/\{(\w+)\}/)
  const params = parts.filter((_, i) => i % 2 === 1)
  const pattern = parts.map((part, i) => (i % 2 === 1 ? "([^/]+)" : part.replace(/[.*+?^$()|[\]\\{}]/g, "\\$&"))).join("")
  return { text, method: match[1]!, pattern: new RegExp(`^${pattern}$`), params }
}

/** The values of a route's parameters, decoded; `null` when the route is another one. */
export function paramsOf(route: WireRoute, method: string, path: string): Record<string, string> | null {
  const found = route.method === method ? route.pattern.exec(path) : null
  return found && Object.fromEntries(route.params.map((name, i) => [name, decoded(found[i + 1]!)]))
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** What a test has probably meant: the same path with another method first, then the route that looks most alike. */
export function nearestRoute(method: string, path: string, routes: readonly WireRoute[]): string | undefined {
  const samePath = routes.find((route) => route.pattern.test(path))
  if (samePath) return samePath.text
  const byLikeness = new Map(routes.map((route) => [filledFrom(route, path), route.text]))
  const found = nearest(`${method} ${path}`, byLikeness.keys())
  return found === undefined ? undefined : byLikeness.get(found)
}

/** The route with the path's own segments for its parameters, so that only what differs in the literals counts. */
function filledFrom(route: WireRoute, path: string): string {
  const given = path.split("/")
  const segments = route.text.slice(route.method.length + 1).split("/")
  return `${route.method} ${segments.map((segment, i) => (segment.includes("{") ? (given[i] ?? segment) : segment)).join("/")}`
}

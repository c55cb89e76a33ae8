import findMyWay from "find-my-way"
import { failWith, invalid, TrestleError } from "../errors/trestle-error.ts"
import { finding } from "../runtime/findings.ts"
import type { MountedEntry } from "./entry.ts"
import { addressesOf, type HttpParts, PARAM_LENGTH_MAX, type Served } from "./http.ts"
import { refuse } from "./refuse.ts"

/** How long whoever finds us closing should stay away, in milliseconds: by then another instance answers. */
const CLOSING_MS = 1_000

/** The entrance behind somebody else's server. Reads addresses by the router that is also in our own server, so both find the same. */
export class Mount {
  readonly parts: HttpParts
  readonly addresses: readonly Served[]
  readonly #router = findMyWay({ caseSensitive: true, maxParamLength: PARAM_LENGTH_MAX, onBadUrl: () => {} })

  constructor(parts: HttpParts) {
    this.parts = parts
    this.addresses = addressesOf(parts)
    for (const address of this.addresses) {
      this.#router.on([...address.methods] as findMyWay.HTTPMethod[], address.url, () => {}, address)
    }
  }

  /**
   * Answers a request, unless its address is none of ours.
   *
   * @param target Path and query, without the prefix.
   */
  serve(entry: MountedEntry, target: string): boolean {
    const found = this.#router.find(entry.head.method as findMyWay.HTTPMethod, target)
    if (!found) return false
    const address = found.store as Served | null
    if (!address) {
      refuse(this.parts, entry, invalid([], "The address is not well-formed."))
      return true
    }
    entry.params = found.params as Readonly<Record<string, string>>
    entry.query = found.searchParams
    // Without a socket of ours to close, nothing else would keep new calls away from services that are being closed.
    if (address.isCall && this.parts.isLeaving()) refuse(this.parts, entry, failWith("UNAVAILABLE", { retryAfterMs: CLOSING_MS }))
    else address.serve(entry)
    return true
  }

  /** For what is nobody's. */
  notFound(entry: MountedEntry): void {
    refuse(this.parts, entry, failWith("NOT_FOUND"))
  }
}

/** @throws {TrestleError} `START_REFUSED` for a prefix that could never be found. */
export function refuseBadPrefix(name: string, prefix: string): void {
  if (prefix === "" || /^(?:\/[^/?#\s]+)+$/.test(prefix)) return
  const message = `${JSON.stringify(prefix)} is no prefix`
  const findings = [finding("TRS1034", null, message, 'Begin it with "/" and end it without one: "/api".')]
  throw new TrestleError("START_REFUSED", `${name} cannot be mounted: TRS1034 ${message}`, { findings })
}

/** Path and query of a request's target: what the absolute form says before them is none of the router's business. */
export function pathAndQuery(target: string): string {
  return target.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, "")
}

/** What follows the prefix, or `null` where it does not stand there. */
export function behind(prefix: string, target: string): string | null {
  if (prefix === "") return target
  if (!target.startsWith(prefix)) return null
  const rest = target.slice(prefix.length)
  if (rest === "" || rest[0] === "?" || rest[0] === "#") return `/${rest}`
  return rest[0] === "/" ? rest : null
}

import type { Finding } from "../contract/finding.ts"
import type { Contract } from "../contract/op.ts"
import type { Operation, Retiring } from "../contract/operation.ts"
import { finding } from "./findings.ts"
import type { Named } from "./operations.ts"

type Deprecated = Contract<any, any, string, undefined, unknown>["deprecated"]

/** `null` also where a date is none: then there is a finding, and the application does not start. */
export function retiringOf(deprecated: Deprecated): Retiring | null {
  if (!deprecated) return null
  const sunset = dayOf(deprecated.sunset)
  const since = deprecated.since === undefined ? null : dayOf(deprecated.since)
  if (sunset === null) return null
  const use = deprecated.use ?? null
  return { sunset, since, use, sentence: `Deprecated: ends on ${deprecated.sunset}.${use === null ? "" : ` Use ${use}.`}` }
}

/** The beginning of a day in UTC, in milliseconds since 1970; `null` for what is no day of the calendar, such as 2027-02-30. */
function dayOf(text: unknown): number | null {
  if (typeof text !== "string" || !/^\d{4}-\d\d-\d\d$/.test(text)) return null
  const epoch = Date.parse(`${text}T00:00:00Z`)
  return Number.isNaN(epoch) || new Date(epoch).toISOString().slice(0, 10) !== text ? null : epoch
}

/** The earlier paths of an operation; sound names, none of them taken, once the declarations were checked. */
export function formerPaths({ declaration }: Operation): readonly string[] {
  return declaration.contract.was ?? []
}

const FORMER_FIX = 'was: ["users.add"],   with a path that the operation once had and that no other has now.'

/** A former path leads to exactly one operation, and never hides one that is there today. */
export function checkFormerPaths(named: readonly Named[], findings: Finding[]): void {
  const present = new Set(named.map(({ path }) => path))
  const former = new Map<string, string>()
  for (const { path, declaration } of named) {
    const { was } = declaration.contract
    if (was === undefined) continue
    const complain = (message: string): void =>
      void findings.push(finding("TRS1035", declaration.at, `${path}: was ${message}`, FORMER_FIX))
    if (!Array.isArray(was)) {
      complain("is not a list of paths")
      continue
    }
    for (const old of was as readonly unknown[]) {
      if (typeof old !== "string" || !/^[A-Za-z]\w*(\.[A-Za-z]\w*)*$/.test(old)) complain(`${JSON.stringify(old)} is not a path`)
      else if (present.has(old)) complain(`${old === path ? "names its own path" : `names ${old}, which is an operation today`}`)
      else if (former.has(old)) complain(`names ${old}, which ${former.get(old)} was too`)
      else former.set(old, path)
    }
  }
}

/** What is announced must be able to happen, and must not have been over for long. */
export function checkRetiring(operations: readonly Operation[], epoch: number, findings: Finding[]): void {
  const paths = new Set(operations.map(({ path }) => path))
  for (const { path, declaration, retiring } of operations) {
    const { deprecated } = declaration.contract
    if (!deprecated) continue
    const complain = (code: "TRS1036" | "TRS1037" | "TRS1038", message: string, fix: string): void =>
      void findings.push(finding(code, declaration.at, `${path}: ${message}`, fix))
    const { sunset, since, use } = deprecated
    const fix = 'deprecated: { sunset: "2027-01-31", use: "users.create" },'
    if (dayOf(sunset) === null) complain("TRS1037", `deprecated.sunset is no date: ${JSON.stringify(sunset)}`, fix)
    if (since !== undefined && dayOf(since) === null) complain("TRS1037", `deprecated.since is no date: ${JSON.stringify(since)}`, fix)
    if (use !== undefined && (use === path || !paths.has(use)))
      complain(
        "TRS1036",
        `deprecated.use names ${JSON.stringify(use)}, ${use === path ? "which is this one" : "and there is no such operation"}`,
        fix,
      )
    if (retiring && retiring.sunset <= epoch)
      complain(
        "TRS1038",
        `it was to end on ${sunset} and is still there`,
        "Remove it, or give its callers a later day in deprecated.sunset.",
      )
  }
}

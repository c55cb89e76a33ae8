import type { Operation, State } from "../contract/operation.ts"
import { formerPaths } from "./retiring.ts"

/** That an operation was seen working: under which contract, by which backend, when, and how. */
export interface Sighting {
  /** Hash of the contract that held. */
  readonly contract: string
  /** `rest crm`, as `backendOf` gives it. */
  readonly backend: string
  /** Milliseconds since 1970, of the last time. */
  readonly epoch: number
  readonly servedBy: string
  readonly ms: number
  /** How often it was seen under this contract: once a run of `verify`, at most once an hour and process for `live`. */
  readonly count: number
}

/** What was seen of one operation. */
export interface Evidence {
  readonly verified?: Sighting
  readonly live?: Sighting
}

/** By the operation's path. */
export type EvidenceBook = Readonly<Record<string, Evidence>>

/** How real an operation is, with its reason. */
export interface Standing {
  readonly state: State
  /** Why it is still a placeholder, or why what was seen does not count any more. */
  readonly why: string | null
  /** The sighting that makes it verified or live. */
  readonly seen: Sighting | null
}

/** Kind and services: going to another service under the same contract must be seen anew. */
export function backendOf({ kind, services }: { readonly kind: string; readonly services: readonly string[] }): string {
  return [kind, ...services].join(" ")
}

/** The highest state for which there is evidence of this contract and this backend; evidence of a former path counts. */
export function standingOf(operation: Operation, backend: string, book: EvidenceBook): Standing {
  if (operation.state === "placeholder") return { state: "placeholder", why: operation.why, seen: null }
  const known = [operation.path, ...formerPaths(operation)].flatMap((path) => (Object.hasOwn(book, path) ? [book[path]!] : []))
  const stale: string[] = []
  for (const state of ["live", "verified"] as const) {
    for (const evidence of known) {
      const seen = evidence[state]
      if (!seen) continue
      if (seen.contract === operation.contractHash && seen.backend === backend) return { state, why: null, seen }
      const what =
        seen.contract === operation.contractHash ? `by ${seen.backend}, before the backend changed` : "before the contract changed"
      stale.push(`was ${state} on ${dayOf(seen.epoch)}, ${what}`)
    }
  }
  return { state: "wired", why: stale[0] ?? null, seen: null }
}

/** A newer sighting on top of an older one of the same contract and backend counts them both. */
export function addSighting(earlier: Sighting | undefined, later: Sighting): Sighting {
  const isSame = earlier !== undefined && earlier.contract === later.contract && earlier.backend === later.backend
  return isSame ? { ...later, count: earlier.count + later.count } : later
}

/** `2026-11-22`, in UTC. */
function dayOf(epoch: number): string {
  return new Date(epoch).toISOString().slice(0, 10)
}

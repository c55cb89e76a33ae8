import type { Backend } from "../contract/backend.ts"
import { mayDefer, mayFallBack } from "../contract/failure.ts"
import type { Operation } from "../contract/operation.ts"
import type { CallRecord } from "../contract/ports.ts"
import type { Service } from "../contract/service.ts"
import type { Arrival } from "../contract/stand-in.ts"
import type { Reason } from "../errors/reasons.ts"
import { within } from "../runtime/within.ts"
import type { Played } from "./fault-stage.ts"

type AnyBackend = Backend<any, any, any>

/** A fallback whose turn had come, and that did not answer. */
export interface Unreached {
  readonly operation: Operation
  /** What should have answered: the names of services, the kinds of backends without one. */
  readonly expected: readonly string[]
  /** The deadline was over before its turn, or within it. */
  readonly isTooLate: boolean
}

/** An effect that may have happened more than once. */
export interface Doubled {
  readonly service: Service
  readonly asked: string
  readonly times: number
}

/** What every verdict needs to know of the run in which nothing failed. */
export interface Known {
  readonly baseline: Played
  readonly operations: readonly Operation[]
  /** Services in whose place nothing stands, so that they cannot answer. */
  readonly absent: ReadonlyMap<Service, unknown>
}

/** The parts of a backend's fallbacks whose turn comes when that service has failed, and those before it. */
export function neighboursOf(backend: AnyBackend, service: Service): { readonly before: AnyBackend[]; readonly after: AnyBackend[] } {
  const before: AnyBackend[] = []
  const after: AnyBackend[] = []
  for (const { plan } of within(backend)) {
    const parts = plan.fallsBack ? (plan.parts ?? []) : []
    const turn = parts.findIndex((part) => servicesIn(part).includes(service))
    if (turn === -1) continue
    before.push(...parts.slice(0, turn))
    after.push(...parts.slice(turn + 1).filter((part) => !servicesIn(part).includes(service)))
  }
  return { before, after }
}

export function servicesIn(backend: AnyBackend): readonly Service[] {
  return within(backend).flatMap(({ plan }) => plan.service ?? [])
}

/**
 * Services behind the one that failed which were asked, and whose answer, made up by our stand-in, did not fit: what the caller would get of
 * the real ones is not known.
 */
export function guessedIn({ nested, record, arrivals }: Played, service: Service, { operations }: Known): readonly Service[] {
  return [...nested, record].flatMap(({ operation: path, error }) => {
    const backend = operations.find((one) => one.path === path)?.declaration.backend
    if (!backend || !MISFITS.has(error?.reason)) return []
    return neighboursOf(backend, service)
      .after.flatMap(servicesIn)
      .filter((one) => isAsked(one, arrivals))
  })
}

function isAsked(service: Service, arrivals: Played["arrivals"]): boolean {
  return (arrivals.get(service) ?? []).length > 0
}

/** A declared fallback that was not reached, of the operation or of one that it ran inside; the innermost is the one to mend. */
export function unreachedIn(played: Played, service: Service, known: Known): Unreached | null {
  for (const record of [...played.nested, played.record]) {
    const operation = known.operations.find(({ path }) => path === record.operation)
    const found = operation && unreachedBy(record, { operation, service, played, known })
    if (found) return found
  }
  return null
}

/** Of an answer that our stand-in has made up: that it does not fit says nothing of the fallback, which was asked. */
const MISFITS: ReadonlySet<Reason | undefined> = new Set([
  "answer-unreadable",
  "answer-misfit",
  "answer-not-mapped",
  "output-misfit",
] as const)

interface Seen {
  readonly operation: Operation
  readonly service: Service
  readonly played: Played
  readonly known: Known
}

function unreachedBy({ error, meta }: CallRecord, { operation, service, played, known }: Seen): Unreached | null {
  const { arrivals } = played
  const { absent, baseline } = known
  const { backend } = operation.declaration
  // Attempt and call ran out of time in one moment: that the fallback was asked first is luck, and another time it is not.
  const isLucky = error === null && meta.ms >= operation.deadlineMs
  if (!backend || !(isLucky || error !== null)) return null
  const due = neighboursOf(backend, service).after.filter((part) => isDue(part) && !isExcused(part))
  const isTooLate = isLucky || error?.code === "TIMEOUT" || meta.ms >= operation.deadlineMs
  return due.length === 0 ? null : { operation, expected: due.map(nameOf), isTooLate }

  /** A real answer is never replaced, and a write that may have happened never goes to another, but may be kept for later. */
  function isDue({ plan }: AnyBackend): boolean {
    return isLucky || (plan.bindLast ? mayDefer(error) : mayFallBack(error, operation.effect))
  }

  function isExcused(part: AnyBackend): boolean {
    const services = servicesIn(part)
    if (services.some((one) => absent.has(one))) return true
    if (services.length > 0) return MISFITS.has(error?.reason) && services.some((one) => isAsked(one, arrivals))
    // Nothing good was answered that could be remembered; and what code of the application does, it decides itself.
    if (part.plan.bindMemory) return baseline.record.error !== null
    return part.kind === "code" && error?.code !== "TIMEOUT"
  }
}

function nameOf(part: AnyBackend): string {
  return [...new Set(servicesIn(part).map(({ name }) => name))].join(" and ") || part.kind
}

/**
 * The first effect that a receiver has seen more often than when all is well. A replica holds the same records, so it is the same receiver.
 * What takes a step back may be asked for in the same words as the step.
 */
export function doubledIn({ arrivals, flow }: Played, baseline: Played): Doubled | null {
  const usual = effectsIn(baseline.arrivals)
  const undone = flow?.undone.size ?? 0
  for (const [key, { service, asked, effects }] of effectsIn(arrivals)) {
    if (effects.size > Math.max(1, usual.get(key)?.effects.size ?? 0) + undone) return { service, asked, times: effects.size }
  }
  return null
}

interface Effects {
  readonly service: Service
  readonly asked: string
  readonly effects: Set<string>
}

function effectsIn(arrivals: ReadonlyMap<Service, readonly Arrival[]>): Map<string, Effects> {
  const found = new Map<string, Effects>()
  for (const [service, list] of arrivals) {
    for (const { asked, effect } of list) {
      if (effect === null) continue
      const original = originalOf(service)
      const key = `${original.name} ${asked}`
      const effects = found.get(key) ?? { service: original, asked, effects: new Set() }
      effects.effects.add(effect)
      found.set(key, effects)
    }
  }
  return found
}

function originalOf(service: Service): Service {
  return service.replicaOf ? originalOf(service.replicaOf) : service
}

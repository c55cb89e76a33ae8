import { assert } from "../base/assert.ts"
import { nearest } from "../base/nearest.ts"
import type { Redactor } from "../base/redact.ts"
import { excerptAt, pathOf } from "../base/source-excerpt.ts"
import type { SourcePlace } from "../base/source-place.ts"
import type { Finding } from "../contract/finding.ts"
import { isReference, type Reference, type References } from "../contract/reference.ts"
import type { Service } from "../contract/service.ts"
import { type Environment, placesOf } from "./environment.ts"
import { standInReason } from "./placeholder.ts"

/** A reference with who declared it. */
export interface Need {
  readonly reference: Reference
  /** For the message: `service people`. */
  readonly neededBy: string
  readonly place: SourcePlace | null
}

/** All references of a service. */
export function needsOf({ name, at, references }: Service): Need[] {
  return references.map((reference) => ({ reference: reference as Reference, neededBy: name, place: at }))
}

export interface Resolution {
  readonly references: References
  readonly findings: Finding[]
}

/** All needs of one variable. */
interface Wanted {
  readonly name: string
  readonly needs: readonly Need[]
  /** As soon as one declaration calls it a secret, it is one. */
  readonly isSecret: boolean
}

/**
 * Looks up every reference at once, so that a start lists all that is missing instead of the first. An empty value counts as unset; the
 * fallback of a setting is used where it is unset. Values of secrets are masked from then on.
 *
 * Findings: `TRS2001` unset setting, `TRS2002` unset secret, `TRS2003` (warning) a secret that looks like a placeholder. None holds a value.
 * `read` of a reference that was not among `refs`, or is unset, is an assertion: a start with findings goes no further.
 */
export function resolveReferences(refs: Iterable<Reference | Need>, environment: Environment, redactor: Redactor): Resolution {
  const wanted = byName(refs)
  const values = new Map<string, string | undefined>()
  const findings: Finding[] = []
  for (const want of wanted.values()) {
    const value = environment.get(want.name)?.value || undefined
    values.set(want.name, value)
    if (value === undefined) {
      const lacking = want.needs.filter((need) => need.reference.fallback === undefined)
      if (lacking.length > 0) findings.push(unset({ ...want, needs: lacking }, environment, wanted))
    } else if (want.isSecret) {
      redactor.add(value)
      const reason = standInReason(want.name, value)
      if (reason !== null) findings.push(standIn(want, environment, reason))
    }
  }
  return { references: { read: (reference) => read(values, reference) }, findings }
}

function read(values: ReadonlyMap<string, string | undefined>, reference: Parameters<References["read"]>[0]): string {
  if (typeof reference === "string") return reference
  assert(values.has(reference.ref), `the reference ${reference.ref} was read but never resolved`)
  const value = values.get(reference.ref) ?? (isReference(reference) ? reference.fallback : undefined)
  assert(value !== undefined, `the reference ${reference.ref} was read though it is unset`)
  return value
}

function byName(refs: Iterable<Reference | Need>): Map<string, Wanted> {
  const wanted = new Map<string, Wanted>()
  for (const ref of refs) {
    const need = isReference(ref) ? { reference: ref, neededBy: "", place: null } : ref
    const { ref: name, secret } = need.reference
    const known = wanted.get(name)
    wanted.set(name, { name, needs: [...(known?.needs ?? []), need], isSecret: secret || known?.isSecret === true })
  }
  return wanted
}

function unset(want: Wanted, environment: Environment, wanted: ReadonlyMap<string, Wanted>): Finding {
  const { name, isSecret } = want
  const kind = isSecret ? "secret" : "setting"
  const empty = environment.get(name)
  const state = empty ? `is empty in ${empty.source}${shadowed(empty.shadows)}` : "is not set"
  return {
    code: isSecret ? "TRS2002" : "TRS2001",
    severity: "error",
    message: `The ${kind} ${name}${neededBy(want)} ${state}.`,
    at: placesOf(environment),
    ...placeOf(want),
    why: isSecret
      ? "A start without it would call the service with an empty credential, and fail later and less clearly."
      : "It has no fallback, so there is no value to go on with.",
    fix: fixOf(want, environment, wanted),
  }
}

function fixOf({ name, isSecret, needs }: Wanted, environment: Environment, wanted: ReadonlyMap<string, Wanted>): string {
  // A name that another reference uses is meant there; an empty one would not help.
  const candidates = environment.names().filter((other) => !wanted.has(other) && environment.get(other)!.value !== "")
  const near = nearest(name, candidates)
  const guess = near ? `Found ${near} in ${environment.get(near)!.source}: did you mean that? ` : ""
  const line = `Put ${name}=... in .env.local, or set it in the shell.`
  const fallback = isSecret || needs.length === 0 ? "" : ` Or declare a fallback: env("${name}", "...").`
  return `${guess}${line}${fallback}`
}

function standIn(want: Wanted, environment: Environment, reason: string): Finding {
  const { source } = environment.get(want.name)!
  return {
    code: "TRS2003",
    severity: "warning",
    message: `The secret ${want.name}${neededBy(want)} is set in ${source}, but ${reason}.`,
    at: source,
    ...placeOf(want),
    why: "The service would refuse it, or, worse, everybody who has read the example knows it.",
    fix: `Put the real value in .env.local: ${want.name}=...`,
  }
}

function neededBy({ needs }: Wanted): string {
  const names = [...new Set(needs.map((need) => need.neededBy).filter(Boolean))]
  return names.length === 0 ? "" : `, needed by ${names.join(" and ")},`
}

function shadowed(shadows: readonly string[]): string {
  return shadows.length === 0 ? "" : `, which shadows the value in ${shadows.join(" and ")}`
}

function placeOf({ needs }: Wanted): Pick<Finding, "file" | "line" | "excerpt"> {
  const place = needs.find((need) => need.place)?.place ?? null
  return { file: place ? pathOf(place) : null, line: place?.line ?? null, excerpt: excerptAt(place) }
}

import type { SourcePlace } from "../base/source-place.ts"

/** What happens to data that is not as a mapping declares it: see `Contract.drift`. */
export type Drift = "strict" | "warn" | "repair"

/** Where a mapping learns how to treat drift, and tells what it repaired. Every call is one; so is the `ctx` of `code()`. */
export interface RepairReport {
  readonly drift: Drift
  /** By the names of the fields on both sides, never by the value. */
  noteRepair(what: string): void
}

/** The hidden face of a function of a mapping, by which connectors know it from a function that was written by hand. */
export interface MappingFace {
  run(value: unknown, report: RepairReport): unknown
  /** What it would read as that value, where each of its fields goes both ways. @throws {MappingError} */
  readonly inverse?: (value: unknown) => unknown
  /** What is wrong with its declaration. */
  readonly mistakes: readonly string[]
  /** Where it was declared. */
  readonly at: SourcePlace | null
}

export interface MappingFunction {
  readonly "~mapping": MappingFace
}

/**
 * A value that a mapping refuses. Its message names each field on both sides and what was expected, never the value:
 * `reg_dt → registeredOn: is no date as dd/MM/yyyy`.
 */
export class MappingError extends Error {
  override readonly name = "MappingError"
  /** One sentence for each field, at most 20. */
  readonly problems: readonly string[]

  constructor(problems: readonly string[], more = 0) {
    super(problems.join("; ") + (more > 0 ? `; and ${more} more` : ""))
    this.problems = problems
    Object.defineProperty(this, BRAND, { value: true })
  }

  static is(error: unknown): error is MappingError {
    return typeof error === "object" && error !== null && (error as Record<symbol, unknown>)[BRAND] === true
  }
}

/** Survives two copies of the package in one process. */
const BRAND = Symbol.for("trestle.mapping-error")

export function faceOf(f: unknown): MappingFace | null {
  return typeof f === "function" ? ((f as unknown as Partial<MappingFunction>)["~mapping"] ?? null) : null
}

/**
 * What a connector puts in the place of a declared `map`: looked at once, when it is bound. A mapping gets the call, for its drift and its
 * report; a function written by hand gets the input.
 */
export function boundMap(
  map: ((value: any, input: any) => unknown) | undefined,
): (value: unknown, input: unknown, call: RepairReport) => unknown {
  const face = faceOf(map)
  if (face) return (value, _input, call) => face.run(value, call)
  return map ?? ((value) => value)
}

/** For a note to the operator: what a mapping says is wrong, which holds no value; of anything else that was thrown, `otherwise`. */
export function mappingNote(thrown: unknown, otherwise: string): string {
  return MappingError.is(thrown) ? thrown.message : otherwise
}

/** For a plan: the mappings among the functions of a declared call. */
export function mappingsAmong(...functions: readonly unknown[]): readonly MappingFace[] {
  return functions.flatMap((f) => faceOf(f) ?? [])
}

import { type Drift, MappingError, type RepairReport } from "../contract/mapping.ts"

/** Returned by a part that has told the pass of its problem. */
export const REFUSED = Symbol("refused")

const PROBLEMS_MAX = 20

/** How a field is called on both sides; `null` where it has no name of its own on that side. */
export interface Place {
  readonly source: string | null
  readonly target: string | null
}

/** On its own, a mapping is strict. */
export const STRICT: RepairReport = { drift: "strict", noteRepair: () => {} }

/**
 * One record, or one answer with many, on its way through a mapping: where it is, what is wrong and what was repaired. Nothing is written
 * down of a field that is as declared. Repairs are reported when the whole is accepted, and not before: an answer that is refused in the
 * end was not repaired.
 */
export class Pass {
  readonly direction: "read" | "write"
  readonly drift: Drift
  readonly #report: RepairReport
  /** The field that is being mapped. */
  place: Place | null = null
  /** The fields and list positions round it. */
  readonly #around: (Place | null | number)[] = []
  #problems: string[] | null = null
  #problemCount = 0
  #repairs: string[] | null = null

  constructor(direction: "read" | "write", report: RepairReport) {
    this.direction = direction
    this.#report = report
    this.drift = report.drift
  }

  /** Into the current field; `at` puts a position after its name, where it is a list. */
  enter(): void {
    this.#around.push(this.place)
  }

  leave(): void {
    this.place = this.#around.pop() as Place | null
  }

  enterItems(): void {
    this.#around.push(this.place, 0)
  }

  at(index: number): void {
    this.#around[this.#around.length - 1] = index
    this.place = null
  }

  leaveItems(): void {
    this.#around.pop()
    this.leave()
  }

  refuse(why: string): typeof REFUSED {
    this.#problemCount++
    this.#problems ??= []
    if (this.#problems.length < PROBLEMS_MAX) this.#problems.push(`${this.#path(true)}: ${why}`)
    return REFUSED
  }

  /** The mended value, where drift may be repaired; a strict mapping refuses with `complaint`, and says that it could be. */
  repair(value: unknown, how: string, complaint: string): unknown {
    if (this.drift === "strict") return this.refuse(`${complaint} (\`drift: "repair"\` would take it)`)
    this.#repairs ??= []
    this.#repairs.push(`${this.#path(false)}: ${how}`)
    return value
  }

  /** What was found so far, so that a part may be given up without the whole. */
  get problemCount(): number {
    return this.#problemCount
  }

  forget(problemCount: number): void {
    this.#problemCount = problemCount
    if (this.#problems && this.#problems.length > problemCount) this.#problems.length = problemCount
  }

  /** @throws {MappingError} with every problem. */
  end(): void {
    if (this.#problems && this.#problemCount > 0) throw new MappingError(this.#problems, this.#problemCount - this.#problems.length)
    if (this.#repairs) for (const what of this.#repairs) this.#report.noteRepair(what)
  }

  #path(hasIndexes: boolean): string {
    const places = [...this.#around, this.place]
    const source = sideOf(places, "source", hasIndexes)
    const target = sideOf(places, "target", hasIndexes)
    return this.direction === "read" ? `${source} → ${target}` : `${target} → ${source}`
  }
}

function sideOf(places: readonly (Place | null | number)[], side: "source" | "target", hasIndexes: boolean): string {
  let path = ""
  for (const place of places) {
    if (typeof place === "number") path += hasIndexes ? `[${place}]` : "[]"
    else if (place?.[side] != null) path += path === "" ? place[side] : `.${place[side]}`
  }
  return path === "" ? "(the whole)" : path
}

/** For messages: what a value is, never which. */
export function kindOf(value: unknown): string {
  if (value === undefined) return "missing"
  if (value === null) return "null"
  if (Array.isArray(value)) return "a list"
  if (value === "") return "empty"
  const kind = { string: "a text", number: "a number", boolean: "a boolean", bigint: "a big number", object: "an object" } as const
  return kind[typeof value as keyof typeof kind] ?? `a ${typeof value}`
}

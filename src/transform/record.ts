import type { Way } from "./converter.ts"
import type { Field } from "./fields.ts"
import type { GroupPart, Part } from "./part.ts"
import { kindOf, type Pass, REFUSED } from "./pass.ts"
import type { Step } from "./steps.ts"

/** An object of theirs as an object of ours: its fields in a closed list of steps, made once. */
export class RecordPart implements Part, GroupPart {
  readonly noun = "object"
  readonly takesEmpty = false
  readonly mayBeAbsent = false
  readonly isReversible: boolean
  readonly mistakes: readonly string[]
  readonly #steps: readonly Step[]

  constructor(fields: Readonly<Record<string, Field<any, Way>>>) {
    const entries = Object.entries(fields)
    this.#steps = entries.map(([key, field]) => field["~field"].step(key))
    this.isReversible = this.#steps.every((step) => step.isReversible)
    const reserved = Object.hasOwn(fields, "__proto__") ? ["no field can be called __proto__"] : []
    this.mistakes = [...reserved, ...entries.flatMap(([key, field]) => field["~field"].mistakes.map((mistake) => `${key}: ${mistake}`))]
  }

  get group(): GroupPart {
    return this
  }

  read(source: unknown, pass: Pass): unknown {
    if (typeof source !== "object" || source === null || Array.isArray(source))
      return pass.refuse(`is ${kindOf(source)} (expected: object)`)
    const out: Record<string, unknown> = {}
    let isWhole = true
    pass.enter()
    for (const step of this.#steps) if (!step.read(source, out, pass)) isWhole = false
    pass.leave()
    return isWhole ? out : REFUSED
  }

  write(ours: unknown, pass: Pass): unknown {
    const target: Record<string, unknown> = {}
    return this.writeInto(ours, target, pass) ? target : REFUSED
  }

  writeInto(ours: unknown, target: Record<string, unknown>, pass: Pass): boolean {
    if (typeof ours !== "object" || ours === null || Array.isArray(ours)) {
      pass.refuse(`is ${kindOf(ours)} (expected: object)`)
      return false
    }
    let isWhole = true
    pass.enter()
    for (const step of this.#steps) if (!step.write(ours, target, pass)) isWhole = false
    pass.leave()
    return isWhole
  }

  isAbsent(source: unknown): boolean {
    return typeof source !== "object" || source === null || this.#steps.every((step) => step.isAbsent(source))
  }
}

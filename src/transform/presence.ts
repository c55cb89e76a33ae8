import type { Converter, Way } from "./converter.ts"
import { type Field, type FieldRule, groupRule, type Nest } from "./fields.ts"
import { asConverter, type GroupPart, type Part } from "./part.ts"
import { type Pass, REFUSED } from "./pass.ts"

/** The three ways in which a source can say that there is no value. */
export type Absence = "missing" | "null" | "empty"
/** Which of them it uses; the first is written. */
export type Absences = readonly [Absence, ...Absence[]]

/** May lack: then ours lacks too. By default a missing field says so; `optional(text, ["null", "missing"])` says what does here. */
export function optional<T, W extends Way>(converter: Nest<T, W>, absences?: Absences): Nest<T | undefined, W>
export function optional<T, W extends Way>(converter: Converter<T, W>, absences?: Absences): Converter<T | undefined, W>
export function optional(converter: Converter<any, any>, absences: Absences = ["missing"]): unknown {
  return present(converter, { value: undefined, absences, isGuess: false })
}

/** May lack: then ours is null. By default a null says so. */
export function nullable<T, W extends Way>(converter: Nest<T, W>, absences?: Absences): Nest<T | null, W>
export function nullable<T, W extends Way>(converter: Converter<T, W>, absences?: Absences): Converter<T | null, W>
export function nullable(converter: Converter<any, any>, absences: Absences = ["null"]): unknown {
  return present(converter, { value: null, absences, isGuess: false })
}

/** May lack: then ours is `value`. By default a missing field says so. */
export function withDefault<T, W extends Way>(
  converter: Converter<T, W>,
  value: NoInfer<T>,
  absences: Absences = ["missing"],
): Converter<T, W> {
  return present(converter, { value, absences, isGuess: true }) as Converter<T, W>
}

interface Absent {
  /** What ours is, where there is no value. */
  readonly value: unknown
  readonly absences: Absences
  /** The value says more than that there is none, so it cannot stand for one that cannot be read. */
  readonly isGuess: boolean
}

function present(converter: Converter<any, any>, absent: Absent): Converter<any, any> | Nest<any, any> {
  const part = new PresencePart(converter["~part"], absent)
  const rule = (converter as Partial<Field<any, any>>)["~field"] as FieldRule | undefined
  return rule ? { ...asConverter(part), "~field": groupRule(part) } : asConverter(part)
}

class PresencePart implements Part {
  readonly noun: string
  readonly mistakes: readonly string[]
  readonly takesEmpty: boolean
  readonly isReversible: boolean
  readonly group?: GroupPart
  readonly #inner: Part
  readonly #absent: Absent

  constructor(inner: Part, absent: Absent) {
    this.noun = inner.noun
    this.mistakes = inner.mistakes
    this.takesEmpty = inner.takesEmpty
    this.isReversible = inner.isReversible
    this.#inner = inner
    this.#absent = absent
    const { group } = inner
    if (!group) return
    this.group = {
      mayBeAbsent: true,
      isAbsent: (source) => group.isAbsent(source),
      writeInto: (value, target, pass) => value === absent.value || group.writeInto(value, target, pass),
    }
  }

  read(value: unknown, pass: Pass): unknown {
    const absence = absenceOf(value)
    if (absence !== null && this.#absent.absences.includes(absence)) return this.#valueOfNone()
    if (absence === null || (absence === "empty" && this.takesEmpty)) return this.#readPresent(value, pass)
    const complaint = `is ${absence}, which is not declared as a way to have no value`
    return pass.repair(this.#valueOfNone(), `${absence} instead of ${this.#absent.absences.join(" or ")}`, complaint)
  }

  /** Each record has a list or an object of its own: what one caller does to it is not seen by another. */
  #valueOfNone(): unknown {
    const { value } = this.#absent
    return typeof value === "object" && value !== null ? structuredClone(value) : value
  }

  /** With `drift: "warn"` what cannot be read is left out, if it may lack: the rest of the answer is worth more. */
  #readPresent(value: unknown, pass: Pass): unknown {
    if (pass.drift !== "warn" || this.#absent.isGuess) return this.#inner.read(value, pass)
    const before = pass.problemCount
    const { place } = pass
    const read = this.#inner.read(value, pass)
    if (read !== REFUSED) return read
    pass.forget(before)
    pass.place = place
    return pass.repair(this.#absent.value, `left out, for no ${this.noun} could be read`, "")
  }

  write(value: unknown, pass: Pass): unknown {
    const { absences, isGuess } = this.#absent
    if (value === this.#absent.value && !isGuess) return WRITTEN[absences[0]]
    const written = this.#inner.write(value, pass)
    const absence = written === REFUSED ? null : absenceOf(written)
    return absence !== null && absences.includes(absence) ? pass.refuse("would be read back as no value") : written
  }
}

const WRITTEN = { missing: undefined, null: null, empty: "" } as const

function absenceOf(value: unknown): Absence | null {
  if (value === undefined) return "missing"
  if (value === null) return "null"
  return value === "" ? "empty" : null
}

import { type Converter, type ConverterRules, Mended, Refusal, type Way } from "./converter.ts"
import { kindOf, type Pass } from "./pass.ts"

/** What a converter is at run time. It has told the pass of its problem when it returns `REFUSED`. */
export interface Part {
  readonly noun: string
  readonly mistakes: readonly string[]
  /** `value` is `undefined` where the field is missing. A result of `undefined` leaves our field out. */
  read(value: unknown, pass: Pass): unknown
  /** A result of `undefined` leaves their field out. */
  write(value: unknown, pass: Pass): unknown
  /** An empty text is a value of it, and not the lack of one. */
  readonly takesEmpty: boolean
  /** It can be written. */
  readonly isReversible: boolean
  /** Of several fields that may stand beside others in one source. */
  readonly group?: GroupPart
}

export interface GroupPart {
  /** It may be left out as a whole, where none of its fields is in the source. */
  readonly mayBeAbsent: boolean
  isAbsent(source: unknown): boolean
  /** Writes its fields beside the others; false when one was refused. */
  writeInto(value: unknown, target: Record<string, unknown>, pass: Pass): boolean
}

/** One value: what the rules do not take is mended where that is certain, and told of. */
class Leaf implements Part {
  readonly noun: string
  readonly mistakes: readonly string[]
  readonly takesEmpty: boolean
  readonly isReversible: boolean
  readonly #rules: ConverterRules<any>

  constructor(rules: ConverterRules<any>) {
    this.noun = rules.noun
    this.mistakes = rules.mistakes ?? []
    this.isReversible = rules.write !== undefined
    this.takesEmpty = rules.takesEmpty === true
    this.#rules = rules
  }

  read(value: unknown, pass: Pass): unknown {
    if (value === undefined || value === null) return pass.refuse(`is ${kindOf(value)} (expected: ${this.noun})`)
    const taken = this.#rules.read(value)
    return taken instanceof Refusal ? this.#mend(value, taken, pass) : taken
  }

  #mend(value: unknown, refusal: Refusal, pass: Pass): unknown {
    const mended = this.#rules.mend?.(value) ?? null
    if (mended instanceof Mended) return pass.repair(mended.value, mended.how, `is no ${this.noun}, but ${mended.how}`)
    const why = mended?.why ?? refusal.why
    return pass.refuse(
      why ?? `is no ${this.noun}${typeof value === "string" ? (value === "" ? ", but empty" : "") : `, but ${kindOf(value)}`}`,
    )
  }

  write(value: unknown, pass: Pass): unknown {
    const { write } = this.#rules
    if (value === undefined || value === null) return pass.refuse(`is ${kindOf(value)} (expected: ${this.noun})`)
    if (!write) return pass.refuse("is mapped one way only")
    const written = write.call(this.#rules, value)
    return written instanceof Refusal ? pass.refuse(written.why ?? `cannot be written as ${this.noun}`) : written
  }
}

/** Makes a converter of your own: for one value, in both directions, or without `write` in one. */
export function converter<T>(rules: ConverterRules<T> & { write(value: T): unknown }): Converter<T>
export function converter<T>(rules: ConverterRules<T>): Converter<T, "read">
export function converter<T>(rules: ConverterRules<T>): Converter<T, any> {
  return asConverter<T, Way>(new Leaf(rules))
}

export function asConverter<T, W extends Way>(part: Part): Converter<T, W> {
  return { "~part": part }
}

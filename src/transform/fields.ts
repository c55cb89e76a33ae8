import type { Converter, Way } from "./converter.ts"
import { asConverter, type Part } from "./part.ts"
import { type Pass, type Place, REFUSED } from "./pass.ts"
import { type Find, finderOf, pathOf, putAt } from "./paths.ts"
import { RecordPart } from "./record.ts"

/** How one of our fields comes from theirs, and goes back where `W` is `"both"`. */
export interface Field<T, W extends Way = "both"> {
  readonly "~field": FieldRule
  /** Carry the types only; never set. */
  readonly "~out"?: T
  readonly "~way"?: W
}

/** One field for each of ours; optional ones may be left out. */
export type Fields<T> = { readonly [K in keyof T]: Field<T[K], Way> }

/** A field at run time, once its name on our side is known. */
export interface FieldRule {
  readonly mistakes: readonly string[]
  step(key: string): Step
}

export interface Step {
  readonly key: string
  readonly isReversible: boolean
  /** False when it was refused. */
  read(source: any, out: Record<string, unknown>, pass: Pass): boolean
  write(ours: any, target: Record<string, unknown>, pass: Pass): boolean
  isAbsent(source: unknown): boolean
}

export interface FromOptions {
  /** Names that the field is known to drift to: taken only with `drift: "warn"` or `"repair"`, and told of. */
  readonly drift?: string | readonly string[]
}

/**
 * Takes a field of theirs: `from("full_nm", text)`. A name with dots is a path (`"addr.street"`; a dot in a name is `\\.`). Of several
 * names the first one counts that has a value; the first of all is written.
 */
export function from<T, W extends Way>(
  name: string | readonly [string, ...string[]],
  converter: Converter<T, W>,
  options: FromOptions = {},
): Field<T, W> {
  const names = typeof name === "string" ? [name] : name
  const drifted = typeof options.drift === "string" ? [options.drift] : (options.drift ?? [])
  const part = converter["~part"]
  const mistakes = [...[...names, ...drifted].flatMap((one) => pathOf(one).mistakes), ...part.mistakes]
  return { "~field": { mistakes, step: (key) => new SingleStep(key, names, drifted, part) } }
}

/** Several of our fields as one object, whose values stand side by side in the source: flat there, nested here. */
export function nest<F extends Readonly<Record<string, Field<any, Way>>>>(fields: F): Nest<Values<F>, WayOf<F>> {
  const part = new RecordPart(fields)
  return { ...asConverter<Values<F>, WayOf<F>>(part), "~field": groupRule(part) }
}

/** A field that takes the whole source; as a converter, with `from`, it takes one object in it. */
export interface Nest<T, W extends Way> extends Field<T, W>, Converter<T, W> {}

export type Values<F> = { [K in keyof F]: F[K] extends Field<infer T, Way> ? T : never }
export type WayOf<F> = [OneWay<F>] extends [never] ? "both" : "read"
/** The keys that cannot be mapped back. */
export type OneWay<F> = { [K in keyof F]: F[K] extends Field<any, "both"> ? never : K }[keyof F]

/** The same value for every record. Writing checks that it is that value, and writes nothing. */
export function constant<const T extends string | number | boolean | null>(value: T): Field<T> {
  return { "~field": { mistakes: [], step: (key) => new ConstantStep(key, value) } }
}

/** Made from the whole source by a function of yours, which gets it unchecked. One way only. */
export function computed<T>(f: (source: any) => T): Field<T, "read"> {
  return { "~field": { mistakes: [], step: (key) => new ComputedStep(key, f) } }
}

export function groupRule(part: Part): FieldRule {
  return { mistakes: part.mistakes, step: (key) => new GroupStep(key, part) }
}

class SingleStep implements Step, Place {
  readonly key: string
  readonly source: string
  readonly target: string
  readonly isReversible: boolean
  readonly #part: Part
  readonly #find: Find
  readonly #path: readonly string[]
  readonly #drifted: readonly { readonly name: string; readonly find: Find }[]

  constructor(key: string, names: readonly string[], drifted: readonly string[], part: Part) {
    this.key = this.target = key
    this.source = names[0]!
    this.isReversible = part.isReversible
    this.#part = part
    this.#path = pathOf(this.source).keys
    this.#find = finderOf(names)
    this.#drifted = drifted.map((name) => ({ name, find: finderOf([name]) }))
  }

  read(source: unknown, out: Record<string, unknown>, pass: Pass): boolean {
    pass.place = this
    let raw = this.#find(source)
    if (raw === undefined && this.#drifted.length > 0) raw = this.#findDrifted(source, pass)
    if (raw === REFUSED) return false
    const value = this.#part.read(raw, pass)
    if (value === REFUSED) return false
    if (value !== undefined) out[this.key] = value
    return true
  }

  #findDrifted(source: unknown, pass: Pass): unknown {
    for (const { name, find } of this.#drifted) {
      const raw = find(source)
      if (raw !== undefined) return pass.repair(raw, `under the name ${name}`, `is missing, but there is ${name}`)
    }
    return undefined
  }

  write(ours: Record<string, unknown>, target: Record<string, unknown>, pass: Pass): boolean {
    pass.place = this
    const written = this.#part.write(ours[this.key], pass)
    if (written === REFUSED) return false
    if (written === undefined || putAt(target, this.#path, written)) return true
    pass.refuse("is written by another field too, with another value")
    return false
  }

  isAbsent(source: unknown): boolean {
    return this.#find(source) == null && this.#drifted.every(({ find }) => find(source) == null)
  }
}

class GroupStep implements Step, Place {
  readonly key: string
  readonly source = null
  readonly target: string
  readonly isReversible: boolean
  readonly #part: Part

  constructor(key: string, part: Part) {
    this.key = this.target = key
    this.isReversible = part.isReversible
    this.#part = part
  }

  read(source: unknown, out: Record<string, unknown>, pass: Pass): boolean {
    pass.place = this
    const { group } = this.#part
    const value = this.#part.read(group?.mayBeAbsent && group.isAbsent(source) ? undefined : source, pass)
    if (value === REFUSED) return false
    if (value !== undefined) out[this.key] = value
    return true
  }

  write(ours: Record<string, unknown>, target: Record<string, unknown>, pass: Pass): boolean {
    pass.place = this
    return this.#part.group!.writeInto(ours[this.key], target, pass)
  }

  isAbsent(source: unknown): boolean {
    return this.#part.group!.isAbsent(source)
  }
}

class ConstantStep implements Step, Place {
  readonly key: string
  readonly source = "(constant)"
  readonly isReversible = true
  readonly target: string
  readonly #value: unknown

  constructor(key: string, value: unknown) {
    this.key = this.target = key
    this.#value = value
  }

  read(_source: unknown, out: Record<string, unknown>): boolean {
    out[this.key] = this.#value
    return true
  }

  write(ours: Record<string, unknown>, _target: Record<string, unknown>, pass: Pass): boolean {
    if (ours[this.key] === this.#value) return true
    pass.place = this
    pass.refuse("is not the value that it is always read as")
    return false
  }

  isAbsent(): boolean {
    return true
  }
}

class ComputedStep implements Step, Place {
  readonly key: string
  readonly source = "(computed)"
  readonly isReversible = false
  readonly target: string
  readonly #compute: (source: any) => unknown

  constructor(key: string, compute: (source: any) => unknown) {
    this.key = this.target = key
    this.#compute = compute
  }

  read(source: unknown, out: Record<string, unknown>, pass: Pass): boolean {
    try {
      const value = this.#compute(source)
      if (value !== undefined) out[this.key] = value
      return true
    } catch (thrown) {
      // Not its message: that may hold the value.
      pass.place = this
      pass.refuse(`could not be computed (${thrown instanceof Error ? thrown.name : typeof thrown})`)
      return false
    }
  }

  write(_ours: unknown, _target: Record<string, unknown>, pass: Pass): boolean {
    pass.place = this
    pass.refuse("is computed, which goes one way only")
    return false
  }

  isAbsent(): boolean {
    return true
  }
}

import type { Converter, Way } from "./converter.ts"
import { asConverter, type Part } from "./part.ts"
import { pathOf } from "./paths.ts"
import { RecordPart } from "./record.ts"
import { ComputedStep, ConstantStep, GroupStep, SingleStep, type Step } from "./steps.ts"

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

/** What a field may be called besides its names. */
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

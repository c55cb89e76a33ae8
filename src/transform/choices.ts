import { type Converter, Mended, NOT } from "./converter.ts"
import { converter } from "./part.ts"

type Value = string | number | boolean

/** What else a code may be. */
export interface OneOfOptions<T> {
  /** What an unknown code is taken for, with `drift: "warn"` or `"repair"`. Default: an unknown code is refused. */
  readonly drift?: T
  /** Their codes are JSON numbers. Default: texts. */
  readonly codes?: "text" | "number"
}

/**
 * A code of theirs for a value of ours: `oneOf({ "1": "junior", "2": "senior" })`; or the same words on both sides: `oneOf(["open", "closed"])`.
 * Of several codes for one value the first is written. Mends a code as a number or as a text, blanks round it, and other capitals where only
 * one code can be meant.
 */
export function oneOf<const M extends Readonly<Record<string, Value>> | readonly string[]>(
  codes: M,
  options: OneOfOptions<NoInfer<ChoiceOf<M>>> = {},
): Converter<ChoiceOf<M>> {
  const isNumber = options.codes === "number"
  const pairs: [string, Value][] = Array.isArray(codes)
    ? codes.map((word: string) => [word, word])
    : Object.entries(codes as Record<string, Value>)
  const byCode = new Map<unknown, Value>(pairs.map(([code, value]) => [isNumber ? Number(code) : code, value]))
  const byValue = new Map<Value, unknown>()
  for (const [code, value] of byCode) if (!byValue.has(value)) byValue.set(value, code)
  const loose = looseOf(pairs)
  const { drift } = options
  return converter<Value>({
    noun: `code of ${shownCodes(pairs)}`,
    takesEmpty: byCode.has(""),
    mistakes: mistakesOf(pairs, isNumber),
    read: (code) => byCode.get(code) ?? NOT,
    mend(code) {
      const kind = typeof code
      if (kind !== "string" && kind !== "number") return null
      const key = String(code).trim().toLowerCase()
      const found = loose.get(key)
      if (found !== undefined)
        return new Mended(found, (kind === "number") === isNumber ? "in other letters" : `as a ${kind === "number" ? "number" : "text"}`)
      // An empty text is no code that was not known yet.
      return drift === undefined || key === "" ? null : new Mended<Value>(drift, `an unknown code, taken for ${String(drift)}`)
    },
    write: (value) => (byValue.has(value) ? byValue.get(value) : NOT),
  }) as Converter<ChoiceOf<M>>
}

export type ChoiceOf<M> = M extends readonly (infer W)[] ? W : M[keyof M]

const CODES_SHOWN_MAX = 10

function shownCodes(pairs: readonly (readonly [string, Value])[]): string {
  const shown = pairs.slice(0, CODES_SHOWN_MAX).map(([code]) => code)
  return shown.join(", ") + (pairs.length > CODES_SHOWN_MAX ? `, and ${pairs.length - CODES_SHOWN_MAX} more` : "")
}

/** Codes without regard to capitals; two that differ in nothing else are not known by it, for either may be meant. */
function looseOf(pairs: readonly (readonly [string, Value])[]): Map<string, Value> {
  const loose = new Map<string, Value>()
  const doubtful = new Set<string>()
  for (const [code, value] of pairs) {
    const key = code.trim().toLowerCase()
    if (loose.has(key) && loose.get(key) !== value) doubtful.add(key)
    loose.set(key, value)
  }
  for (const key of doubtful) loose.delete(key)
  return loose
}

function mistakesOf(pairs: readonly (readonly [string, Value])[], isNumber: boolean): string[] {
  if (pairs.length === 0) return ["oneOf has no codes"]
  const wrong = isNumber ? pairs.filter(([code]) => code.trim() === "" || !Number.isFinite(Number(code))) : []
  return wrong.map(([code]) => `the code "${code}" is no number`)
}

/** What everybody means by these. */
const COMMON_WORDS: Readonly<Record<string, boolean>> = {
  y: true,
  yes: true,
  true: true,
  t: true,
  "1": true,
  n: false,
  no: false,
  false: false,
  f: false,
  "0": false,
}

/**
 * Yes or no in their two forms: `flag("J", "N")`, `flag(1, 0)`. Mends blanks, other capitals, and the common words y, yes, true, t, 1 and n, no,
 * false, f, 0, as texts, numbers or booleans; unless their own forms give one of these words another meaning.
 */
export function flag(yes: string | number | boolean, no: string | number | boolean): Converter<boolean> {
  const key = (value: unknown): string => String(value).trim().toLowerCase()
  const isContrary = COMMON_WORDS[key(yes)] === false || COMMON_WORDS[key(no)] === true
  const words = new Map<string, boolean>(isContrary ? [] : Object.entries(COMMON_WORDS))
  words.set(key(yes), true).set(key(no), false)
  return converter<boolean>({
    noun: `"${yes}" or "${no}"`,
    mistakes: key(yes) === key(no) ? [`flag: "${yes}" cannot mean both yes and no`] : [],
    read: (value) => (value === yes ? true : value === no ? false : NOT),
    mend(value) {
      const found = typeof value === "object" ? undefined : words.get(key(value))
      return found === undefined ? null : new Mended(found, "in another form of yes and no")
    },
    write: (value) => (value === true ? yes : value === false ? no : NOT),
  })
}

/** `"Y"` or `"N"`. */
export const yesNo: Converter<boolean> = flag("Y", "N")
/** A JSON boolean. */
export const boolean: Converter<boolean> = flag(true, false)

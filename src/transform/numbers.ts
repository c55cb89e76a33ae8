import { type Converter, Mended, NOT, type Refusal, refused } from "./converter.ts"
import { compileDecimal, type DecimalNotation, decimalOf, notationMistakes, numberOf, showDecimal } from "./decimal-text.ts"
import { converter } from "./part.ts"

const TOO_PRECISE = refused("has more digits than a number can hold")
const readPlain = compileDecimal({})

/**
 * A JSON number; a whole one up to 2^53, for beyond it each stands for several. Mends a text of one: plain digits with a point, blanks
 * round it, zeros in front.
 */
export const number = converter<number>({
  noun: "number",
  read: (value) => (typeof value !== "number" || !Number.isFinite(value) ? NOT : isExact(value) ? value + 0 : TOO_PRECISE),
  mend: (value) => mendNumber(value, () => true),
  write: (value) => (Number.isFinite(value) && isExact(value) ? value : NOT),
})

/** A whole JSON number up to 2^53. Mends a text of one. */
export const integer = converter<number>({
  noun: "whole number",
  read: (value) => (Number.isSafeInteger(value) ? value + 0 : typeof value === "number" && Number.isInteger(value) ? TOO_PRECISE : NOT),
  mend: (value) => mendNumber(value, Number.isSafeInteger),
  write: (value) => (Number.isSafeInteger(value) ? value : NOT),
})

function mendNumber(value: unknown, isTaken: (value: number) => boolean): Mended<number> | Refusal | null {
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? new Mended(Number(value), "a big number") : TOO_PRECISE
  if (typeof value !== "string") return null
  const decimal = readPlain(value.trim())
  if (decimal === null) return null
  const found = numberOf(decimal)
  if (found === null) return TOO_PRECISE
  return isTaken(found) ? new Mended(found, "a number in a text") : null
}

/**
 * A number in a text: `decimal({ mark: ",", thousands: "." })` takes `1.234,5`, and `1234,5`. Mends a JSON number, blanks round it, zeros in
 * front. Writes with its separators, and without zeros at the end.
 */
export function decimal(notation: DecimalNotation = {}): Converter<number> {
  const parse = compileDecimal(notation)
  const shown = showDecimal({ isNegative: false, whole: "1234", fraction: "5" }, notation)
  const taken = (text: string): number | Refusal => {
    const found = parse(text)
    if (found === null || found.isPadded) return NOT
    return numberOf(found) ?? TOO_PRECISE
  }
  return converter<number>({
    noun: `number as ${shown}`,
    mistakes: notationMistakes(notation),
    read: (value) => (typeof value === "string" ? taken(value) : NOT),
    mend(value) {
      if (typeof value === "number" && Number.isFinite(value)) return isExact(value) ? new Mended(value + 0, "a JSON number") : TOO_PRECISE
      if (typeof value !== "string") return null
      const found = parse(value.trim())
      const mended = found && numberOf(found)
      if (mended === null) return null
      return new Mended(mended, found?.isPadded ? "with zeros in front" : "with blanks round it")
    },
    write: (value) => (Number.isFinite(value) && isExact(value) ? showDecimal(decimalOf(value), notation) : NOT),
  })
}

/** Whole numbers beyond 2^53 stand for several. */
function isExact(value: number): boolean {
  return !Number.isInteger(value) || Number.isSafeInteger(value)
}

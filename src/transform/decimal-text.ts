/** How decimal numbers are written: `1.234,50` has mark `,` and thousands `.`. */
export interface DecimalNotation {
  /** Between whole and fraction. Default `"."`. */
  readonly mark?: "." | ","
  /** Between groups of three digits. Default: none, and then none is taken. */
  readonly thousands?: "." | "," | " " | "'" | undefined
}

/** A decimal number in exact digits: `-12.5` is `{ isNegative: true, whole: "12", fraction: "5" }`. */
export interface Decimal {
  readonly isNegative: boolean
  /** Without leading zeros; `"0"` for none. */
  readonly whole: string
  /** As it was written, with its trailing zeros. */
  readonly fraction: string
  /** It had zeros in front, which a number has not. */
  readonly isPadded: boolean
}

/** The smallest number has 325 of them; keeps reading in proportion. */
const CHARACTERS_MAX = 400

/** Reads one notation of decimal numbers, compiled once; `null` for anything else. No plus, no exponent, no blanks, no hexadecimal. */
export function compileDecimal({ mark = ".", thousands }: DecimalNotation): (text: string) => Decimal | null {
  // Nobody groups behind a zero: "0,123" is a fraction in another notation.
  const group = thousands === undefined ? "" : `|[1-9][0-9]{0,2}(?:${escaped(thousands)}[0-9]{3})+`
  const pattern = new RegExp(`^(-?)([0-9]+${group})(?:${escaped(mark)}([0-9]+))?$`)
  return (text) => {
    const match = text.length > CHARACTERS_MAX ? null : pattern.exec(text)
    if (!match) return null
    const digits = thousands === undefined ? match[2]! : match[2]!.replaceAll(thousands, "")
    const whole = digits.replace(/^0+(?=[0-9])/, "")
    return { isNegative: match[1] === "-", whole, fraction: match[3] ?? "", isPadded: whole.length !== digits.length }
  }
}

function escaped(character: string): string {
  return character === "." ? "\\." : character
}

export function showDecimal(
  { isNegative, whole, fraction }: Omit<Decimal, "isPadded">,
  { mark = ".", thousands }: DecimalNotation,
): string {
  const grouped = thousands === undefined ? whole : whole.replace(/\B(?=(?:[0-9]{3})+$)/g, thousands)
  return `${isNegative ? "-" : ""}${grouped}${fraction === "" ? "" : mark + fraction}`
}

/** The smallest that has all its digits. Source: IEEE 754, binary64, the smallest normal number. */
const NORMAL_MIN = 2 ** -1022

/**
 * The number that a decimal text means, or `null` where a number cannot hold it: whole ones beyond 2^53, more digits than a number keeps,
 * and fractions so small that they become 0. Up to 15 significant digits always survive (IEEE 754, `DBL_DIG`) unless it is smaller than
 * normal; beyond that it is tried.
 */
export function numberOf({ isNegative, whole, fraction }: Decimal): number | null {
  const exact = fraction.replace(/0+$/, "")
  const text = exact === "" ? whole : `${whole}.${exact}`
  const value = Number(text)
  if (exact === "" && !Number.isSafeInteger(value)) return null
  const significant = (whole + exact).replace(/^0+/, "").length
  if ((significant > 15 || value < NORMAL_MIN) && plain(value) !== text) return null
  return isNegative && value !== 0 ? -value : value
}

/** A finite number without an exponent: `1e-7` is `0.0000001`. */
function plain(value: number): string {
  const [digits, exponent] = String(value).split("e")
  if (exponent === undefined) return digits!
  const sign = digits!.startsWith("-") ? "-" : ""
  const [whole, fraction = ""] = digits!.replace("-", "").split(".")
  const shift = Number(exponent)
  if (shift < 0) return `${sign}0.${"0".repeat(-shift - whole!.length)}${whole}${fraction}`
  return `${sign}${whole}${fraction}${"0".repeat(shift - fraction.length)}`
}

export function decimalOf(value: number): Decimal {
  const [whole, fraction = ""] = plain(Math.abs(value)).split(".")
  return { isNegative: value < 0, whole: whole!, fraction, isPadded: false }
}

/** What a notation lacks to be one. */
export function notationMistakes({ mark = ".", thousands }: DecimalNotation): string[] {
  return mark === thousands ? [`"${mark}" cannot both end the whole part and group it`] : []
}

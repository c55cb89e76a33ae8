import { type Converter, Mended, NOT, type Refusal, refused } from "./converter.ts"
import { compileDecimal, type Decimal, type DecimalNotation, decimalOf, notationMistakes, showDecimal } from "./decimal-text.ts"
import { converter } from "./part.ts"

/** How an amount is written, and how many decimals it has. */
export interface MoneyOptions extends DecimalNotation {
  /** Digits of the minor unit, 0 to 4. Give this, or `currency`. */
  readonly decimals?: number
  /** Its code in ISO 4217, from which the digits follow: EUR has 2, JPY 0, KWD 3. */
  readonly currency?: string
  /** How theirs is sent. Default `"text"`. */
  readonly as?: "text" | "number"
}

const TOO_LARGE = refused("is more than a whole number can hold")

/**
 * An amount in minor units: `money({ currency: "EUR", thousands: "," })` takes `"1,234.50"` as 123450. Counts in digits, never in floating
 * point. A text has all its decimals, for `"1234"` may be meant in minor units; too few (`"1234.5"`), or more that are zeros, are mended, and
 * so are blanks, zeros in front and a JSON number with a fraction.
 */
export function money(options: MoneyOptions): Converter<number> {
  const digits = digitsOf(options)
  const parse = compileDecimal(options)
  const isNumber = options.as === "number"
  const shown = showDecimal({ isNegative: false, whole: "1234", fraction: "50000".slice(0, digits) }, options)
  const fits = ({ fraction }: Decimal): boolean => fraction.replace(/0+$/, "").length <= digits
  const exact = (decimal: Decimal | null): number | Refusal =>
    decimal === null || decimal.isPadded || decimal.fraction.length !== digits ? NOT : minorOf(decimal, digits)
  const mended = (decimal: Decimal | null, how: string): Mended<number> | Refusal | null => {
    if (decimal === null || !fits(decimal)) return null
    const minor = minorOf(decimal, digits)
    return typeof minor === "number" ? new Mended(minor, how) : minor
  }
  return converter<number>({
    noun: isNumber ? `amount with ${digits} decimals` : `amount as ${shown}`,
    mistakes: [...notationMistakes(options), ...digitMistakes(options, digits)],
    read(value) {
      if (!isNumber) return typeof value === "string" ? exact(parse(value)) : NOT
      if (typeof value !== "number" || !Number.isFinite(value)) return NOT
      const decimal = decimalOf(value)
      return isKept(decimal) && fits(decimal) ? minorOf(decimal, digits) : NOT
    },
    mend(value) {
      if (typeof value === "number" && Number.isFinite(value)) {
        const decimal = decimalOf(value)
        return isNumber || decimal.fraction === "" || !isKept(decimal) ? null : mended(decimal, "a JSON number")
      }
      if (typeof value !== "string") return null
      const decimal = parse(value.trim())
      // Without decimals nobody can know whether it counts cents.
      if (decimal === null || (digits > 0 && decimal.fraction === "")) return null
      const isShort = decimal.fraction.length !== digits
      return mended(decimal, isNumber ? "an amount in a text" : isShort ? "with other decimals" : "with blanks or zeros round it")
    },
    write(minor) {
      if (!Number.isSafeInteger(minor)) return refused("is no whole number of minor units")
      const all = String(Math.abs(minor)).padStart(digits + 1, "0")
      const cut = all.length - digits
      const decimal = { isNegative: minor < 0, whole: all.slice(0, cut), fraction: all.slice(cut) }
      if (!isNumber) return showDecimal(decimal, options)
      const value = Number(showDecimal(decimal, {}))
      return isKept(decimalOf(value)) ? value : TOO_LARGE
    },
  })
}

/** A number from JSON keeps up to 15 digits exactly as they were sent; of more nobody can tell. */
function isKept({ whole, fraction }: Decimal): boolean {
  return (whole + fraction).replace(/^0+/, "").length <= 15
}

function minorOf({ isNegative, whole, fraction }: Decimal, digits: number): number | Refusal {
  const minor = Number(whole + fraction.slice(0, digits).padEnd(digits, "0"))
  if (!Number.isSafeInteger(minor)) return TOO_LARGE
  return isNegative && minor !== 0 ? -minor : minor
}

function digitsOf({ decimals, currency }: MoneyOptions): number {
  if (currency === undefined || !/^[A-Z]{3}$/.test(currency)) return decimals ?? 2
  return decimals ?? new Intl.NumberFormat("en", { style: "currency", currency }).resolvedOptions().maximumFractionDigits ?? 2
}

function digitMistakes({ decimals, currency }: MoneyOptions, digits: number): string[] {
  const mistakes: string[] = []
  if (decimals === undefined && currency === undefined) mistakes.push("money needs its decimals or its currency")
  const isCode = currency !== undefined && /^[A-Z]{3}$/.test(currency)
  if (currency !== undefined && !isCode) mistakes.push(`"${currency}" is no code of a currency, such as EUR`)
  // Of a code that it does not know Intl says 2, and KWT, meant as KWD, would be wrong by ten.
  if (isCode && decimals === undefined && !Intl.supportedValuesOf("currency").includes(currency))
    mistakes.push(`"${currency}" is no currency whose decimals are known: give decimals beside it`)
  if (!Number.isInteger(digits) || digits < 0 || digits > 4) mistakes.push(`${digits} is not a number of decimals from 0 to 4`)
  return mistakes
}

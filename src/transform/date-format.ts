import { digits, exists, type Moment } from "./calendar.ts"

/** What a text says, read by a format: a reading of calendar and clock, and how far it is from UTC where it says so. */
export interface Dated {
  readonly moment: Moment
  /** Minutes east of UTC. */
  readonly offset: number | null
}

/** A format of dates, compiled once. */
export interface DateFormat {
  readonly pattern: string
  /** `null`: another shape. `"no such day"`: the shape is right, and the calendar or the clock has nothing like it. */
  parse(text: string): Dated | null | "no such day"
  print(dated: Dated): string
  readonly hasTime: boolean
  readonly hasOffset: boolean
  readonly mistakes: readonly string[]
}

type Part =
  | "year"
  | "shortYear"
  | "month"
  | "monthName"
  | "day"
  | "hour"
  | "hour12"
  | "half"
  | "minute"
  | "second"
  | "millisecond"
  | "offset"

interface Token {
  readonly part: Part
  /** Digits, at least and at most. */
  readonly min: number
  readonly max: number
}

const number = (part: Part, min: number, max = min): Token => ({ part, min, max })

/** The tokens of Unicode's date patterns that have one meaning in every language; names of months are English. */
const TOKENS: Readonly<Record<string, Token>> = {
  yyyy: number("year", 4),
  yy: number("shortYear", 2),
  MMM: number("monthName", 3),
  MM: number("month", 2),
  M: number("month", 1, 2),
  dd: number("day", 2),
  d: number("day", 1, 2),
  HH: number("hour", 2),
  H: number("hour", 1, 2),
  hh: number("hour12", 2),
  h: number("hour12", 1, 2),
  a: number("half", 2),
  mm: number("minute", 2),
  ss: number("second", 2),
  SSS: number("millisecond", 3),
  ZZ: number("offset", 6),
  ZZZ: number("offset", 5),
}
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
const FRESH = { year: 1970, month: 1, day: 1, hour: 0, minute: 0, second: 0, millisecond: 0 }
const SPLIT = /'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z']+|'/g

/** @param pivot First year of the hundred that two-digit years mean: with 1970, 69 is 2069 and 70 is 1970. */
export function compileFormat(pattern: string, pivot: number | undefined): DateFormat {
  const { pieces, mistakes } = tokenize(pattern, pivot)
  const parts = new Set(pieces.flatMap((piece) => (typeof piece === "string" ? [] : [piece.part])))
  return {
    pattern,
    parse: (text) => new Scan(text, pivot ?? 0).read(pieces),
    print: (dated) => pieces.map((piece) => (typeof piece === "string" ? piece : shown(piece, dated))).join(""),
    hasTime: parts.has("hour") || parts.has("hour12") || parts.has("minute") || parts.has("second") || parts.has("millisecond"),
    hasOffset: parts.has("offset"),
    mistakes: mistakes.map((mistake) => `"${pattern}": ${mistake}`),
  }
}

function tokenize(pattern: string, pivot: number | undefined): { pieces: (string | Token)[]; mistakes: string[] } {
  const pieces: (string | Token)[] = []
  const mistakes: string[] = []
  for (const [piece, quoted, letter] of pattern.matchAll(SPLIT)) {
    const token = Object.hasOwn(TOKENS, piece) ? TOKENS[piece] : undefined
    if (token) pieces.push(token)
    else if (letter !== undefined) mistakes.push(`"${piece}" means nothing in a date; put words in quotes: "yyyy-MM-dd'T'HH:mm"`)
    else if (piece === "'") mistakes.push("a quote is not closed")
    else pieces.push(quoted === undefined ? piece : quoted === "" ? "'" : quoted.replaceAll("''", "'"))
  }
  return { pieces, mistakes: [...mistakes, ...mistakesIn(pieces, pivot)] }
}

function mistakesIn(pieces: readonly (string | Token)[], pivot: number | undefined): string[] {
  const parts = pieces.flatMap((piece) => (typeof piece === "string" ? [] : [piece.part]))
  const has = (part: Part): boolean => parts.includes(part)
  const mistakes: string[] = []
  const twice = parts.find((part, i) => parts.indexOf(part) !== i)
  if (twice) mistakes.push(`it has its ${twice} twice`)
  if (has("year") === has("shortYear")) mistakes.push("it needs one year: yyyy, or yy")
  if (has("month") === has("monthName")) mistakes.push("it needs one month: MM, M or MMM")
  if (!has("day")) mistakes.push("it needs a day: dd or d")
  if (has("hour12") !== has("half") || (has("hour12") && has("hour"))) mistakes.push("it needs one hour: HH, or hh with a")
  if (has("shortYear") && pivot === undefined) mistakes.push("years of two digits need a pivot, such as pivot: 1970")
  const isVariable = (piece: string | Token | undefined): boolean => typeof piece === "object" && piece.min !== piece.max
  const isLoose = pieces.some((piece, i) => isVariable(piece) && typeof pieces[i + 1] === "object")
  if (isLoose) mistakes.push("a number of one or two digits needs something after it that is no digit")
  return mistakes
}

/** One text on its way through a format. */
class Scan {
  readonly #text: string
  readonly #pivot: number
  #at = 0

  constructor(text: string, pivot: number) {
    this.#text = text
    this.#pivot = pivot
  }

  read(pieces: readonly (string | Token)[]): Dated | null | "no such day" {
    const moment = { ...FRESH }
    let offset: number | null = null
    let half = -1
    let hour12 = -1
    for (const piece of pieces) {
      const value = typeof piece === "string" ? this.#literal(piece) : this.#value(piece)
      if (value === null) return null
      if (typeof piece === "string") continue
      const { part } = piece
      if (part === "offset") offset = value
      else if (part === "half") half = value
      else if (part === "hour12") hour12 = value
      else if (part === "monthName") moment.month = value
      else if (part === "shortYear") moment.year = this.#fullYear(value)
      else moment[part] = value
    }
    if (this.#at !== this.#text.length) return null
    if (hour12 >= 0) moment.hour = hour12 >= 1 && hour12 <= 12 ? (hour12 % 12) + 12 * half : 24
    return exists(moment) ? { moment, offset } : "no such day"
  }

  #literal(literal: string): number | null {
    if (!this.#text.startsWith(literal, this.#at)) return null
    this.#at += literal.length
    return 0
  }

  #value(token: Token): number | null {
    if (token.part === "offset") return this.#offset(token.max)
    if (token.part === "monthName") return this.#word(MONTHS, 3, 1)
    if (token.part === "half") return this.#word(["AM", "PM"], 2, 0)
    let value = 0
    const start = this.#at
    while (this.#at - start < token.max) {
      const digit = this.#text.charCodeAt(this.#at) - 48
      if (!(digit >= 0 && digit <= 9)) break
      value = value * 10 + digit
      this.#at++
    }
    return this.#at - start < token.min ? null : value
  }

  #word(words: readonly string[], length: number, first: number): number | null {
    const index = words.indexOf(this.#text.slice(this.#at, this.#at + length))
    this.#at += length
    return index < 0 ? null : index + first
  }

  /** `+02:00` or `+0200`; `Z` for none. */
  #offset(length: number): number | null {
    if (this.#text[this.#at] === "Z") {
      this.#at++
      return 0
    }
    const match = /^([+-])([0-9]{2}):?([0-9]{2})$/.exec(this.#text.slice(this.#at, this.#at + length))
    this.#at += length
    if (!match || match[0].length !== length || Number(match[2]) > 18 || Number(match[3]) > 59) return null
    return (match[1] === "-" ? -1 : 1) * (Number(match[2]) * 60 + Number(match[3]))
  }

  #fullYear(short: number): number {
    const year = this.#pivot - (this.#pivot % 100) + short
    return year < this.#pivot ? year + 100 : year
  }
}

function shown({ part, min, max }: Token, { moment, offset }: Dated): string {
  switch (part) {
    case "shortYear":
      return digits(moment.year % 100, 2)
    case "monthName":
      return MONTHS[moment.month - 1]!
    case "hour12":
      return digits(moment.hour % 12 || 12, min)
    case "half":
      return moment.hour < 12 ? "AM" : "PM"
    case "offset":
      return shownOffset(offset ?? 0, max === 6 ? ":" : "")
    default:
      return digits(moment[part], min)
  }
}

function shownOffset(offset: number, colon: string): string {
  const minutes = Math.abs(offset)
  return `${offset < 0 ? "-" : "+"}${digits(Math.floor(minutes / 60), 2)}${colon}${digits(minutes % 60, 2)}`
}

import { isoDate, momentOf, utcOf, YEAR_MAX, YEAR_MIN } from "./calendar.ts"
import { type Converter, Mended, NOT, Refusal, refused } from "./converter.ts"
import { compileFormat, type Dated, type DateFormat } from "./date-format.ts"
import { converter } from "./part.ts"
import { type Zone, zoneOf } from "./zone.ts"

/** What a date may look like besides its formats. */
export interface DateOptions {
  /** Formats that it is known to drift to: taken only with `drift: "warn"` or `"repair"`, and told of. */
  readonly drift?: string | readonly string[]
  /** For years of two digits: the first of the hundred years that they mean. No default: 69 may be meant either way. */
  readonly pivot?: number
}

/** The same for a time, and whose clock it was read from. */
export interface InstantOptions extends DateOptions {
  /** Whose clock it was read from, as in the IANA database: `"Europe/Berlin"`. Needed unless the format has an offset. */
  readonly zone?: string
  /** Which one is meant of the two equal hours when clocks are put back. Default: neither, such a time is refused. */
  readonly overlap?: "earlier" | "later"
}

type Formats = string | readonly [string, ...string[]]
const NO_SUCH_DAY = refused("is a day or a time that does not exist")
const LOSSY = refused("would not be read back as the same")
const NO_DATE = refused("is no date as yyyy-MM-dd")
const NO_INSTANT = refused("is no time as yyyy-MM-ddTHH:mm:ssZ, in whole milliseconds")

/**
 * A day, as `yyyy-MM-dd` on our side: `date("dd/MM/yyyy")`. Of several formats the first is written. It stays that day: no zone ever
 * touches it. A text that two of the formats read differently is refused. Mends blanks, and the formats in `drift`.
 */
export function date(formats: Formats, options: DateOptions = {}): Converter<string> {
  const reader = new Reader(formats, options, "date")
  const mistakes = reader.all.flatMap(({ pattern, hasTime, hasOffset }) =>
    hasTime || hasOffset ? [`"${pattern}": a date has no time and no offset; use instant()`] : [],
  )
  return converter<string>({
    noun: reader.noun,
    mistakes: [...reader.mistakes, ...mistakes],
    read: (value) => reader.read(value, dayOf),
    mend: (value) => reader.mend(value, dayOf),
    write(day) {
      const dated = ISO_DAY.parse(day)
      return dated === null || dated === "no such day" ? NO_DATE : reader.write(dated, day, dayOf)
    },
  })
}

const ISO_DAY = compileFormat("yyyy-MM-dd", undefined)
const dayOf = ({ moment }: Dated): string => isoDate(moment)

/**
 * A moment, as ISO 8601 in UTC on our side (`2026-11-22T09:30:00.000Z`): `instant("dd.MM.yyyy HH:mm", { zone: "Europe/Berlin" })`, or with
 * an offset in the format. A time that the zone's clocks skipped is refused; one that they showed twice is too, unless `overlap` says
 * which is meant. Mends blanks, the formats in `drift`, and a `Date`.
 */
export function instant(formats: Formats, options: InstantOptions = {}): Converter<string> {
  const reader = new Reader(formats, options, "time")
  const zone = options.zone === undefined ? null : zoneOf(options.zone)
  const timeOf = (dated: Dated): string | Refusal => isoTime(dated, zone, options)
  return converter<string>({
    noun: reader.noun,
    mistakes: [...reader.mistakes, ...instantMistakes(reader, zone, options)],
    read: (value) => reader.read(value, timeOf),
    mend: (value) => (value instanceof Date ? mendDate(value) : reader.mend(value, timeOf)),
    write(instantText) {
      const time = timeIn(instantText)
      if (time === null) return NO_INSTANT
      const offset = zone ? zone.offsetAt(time) : 0
      return reader.write({ moment: momentOf(time + offset), offset: 0 }, new Date(time).toISOString(), timeOf)
    },
  })
}

function isoTime({ moment, offset }: Dated, zone: Zone | null, { overlap, zone: name }: InstantOptions): string | Refusal {
  if (offset !== null) return isoOf(utcOf(moment) - offset * 60_000)
  const times = zone?.timesOf(moment) ?? []
  if (times.length === 0) return refused(`is a time that clocks in ${name} never showed: they were put forward`)
  if (times.length > 1 && overlap === undefined)
    return refused(`is a time that clocks in ${name} showed twice: say which with overlap: "earlier" or "later"`)
  return isoOf(overlap === "later" ? times[times.length - 1]! : times[0]!)
}

function isoOf(time: number): string | Refusal {
  const date = new Date(time)
  const year = date.getUTCFullYear()
  return year >= YEAR_MIN && year <= YEAR_MAX ? date.toISOString() : NO_SUCH_DAY
}

function mendDate(value: Date): Mended<string> | null {
  const iso = Number.isNaN(value.getTime()) ? NOT : isoOf(value.getTime())
  return iso instanceof Refusal ? null : new Mended(iso, "as a Date")
}

function instantMistakes({ all }: Reader, zone: Zone | null, { zone: name }: InstantOptions): string[] {
  const mistakes = all.flatMap(({ pattern, hasTime, hasOffset }) => [
    ...(hasTime ? [] : [`"${pattern}": a moment needs a time of day; for a day use date()`]),
    ...(hasOffset || name !== undefined ? [] : [`"${pattern}": without an offset it needs its zone: zone: "Europe/Berlin"`]),
  ])
  return name !== undefined && !zone ? [...mistakes, `"${name}" is no time zone`] : mistakes
}

/** A moment as the time since 1970, in seconds or milliseconds. Mends a text of the number. Seconds are written where nothing is lost. */
export function epoch(unit: "seconds" | "milliseconds"): Converter<string> {
  const factor = unit === "seconds" ? 1_000 : 1
  const read = (value: unknown): string | Refusal => (Number.isSafeInteger(value) ? isoOf((value as number) * factor) : NOT)
  return converter<string>({
    noun: `time in ${unit} since 1970`,
    read,
    mend(value) {
      const iso = typeof value === "string" && /^\s*-?(?:0|[1-9][0-9]*)\s*$/.test(value) ? read(Number(value)) : NOT
      return iso instanceof Refusal ? null : new Mended(iso, "a number in a text")
    },
    write(instantText) {
      const time = timeIn(instantText)
      if (time === null) return NO_INSTANT
      return time % factor === 0 ? time / factor : LOSSY
    },
  })
}

const INSTANT = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,3})?(?:Z|[+-][0-9]{2}:[0-9]{2})$/

function timeIn(text: string): number | null {
  if (!INSTANT.test(text) || ISO_DAY.parse(text.slice(0, 10)) === "no such day") return null
  const time = Date.parse(text)
  return Number.isNaN(time) ? null : time
}

type Meaning = (dated: Dated) => string | Refusal

/** The formats of one field, tried together, so that what fits two of them and means two things is never guessed. */
class Reader {
  readonly noun: string
  readonly mistakes: readonly string[]
  readonly all: readonly DateFormat[]
  readonly #declared: readonly DateFormat[]
  readonly #first: DateFormat

  constructor(formats: Formats, { drift = [], pivot }: DateOptions, what: string) {
    this.#declared = listOf(formats).map((pattern) => compileFormat(pattern, pivot))
    this.#first = this.#declared[0]!
    const drifted = listOf(drift).map((pattern) => compileFormat(pattern, pivot))
    this.all = [...this.#declared, ...drifted]
    this.noun = `${what} of ${this.#declared.map(({ pattern }) => `"${pattern}"`).join(" or ")}`
    const own = this.all.flatMap(({ mistakes }) => mistakes)
    this.mistakes = own.length > 0 ? own : contradictions(this.#declared, drifted)
  }

  read(value: unknown, meaning: Meaning): string | Refusal {
    if (typeof value !== "string") return NOT
    if (this.#declared.length > 1) return meant(value, this.#declared, meaning).value ?? NOT
    const dated = this.#first.parse(value)
    return dated === null ? NOT : dated === "no such day" ? NO_SUCH_DAY : meaning(dated)
  }

  mend(value: unknown, meaning: Meaning): Mended<string> | Refusal | null {
    if (typeof value !== "string") return null
    const text = value.trim()
    const { value: found, format } = meant(text, this.all, meaning)
    if (typeof found !== "string") return found
    return new Mended(found, this.#declared.includes(format!) ? "with blanks round it" : `in the format ${format!.pattern}`)
  }

  /** Prints, and reads it back: what the format has no place for would be lost unseen. */
  write(dated: Dated, ours: string, meaning: Meaning): string | Refusal {
    const written = this.#first.print(dated)
    return this.read(written, meaning) === ours ? written : LOSSY
  }
}

function listOf(formats: string | readonly string[]): readonly string[] {
  return typeof formats === "string" ? [formats] : formats
}

/** `null` where no format fits. */
function meant(text: string, formats: readonly DateFormat[], meaning: Meaning): { value: string | Refusal | null; format?: DateFormat } {
  let found: string | Refusal | null = null
  let by: DateFormat | undefined
  for (const format of formats) {
    const dated = format.parse(text)
    if (dated === null) continue
    const value = dated === "no such day" ? NO_SUCH_DAY : meaning(dated)
    if (typeof found === "string" && typeof value === "string" && value !== found)
      return { value: refused(`is ambiguous: ${by!.pattern} and ${format.pattern} read it differently`) }
    if (found !== null && typeof value !== "string") continue
    if (typeof found === "string") continue
    found = value
    by = format
  }
  return by === undefined ? { value: found } : { value: found, format: by }
}

/** A day whose parts can each be taken for another: if two formats read it alike, they never contradict each other. */
const PROBE: Dated = { moment: { year: 2001, month: 2, day: 3, hour: 4, minute: 5, second: 6, millisecond: 7 }, offset: 0 }

/** With a format in `drift` that contradicts a declared one, what was read well while strict would become doubtful. */
function contradictions(declared: readonly DateFormat[], drifted: readonly DateFormat[]): string[] {
  return declared.flatMap((one) =>
    drifted.flatMap((other) => {
      const read = other.parse(one.print(PROBE))
      const isSame = typeof read !== "object" || read === null || isoDate(read.moment) === isoDate(PROBE.moment)
      return isSame ? [] : [`"${one.pattern}" and "${other.pattern}" in drift read the same text as two days`]
    }),
  )
}

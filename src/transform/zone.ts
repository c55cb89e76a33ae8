import { type Moment, utcOf } from "./calendar.ts"

const DAY_MS = 86_400_000
/** No zone changes its offset more often than at a quarter of an hour. */
const STEP_MS = 900_000
const KNOWN_MAX = 4_096

/** What a clock on the wall of a zone means: one time, two where clocks were put back, none where they were put forward. */
export interface Zone {
  /** Milliseconds since 1970, the earlier first. */
  timesOf(moment: Moment): number[]
  /** Milliseconds east of UTC, at a time. */
  offsetAt(time: number): number
}

/** `null` for a name that is in no time zone database. Offsets come from `Intl` and are kept, because asking takes microseconds. */
export function zoneOf(name: string): Zone | null {
  let formatter: Intl.DateTimeFormat
  try {
    formatter = new Intl.DateTimeFormat("en-US", { timeZone: name, hourCycle: "h23", ...FIELDS })
  } catch {
    return null
  }
  const known = new Map<number, number>()
  const offsetAt = (time: number): number => {
    const step = Math.floor(time / STEP_MS)
    let offset = known.get(step)
    if (offset === undefined) {
      if (known.size >= KNOWN_MAX) known.clear()
      offset = askOffset(formatter, step * STEP_MS)
      known.set(step, offset)
    }
    return offset
  }
  const timesOf = (moment: Moment): number[] => {
    const local = utcOf(moment)
    const before = offsetAt(local - DAY_MS)
    const after = offsetAt(local + DAY_MS)
    const times = offsetAt(local - before) === before ? [local - before] : []
    // Clocks were changed within these two days; put back, the time comes twice.
    if (after !== before && offsetAt(local - after) === after) times.push(local - after)
    return times.sort(earlierFirst)
  }
  return { timesOf, offsetAt }
}

const earlierFirst = (one: number, other: number): number => one - other

const FIELDS = {
  era: "short",
  year: "numeric",
  month: "2-digit",
  day: "2-digit",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
} as const

function askOffset(formatter: Intl.DateTimeFormat, time: number): number {
  const parts = Object.fromEntries(formatter.formatToParts(time).map(({ type, value }) => [type, Number(value)])) as Record<string, number>
  const local = utcOf({
    year: parts.year!,
    month: parts.month!,
    day: parts.day!,
    hour: parts.hour!,
    minute: parts.minute!,
    second: parts.second!,
    millisecond: 0,
  })
  return local - time
}

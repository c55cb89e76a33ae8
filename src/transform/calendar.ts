/** A reading of calendar and clock, in no zone. Months count from 1. */
export interface Moment {
  readonly year: number
  readonly month: number
  readonly day: number
  readonly hour: number
  readonly minute: number
  readonly second: number
  readonly millisecond: number
}

export const YEAR_MIN = 1
export const YEAR_MAX = 9999
const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/** There is such a day in the Gregorian calendar, and such a time on a clock. No leap seconds, and no 24:00. */
export function exists({ year, month, day, hour, minute, second }: Moment): boolean {
  if (year < YEAR_MIN || year > YEAR_MAX || month < 1 || month > 12 || day < 1) return false
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  return day <= (month === 2 && isLeap ? 29 : DAYS[month - 1]!) && hour < 24 && minute < 60 && second < 60
}

/** As if its zone were UTC, in milliseconds since 1970. */
export function utcOf({ year, month, day, hour, minute, second, millisecond }: Moment): number {
  if (year >= 100) return Date.UTC(year, month - 1, day, hour, minute, second, millisecond)
  // Date.UTC takes the years 0 to 99 for the twentieth century.
  return new Date(Date.UTC(2000, 0, 1, hour, minute, second, millisecond)).setUTCFullYear(year, month - 1, day)
}

export function momentOf(time: number): Moment {
  const date = new Date(time)
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
    millisecond: date.getUTCMilliseconds(),
  }
}

export function isoDate({ year, month, day }: Moment): string {
  return `${digits(year, 4)}-${digits(month, 2)}-${digits(day, 2)}`
}

export function digits(value: number, width: number): string {
  if (width === 2) return value < 10 ? `0${value}` : String(value)
  return String(value).padStart(width, "0")
}

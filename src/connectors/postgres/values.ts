import type { BoundValue } from "../../contract/sql-compile.ts"

/** A value that JavaScript cannot hold as it is. Rounding it would make another value of it. */
export class InexactValue extends Error {}

type Read = (text: string) => unknown

/**
 * How the text of each type becomes a value; of all others it stays as it is. Numbers are exact or an error; instants are ISO 8601 text,
 * to the microsecond, as JSON carries them. The keys are the type's numbers. Source: `pg_type.dat` of PostgreSQL.
 */
const READERS: Readonly<Record<number, Read>> = {
  16: (text) => text === "t",
  17: (text) => new Uint8Array(Buffer.from(text.slice(2), "hex")), // bytea
  20: wholeNumber, // bigint
  21: Number,
  23: Number,
  26: Number, // oid
  700: Number,
  701: Number,
  1700: decimal,
  114: exactJson,
  3802: exactJson, // jsonb
  1082: date,
  1114: localTime,
  1184: instant,
}

/** Of a list, the type of its members. */
const MEMBERS: Readonly<Record<number, number>> = {
  1000: 16,
  1001: 17,
  1016: 20,
  1005: 21,
  1007: 23,
  1028: 26,
  1021: 700,
  1022: 701,
  1231: 1700,
  199: 114,
  3807: 3802,
  1182: 1082,
  1115: 1114,
  1185: 1184,
  1002: 18, // "char"
  1003: 19, // name
  1009: 25, // text
  1014: 1042, // char(n)
  1015: 1043, // varchar
  1183: 1083, // time
  1187: 1186, // interval
  2951: 2950, // uuid
  1041: 869, // inet
}

const asItIs: Read = (text) => text

/** What reads the values of a column, by the number of its type. */
export function readerOf(type: number): Read {
  const member = MEMBERS[type]
  if (member === undefined) return READERS[type] ?? asItIs
  const read = READERS[member] ?? asItIs
  return (text) => listOf(text, read)
}

/** A value as the server reads it: text by which it decides the type, or bytes. */
export function boundText(value: BoundValue): string | Uint8Array | null {
  if (value === null || typeof value === "string") return value
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  return value instanceof Date ? value.toISOString() : String(value)
}

const TEXT = 25
const LIST_HEADER_BYTES = 20
const LENGTH_BYTES = 4

/** Texts as a list for the server, in bytes, so that nothing in them is escaped. Source: `array_recv` of PostgreSQL. */
export function textList(texts: readonly string[]): Uint8Array {
  let size = LIST_HEADER_BYTES
  for (const text of texts) size += LENGTH_BYTES + Buffer.byteLength(text)
  const bytes = Buffer.allocUnsafe(size)
  // One dimension, no nulls, the type of the members, how many they are, the number of the first.
  let at = 0
  for (const part of [1, 0, TEXT, texts.length, 1]) at = bytes.writeInt32BE(part, at)
  for (const text of texts) {
    const length = bytes.write(text, at + LENGTH_BYTES)
    at = bytes.writeInt32BE(length, at) + length
  }
  return bytes
}

function wholeNumber(text: string): number {
  const number = Number(text)
  if (!Number.isSafeInteger(number)) throw new InexactValue("an integer beyond 2^53 cannot be a number")
  return number
}

/** `numeric` holds more digits than a number does; one that comes back as the same decimal is no other. */
function decimal(text: string): number {
  const number = Number(text)
  if (!Number.isNaN(number) && plain(text) !== plain(String(number))) throw new InexactValue("a numeric has more digits than a number")
  return number
}

/** Digits and exponent, without what does not change the value: `1.50` and `15e-1` are `15e-1`. */
function plain(text: string): string {
  const [, sign, whole = "", fraction = "", exponent = "0"] = /^(-?)(\d*)\.?(\d*)(?:e([+-]?\d+))?$/i.exec(text) ?? []
  if (sign === undefined) return text
  const digits = (whole + fraction).replace(/^0+/, "")
  const bare = digits.replace(/0+$/, "")
  return bare === "" ? "0" : `${sign}${bare}e${Number(exponent) - fraction.length + digits.length - bare.length}`
}

/** Only where there are so many digits can one be too many. */
const LONG_NUMBER = /\d[\d.]{15}/

function exactJson(text: string): unknown {
  return LONG_NUMBER.test(text) ? JSON.parse(text, exactOnly as Parameters<typeof JSON.parse>[1]) : JSON.parse(text)
}

function exactOnly(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  const source = context?.source
  if (typeof value === "number" && source !== undefined && plain(source) !== plain(String(value)))
    throw new InexactValue("a number in JSON has more digits than a number of JavaScript")
  return value
}

const DAY = /^\d{4}-\d\d-\d\d$/
const TIME = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?)$/

function date(text: string): string {
  if (!DAY.test(text)) throw new InexactValue("a date that ISO 8601 cannot write: infinite, before Christ or after 9999")
  return text
}

function localTime(text: string): string {
  const [, day, time] = TIME.exec(text) ?? []
  if (day === undefined) throw new InexactValue("a time that ISO 8601 cannot write: infinite, before Christ or after 9999")
  return `${day}T${time}`
}

/** The session's zone is UTC, so each ends in `+00`. */
function instant(text: string): string {
  return `${localTime(text.replace(/\+00$/, ""))}Z`
}

/** Reads `{1,NULL,"a, \"b\""}` with lists in it. Source: postgresql.org/docs/current/arrays.html, "Array Input and Output Syntax". */
function listOf(text: string, read: Read): unknown[] {
  // What stands before `=` are bounds other than from 1.
  const start = text.startsWith("[") ? text.indexOf("=") + 1 : 0
  const tokens = /[{}]|"((?:[^"\\]|\\.)*)"|([^{},"]+)/gy
  tokens.lastIndex = start
  const whole: unknown[] = []
  const open: unknown[][] = [whole]
  for (let at = start; at < text.length; at = tokens.lastIndex) {
    tokens.lastIndex = text[at] === "," ? at + 1 : at
    const token = tokens.exec(text)
    if (token === null) throw new InexactValue("a list that is not as PostgreSQL writes it")
    const [word, quoted, bare] = token
    const list = open.at(-1)!
    if (word === "{") open.push([])
    else if (word === "}") open.at(-2)!.push(open.pop())
    else if (quoted !== undefined) list.push(read(quoted.replace(/\\(.)/gs, "$1")))
    else list.push(bare === "NULL" ? null : read(bare!))
  }
  return whole[0] as unknown[]
}

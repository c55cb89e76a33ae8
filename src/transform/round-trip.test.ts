// What is reversible: ours, written and read again, is ours, for every value that can be written at all.
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { z } from "zod"
import {
  boolean,
  constant,
  date,
  decimal,
  epoch,
  flag,
  from,
  instant,
  integer,
  list,
  type Mapping,
  MappingError,
  mapping,
  matching,
  money,
  nest,
  nullable,
  number,
  oneOf,
  optional,
  text,
  trimmed,
  withDefault,
  yesNo,
} from "./index.ts"

const isoDays = fc
  .date({ min: new Date("0001-01-01"), max: new Date("9999-12-31"), noInvalidDate: true })
  .map((day) => day.toISOString().slice(0, 10))
const isoTimes = fc
  .date({ min: new Date("1900-01-01"), max: new Date("2100-01-01"), noInvalidDate: true })
  .map((time) => time.toISOString())
const numbers = fc
  .double({ noNaN: true, noDefaultInfinity: true })
  .map((value) => value + 0)
  .filter((value) => !Number.isInteger(value) || Number.isSafeInteger(value))
const minor = fc.maxSafeInteger().map((value) => value + 0)

/** Through JSON, as it travels. */
function roundTrip<T>(wide: Mapping<T>, ours: T): unknown {
  try {
    return wide.read(JSON.parse(JSON.stringify(wide.write(ours))))
  } catch (error) {
    if (MappingError.is(error) && error.message.includes("would not be read back")) return ours
    throw error
  }
}

const one = <T>(converter: Parameters<typeof from<T, "both">>[1]) =>
  mapping(z.custom<{ v: T }>(), { v: from("deep.v", converter) } as never) as unknown as Mapping<{ v: T }>

describe("round trip", () => {
  test.each([
    ["text", one(text), fc.string()],
    ["trimmed", one(trimmed), fc.string({ unit: "grapheme" }).map((value) => `x${value}x`)],
    ["matching", one(matching(/^\d+$/, "digits")), fc.nat().map(String)],
    ["number", one(number), numbers],
    ["integer", one(integer), minor],
    ["decimal", one(decimal()), numbers],
    [
      "decimal with comma",
      one(decimal({ mark: ",", thousands: "." })),
      fc.double({ min: -1e9, max: 1e9, noNaN: true }).map((value) => value + 0),
    ],
    ["money", one(money({ currency: "EUR", thousands: "," })), minor],
    ["money without decimals", one(money({ currency: "JPY", thousands: " " })), minor],
    ["money with three", one(money({ currency: "KWD", mark: "," })), minor],
    [
      "money as a number",
      one(money({ decimals: 2, as: "number" })),
      fc.integer({ min: -1e15 + 1, max: 1e15 - 1 }).map((value) => value + 0),
    ],
    ["yesNo", one(yesNo), fc.boolean()],
    ["boolean", one(boolean), fc.boolean()],
    ["flag of 1 and 0", one(flag(1, 0)), fc.boolean()],
    ["flag turned round", one(flag("0", "1")), fc.boolean()],
    ["codes", one(oneOf({ "1": "junior", "2": "senior", "3": "senior" })), fc.constantFrom("junior", "senior")],
    ["number codes", one(oneOf({ 1: "a", 2: false }, { codes: "number" })), fc.constantFrom("a", false)],
    ["words", one(oneOf(["open", "shut"])), fc.constantFrom("open", "shut")],
    ["day", one(date("dd/MM/yyyy")), isoDays],
    ["day with the month's name", one(date("d MMM yyyy")), isoDays],
    ["day with two digits of the year", one(date("yyMMdd", { pivot: 1950 })), isoDays],
    ["day in two formats", one(date(["dd/MM/yyyy", "MM/dd/yyyy"])), isoDays],
    ["moment in a zone", one(instant("yyyy-MM-dd HH:mm:ss.SSS", { zone: "America/New_York", overlap: "earlier" })), isoTimes],
    ["moment with its offset", one(instant("yyyy-MM-dd'T'HH:mm:ss.SSSZZ")), isoTimes],
    ["seconds", one(epoch("seconds")), isoTimes],
    ["milliseconds", one(epoch("milliseconds")), isoTimes],
    ["list", one(list(money({ decimals: 2 }))), fc.array(minor)],
    ["optional", one(optional(number)), fc.option(numbers, { nil: undefined })],
    ["optional as null", one(optional(number, ["null"])), fc.option(numbers, { nil: undefined })],
    ["nullable", one(nullable(integer)), fc.option(minor)],
    ["nullable as empty", one(nullable(integer, ["empty"])), fc.option(minor)],
    ["default", one(withDefault(integer, 3)), minor],
  ] as [string, Mapping<any>, fc.Arbitrary<any>][])("%s", (_name, wide, values) => {
    fc.assert(
      fc.property(values, (v) => {
        const ours = v === undefined ? {} : { v }
        expect(roundTrip(wide, ours)).toEqual(ours)
      }),
      { numRuns: 300 },
    )
  })

  test("a whole record, nested and flat", () => {
    const Shape = z.object({
      kind: z.literal("person"),
      name: z.string(),
      nick: z.string().optional(),
      at: z.object({ street: z.string(), geo: z.object({ lat: z.number() }).optional() }),
      pays: z.array(z.object({ cents: z.number(), on: z.string() })),
    })
    const pays = mapping(Shape.shape.pays.element, { cents: from("amt", money({ decimals: 2 })), on: from("dt", date("dd/MM/yyyy")) })
    const person = mapping(Shape, {
      kind: constant("person"),
      name: from("person.name.full", text),
      nick: from("person.name.nick", optional(text)),
      at: nest({ street: from("addr_street", text), geo: optional(nest({ lat: from("geo\\.lat", number) })) }),
      pays: from("pays", list(pays)),
    })
    const records = fc.record({
      kind: fc.constant("person" as const),
      name: fc.string(),
      at: fc.record({ street: fc.string() }),
      pays: fc.array(fc.record({ cents: minor, on: isoDays }), { maxLength: 3 }),
    })
    fc.assert(
      fc.property(records, fc.option(fc.string(), { nil: undefined }), fc.option(numbers, { nil: undefined }), (record, nick, lat) => {
        const at = lat === undefined ? record.at : { ...record.at, geo: { lat } }
        const ours = nick === undefined ? { ...record, at } : { ...record, at, nick }
        expect(roundTrip(person, ours)).toEqual(ours)
      }),
    )
    expect(person.write({ kind: "person", name: "A", at: { street: "S", geo: { lat: 1 } }, pays: [] })).toEqual({
      person: { name: { full: "A" } },
      addr_street: "S",
      "geo.lat": 1,
      pays: [],
    })
  })

  test("whatever a source sends: it is mapped to what can be written back, or refused; nothing else is ever thrown", () => {
    const wide = mapping(z.object({ n: z.number(), d: z.string(), f: z.boolean(), m: z.number() }), {
      n: from("n", decimal({ thousands: "," })),
      d: from("d", date(["dd/MM/yyyy", "yyyy-MM-dd"])),
      f: from("f", yesNo),
      m: from("m", money({ decimals: 2 })),
    })
    const likely = fc.oneof(
      fc.anything(),
      fc.stringMatching(/^ ?-?[0-9,.]{1,8}$/),
      fc.stringMatching(/^[0-3][0-9]\/[01][0-9]\/20[0-9]{2}$/),
      fc.constantFrom("y", "N", 1),
    )
    const sources = fc.record({ n: likely, d: likely, f: likely, m: likely })
    fc.assert(
      fc.property(fc.oneof(fc.anything(), sources), (source) => {
        let ours: ReturnType<typeof wide.read>
        try {
          ours = wide.read(source, { drift: "repair", noteRepair: () => {} })
        } catch (error) {
          expect(MappingError.is(error)).toBe(true)
          return
        }
        expect(roundTrip(wide, ours)).toEqual(ours)
      }),
      { numRuns: 2_000 },
    )
  })
})

describe("what cannot be written", () => {
  const person = mapping(z.object({ kind: z.string(), level: z.string(), nick: z.string().optional(), a: z.number(), b: z.number() }), {
    kind: constant("person"),
    level: from("lvl", oneOf({ "1": "junior" })) as never,
    nick: from("nick", optional(text, ["missing", "empty"])),
    a: from("n", integer),
    b: from("n", integer),
  })
  const good = { kind: "person", level: "junior", a: 1, b: 1 }
  test("as it should be: is written", () => expect(person.write(good)).toEqual({ lvl: "1", n: 1 }))
  test.each([
    [{ kind: "robot" }, "kind → (constant): is not the value that it is always read as"],
    [{ level: "boss" }, "level → lvl: cannot be written as code of 1"],
    [{ nick: "" }, "nick → nick: would be read back as no value"],
    [{ b: 2 }, "b → n: is written by another field too, with another value"],
    [{ a: 1.5, b: 1.5 }, "a → n: cannot be written as whole number"],
    [{ a: undefined }, "a → n: is missing (expected: whole number)"],
  ])("%j → %s", (change, sentence) => {
    expect(() => person.write({ ...good, ...change } as never)).toThrow(sentence)
  })
})

import fc from "fast-check"
import { DateTime } from "luxon"
import { describe, expect, test } from "vitest"
import { z } from "zod"
import { compileFormat } from "./date-format.ts"
import { type Converter, date, epoch, from, type InstantOptions, instant, mapping } from "./index.ts"
import { zoneOf } from "./zone.ts"

const one = (converter: Converter<string>) => mapping(z.object({ at: z.string() }), { at: from("t", converter) })
const read = (converter: Converter<string>, t: unknown): string => one(converter).read({ t }).at
const repair = (converter: Converter<string>, t: unknown): string =>
  one(converter).read({ t }, { drift: "repair", noteRepair: () => {} }).at
const write = (converter: Converter<string>, at: string): unknown => one(converter).write({ at }).t

describe("formats of dates beside luxon", () => {
  // luxon's tokens are the same; in English, because names of months are.
  const formats = ["yyyy-MM-dd", "dd/MM/yyyy", "d.M.yyyy", "dd MMM yyyy", "yyyyMMdd", "M/d/yyyy", "'on' dd-MM-yyyy"]
  const days = fc.date({ min: new Date("0001-01-01"), max: new Date("9999-12-31"), noInvalidDate: true })

  test.each(formats)("%s: prints and reads what luxon prints", (format) => {
    fc.assert(
      fc.property(days, (day) => {
        const iso = day.toISOString().slice(0, 10)
        const theirs = DateTime.fromISO(iso, { zone: "utc", locale: "en-US" }).toFormat(format)
        expect(write(date(format), iso)).toBe(theirs)
        expect(read(date(format), theirs)).toBe(iso)
      }),
    )
  })

  test.each(formats)("%s: takes no text that luxon does not take, and reads it alike", (format) => {
    const compiled = compileFormat(format, undefined)
    const near = fc.stringMatching(/^(on )?[0-9]{1,4}[-/. ]?([0-9]{1,2}|Feb|Sep)[-/. ]?[0-9]{1,4}$/)
    fc.assert(
      fc.property(near, (text) => {
        const ours = compiled.parse(text)
        if (ours === null || ours === "no such day") return
        const theirs = DateTime.fromFormat(text, format, { zone: "utc", locale: "en-US" })
        expect(theirs.isValid).toBe(true)
        expect(theirs.toISODate()).toBe(read(date(format), text))
      }),
      { numRuns: 500 },
    )
  })
})

describe("moments in zones beside luxon", () => {
  const zones = ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "America/St_Johns", "Pacific/Apia", "UTC"]
  const times = fc.integer({ min: Date.UTC(1975, 0, 1), max: Date.UTC(2037, 0, 1) }).map((time) => time - (time % 1000))

  test.each(zones)("%s: what is written is luxon's, and is read back", (zone) => {
    const format = "yyyy-MM-dd HH:mm:ss"
    const both = (["earlier", "later"] as const).map((overlap) => instant(format, { zone, overlap }))
    fc.assert(
      fc.property(times, (time) => {
        const iso = new Date(time).toISOString()
        const local = DateTime.fromMillis(time, { zone }).toFormat(format)
        // Only one of the two can be right where clocks were put back; everywhere else both are.
        expect(both.map((converter) => read(converter, local))).toContain(iso)
        expect(zoneOf(zone)!.offsetAt(time)).toBe(DateTime.fromMillis(time, { zone }).offset * 60_000)
      }),
      { numRuns: 300 },
    )
  })

  test("twelve hours and offsets: as luxon prints them", () => {
    fc.assert(
      fc.property(times, (time) => {
        const luxon = DateTime.fromMillis(time, { zone: "Asia/Kolkata", locale: "en-US" })
        expect(read(instant("M/d/yyyy h:mm:ss a", { zone: "Asia/Kolkata" }), luxon.toFormat("M/d/yyyy h:mm:ss a"))).toBe(
          new Date(time).toISOString(),
        )
        expect(read(instant("yyyy-MM-dd'T'HH:mm:ss.SSSZZ"), luxon.toFormat("yyyy-MM-dd'T'HH:mm:ss.SSSZZ"))).toBe(
          new Date(time).toISOString(),
        )
        expect(read(instant("yyyyMMdd HHmmssZZZ"), luxon.toFormat("yyyyMMdd HHmmssZZZ"))).toBe(new Date(time).toISOString())
      }),
    )
  })
})

describe("clocks that change", () => {
  const berlin = (options: InstantOptions = {}) => instant("dd.MM.yyyy HH:mm", { zone: "Europe/Berlin", ...options })

  test("put forward, last minute before and first after: are an hour and a minute apart on the clock", () => {
    expect(read(berlin(), "29.03.2026 01:59")).toBe("2026-03-29T00:59:00.000Z")
    expect(read(berlin(), "29.03.2026 03:00")).toBe("2026-03-29T01:00:00.000Z")
  })
  test("put forward, the hour between: is refused, whatever is declared of overlaps", () => {
    for (const overlap of ["earlier", "later"] as const)
      expect(() => read(berlin({ overlap }), "29.03.2026 02:00")).toThrow("never showed: they were put forward")
  })
  test("put back, the hour that comes twice: refused, or as declared", () => {
    expect(() => read(berlin(), "25.10.2026 02:00")).toThrow('showed twice: say which with overlap: "earlier" or "later"')
    expect(read(berlin({ overlap: "earlier" }), "25.10.2026 02:00")).toBe("2026-10-25T00:00:00.000Z")
    expect(read(berlin({ overlap: "later" }), "25.10.2026 02:00")).toBe("2026-10-25T01:00:00.000Z")
  })
  test("put back, written: the hour that would be read as the other one is refused", () => {
    expect(write(berlin({ overlap: "earlier" }), "2026-10-25T00:00:00.000Z")).toBe("25.10.2026 02:00")
    expect(() => write(berlin({ overlap: "earlier" }), "2026-10-25T01:00:00.000Z")).toThrow("would not be read back as the same")
  })
  test("a day that a zone left out: its times never were", () => {
    expect(() => read(instant("yyyy-MM-dd HH:mm", { zone: "Pacific/Apia" }), "2011-12-30 12:00")).toThrow("never showed")
  })
  test("half an hour of change: is known", () => {
    const howe = instant("yyyy-MM-dd HH:mm", { zone: "Australia/Lord_Howe" })
    expect(() => read(howe, "2026-10-04 02:15")).toThrow("never showed")
    expect(read(howe, "2026-10-04 02:30")).toBe("2026-10-03T15:30:00.000Z")
  })
})

describe("a day", () => {
  test("is that day in every zone of this process", () => {
    const before = process.env.TZ
    for (const zone of ["Pacific/Kiritimati", "Pacific/Pago_Pago"]) {
      process.env.TZ = zone
      expect(read(date("dd/MM/yyyy"), "01/01/2026")).toBe("2026-01-01")
      expect(write(date("dd/MM/yyyy"), "2026-01-01")).toBe("01/01/2026")
    }
    if (before === undefined) delete process.env.TZ
    else process.env.TZ = before
  })
  test.each(["29/02/2023", "31/04/2024", "00/01/2024", "01/13/2024", "01/00/2024", "29/02/1900", "01/01/0000"])(
    "%s → does not exist",
    (day) => {
      expect(() => read(date("dd/MM/yyyy"), day)).toThrow("is a day or a time that does not exist")
    },
  )
  test.each(["29/02/2024", "29/02/2000", "31/12/9999", "01/01/0001"])("%s → is taken", (day) => {
    expect(write(date("dd/MM/yyyy"), read(date("dd/MM/yyyy"), day))).toBe(day)
  })
  test.each(["1/1/2024", "01/01/24", "01/01/2024 ", "+1/01/2024", "０1/01/2024", "01-01-2024"])("%j → is of another shape", (day) => {
    expect(() => read(date("dd/MM/yyyy"), day)).toThrow('is no date of "dd/MM/yyyy"')
  })
})

describe("two formats that both fit", () => {
  const both = date(["dd/MM/yyyy", "MM/dd/yyyy"])
  test("and differ: ambiguous, repaired or not", () => {
    expect(() => read(both, "03/04/2024")).toThrow("t → at: is ambiguous: dd/MM/yyyy and MM/dd/yyyy read it differently")
    expect(() => repair(both, "03/04/2024")).toThrow("is ambiguous")
  })
  test("and agree, or only one is a day: taken", () => {
    expect(read(both, "04/04/2024")).toBe("2024-04-04")
    expect(read(both, "13/04/2024")).toBe("2024-04-13")
    expect(read(both, "04/13/2024")).toBe("2024-04-13")
  })
  test("written: only what is read back", () => {
    expect(write(both, "2024-04-13")).toBe("13/04/2024")
    expect(() => write(both, "2024-04-03")).toThrow("at → t: would not be read back as the same")
  })
  test("one of them in drift: is a mistake, for it would make good data doubtful", () => {
    expect(mistakesOf(date("dd/MM/yyyy", { drift: "MM/dd/yyyy" }))).toEqual([
      'at: "dd/MM/yyyy" and "MM/dd/yyyy" in drift read the same text as two days',
    ])
  })
  test("both in drift: ambiguous", () => {
    const drifting = date("yyyy-MM-dd", { drift: ["dd/MM/yyyy", "MM/dd/yyyy"] })
    expect(() => repair(drifting, "03/04/2024")).toThrow("is ambiguous")
    expect(repair(drifting, "30/04/2024")).toBe("2024-04-30")
  })
})

const mistakesOf = (converter: Converter<string>): readonly string[] => one(converter).read["~mapping"].mistakes

describe("two-digit years", () => {
  test.each([
    ["01/01/69", 1970, "2069-01-01"],
    ["01/01/70", 1970, "1970-01-01"],
    ["01/01/00", 1950, "2000-01-01"],
    ["01/01/50", 1950, "1950-01-01"],
    ["01/01/99", 2000, "2099-01-01"],
  ])("%s with pivot %i → %s, and back", (text, pivot, iso) => {
    expect(read(date("dd/MM/yy", { pivot }), text)).toBe(iso)
    expect(write(date("dd/MM/yy", { pivot }), iso)).toBe(text)
  })
  test("a year outside the hundred: cannot be written", () => {
    expect(() => write(date("dd/MM/yy", { pivot: 1970 }), "1969-01-01")).toThrow("would not be read back as the same")
  })
  test("without a pivot: a mistake", () => {
    expect(mistakesOf(date("dd/MM/yy"))).toEqual(['at: "dd/MM/yy": years of two digits need a pivot, such as pivot: 1970'])
  })
})

describe("declarations that cannot work", () => {
  test.each([
    [date("DD/MM/yyyy"), '"DD" means nothing in a date'],
    [date("dd/MM"), "it needs one year"],
    [date("MM/yyyy"), "it needs a day"],
    [date("dd/MM/MMM/yyyy"), "it needs one month"],
    [date("dMyyyy"), "a number of one or two digits needs something after it"],
    [date("dd/MM/yyyy 'at"), "a quote is not closed"],
    [date("dd/MM/yyyy HH:mm"), "a date has no time and no offset; use instant()"],
    [instant("dd/MM/yyyy"), "a moment needs a time of day; for a day use date()"],
    [instant("dd/MM/yyyy HH:mm"), "without an offset it needs its zone"],
    [instant("dd/MM/yyyy hh:mm", { zone: "UTC" }), "it needs one hour: HH, or hh with a"],
    [instant("dd/MM/yyyy HH:mm", { zone: "Europe/Berlim" }), '"Europe/Berlim" is no time zone'],
  ])("%#", (converter, mistake) => {
    expect(mistakesOf(converter).join("; ")).toContain(mistake)
    expect(() => read(converter, "01/01/2024")).toThrow(mistake)
  })
})

describe("time since 1970", () => {
  test("seconds and milliseconds: exact, and back", () => {
    expect(read(epoch("seconds"), 1_782_898_200)).toBe("2026-07-01T09:30:00.000Z")
    expect(read(epoch("milliseconds"), 1_782_898_200_123)).toBe("2026-07-01T09:30:00.123Z")
    expect(write(epoch("seconds"), "2026-07-01T09:30:00Z")).toBe(1_782_898_200)
    expect(read(epoch("seconds"), -1)).toBe("1969-12-31T23:59:59.000Z")
  })
  test("milliseconds where seconds are declared: no date of ours", () => {
    expect(() => repair(epoch("seconds"), 1_782_898_200_123)).toThrow("t → at:")
  })
  test("a fraction, an exponent: refused; a text of it: repaired", () => {
    expect(() => repair(epoch("seconds"), 1.5)).toThrow("is no time in seconds since 1970, but a number")
    expect(() => repair(epoch("seconds"), "1e3")).toThrow("is no time in seconds")
    expect(repair(epoch("seconds"), "1782898200")).toBe("2026-07-01T09:30:00.000Z")
  })
  test("what seconds cannot hold: is not written", () => {
    expect(() => write(epoch("seconds"), "2026-07-01T09:30:00.123Z")).toThrow("would not be read back as the same")
    expect(() => write(epoch("milliseconds"), "2026-07-01T09:30:00.123456Z")).toThrow("in whole milliseconds")
    expect(() => write(epoch("milliseconds"), "2026-02-30T09:30:00Z")).toThrow("is no time as")
  })
})

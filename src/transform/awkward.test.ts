// Awkward data of a service, row by row: mapped right, repaired where that is certain, or refused with the names of both fields.
import { describe, expect, test } from "vitest"
import { z } from "zod"
import { mappingCases } from "../testing/mapping-cases.ts"
import {
  date,
  decimal,
  from,
  instant,
  integer,
  list,
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

const Employee = z.object({
  id: z.string(),
  name: z.string(),
  level: z.enum(["junior", "senior"]),
  active: z.boolean(),
  hiredOn: z.iso.date(),
  seenAt: z.iso.datetime(),
  salary: z.number().int(),
  rate: z.number(),
  reports: z.number().int(),
  nick: z.string().optional(),
  manager: z.string().nullable(),
  team: z.string(),
  leftOn: z.iso.date().optional(),
  address: z.object({ street: z.string(), city: z.string() }),
  tags: z.array(z.string()),
  iban: z.string().optional(),
})

const employee = mapping(Employee, {
  id: from("emp_no", text),
  name: from(["full_nm", "nm"], trimmed, { drift: "fullName" }),
  level: from("lvl_cd", oneOf({ "1": "junior", "2": "senior" }, { drift: "junior" })),
  active: from("active_yn", yesNo),
  hiredOn: from("hire_dt", date("dd/MM/yyyy", { drift: ["yyyy-MM-dd", "d.M.yyyy"] })),
  seenAt: from("seen_ts", instant("dd.MM.yyyy HH:mm", { zone: "Europe/Berlin", drift: "yyyy-MM-dd'T'HH:mm:ssZZ" })),
  salary: from("pay.sal", money({ currency: "EUR", mark: ",", thousands: "." })),
  rate: from("pay.rate", decimal({ mark: "," })),
  reports: from("rep_cnt", integer),
  nick: from("nick_nm", optional(text, ["missing", "empty"])),
  manager: from("mgr_no", nullable(text, ["null", "empty"])),
  team: from("team_cd", withDefault(text, "none")),
  leftOn: from("left_dt", optional(date("dd/MM/yyyy"), ["null", "missing"])),
  address: nest({ street: from("addr_street", text), city: from("addr_city", text) }),
  tags: from("tags.list", list(text)),
  iban: from("iban", optional(matching(/^[A-Z]{2}\d+$/, "account number"))),
})

const theirs = {
  emp_no: "0042",
  full_nm: "Ada Lovelace",
  lvl_cd: "2",
  active_yn: "Y",
  hire_dt: "03/04/2024",
  seen_ts: "01.07.2026 09:30",
  pay: { sal: "1.234,50", rate: "0,75" },
  rep_cnt: 7,
  nick_nm: "Ada",
  mgr_no: "7",
  team_cd: "core",
  left_dt: null,
  addr_street: "1 Main St",
  addr_city: "London",
  tags: { list: ["a", "b"] },
}
const ours: z.infer<typeof Employee> = {
  id: "0042",
  name: "Ada Lovelace",
  level: "senior",
  active: true,
  hiredOn: "2024-04-03",
  seenAt: "2026-07-01T07:30:00.000Z",
  salary: 123450,
  rate: 0.75,
  reports: 7,
  nick: "Ada",
  manager: "7",
  team: "core",
  address: { street: "1 Main St", city: "London" },
  tags: ["a", "b"],
}
const without = <K extends keyof typeof theirs>(key: K): object => ({ ...theirs, [key]: undefined })
const { nick: _, ...nameless } = ours
const pay = (change: object): object => ({ ...theirs, pay: { ...theirs.pay, ...change } })
const repair = "repair" as const

describe("awkward rows", () => {
  const rows = mappingCases(employee, [
    { name: "as agreed", theirs, ours },
    { name: "fields that nobody asked for", theirs: { ...theirs, ssn: "1", __v: 3 }, ours },
    { name: "second of two declared names", theirs: { ...without("full_nm"), nm: "Ada Lovelace" }, ours },
    { name: "null under the first name, a value under the second", theirs: { ...theirs, full_nm: null, nm: "Ada Lovelace" }, ours },
    {
      name: "name it drifted to, strict",
      theirs: { ...without("full_nm"), fullName: "A" },
      refused: "full_nm → name: is missing, but there is fullName",
    },
    {
      name: "name it drifted to",
      theirs: { ...without("full_nm"), fullName: "Ada Lovelace" },
      drift: repair,
      ours,
      repaired: ["full_nm → name: under the name fullName"],
    },
    {
      name: "required field missing",
      theirs: without("full_nm"),
      drift: repair,
      refused: "full_nm → name: is missing (expected: text without blanks round it)",
    },
    {
      name: "required field null",
      theirs: { ...theirs, hire_dt: null },
      drift: repair,
      refused: "hire_dt → hiredOn: is null (expected: date of",
    },
    {
      name: "required field empty",
      theirs: { ...theirs, hire_dt: "" },
      drift: repair,
      refused: 'hire_dt → hiredOn: is no date of "dd/MM/yyyy", but empty',
    },
    { name: "optional missing", theirs: without("nick_nm"), ours: nameless },
    { name: "optional empty, declared as no value", theirs: { ...theirs, nick_nm: "" }, ours: nameless },
    {
      name: "optional null, undeclared, strict",
      theirs: { ...theirs, nick_nm: null },
      refused: "nick_nm → nick: is null, which is not declared",
    },
    {
      name: "optional null, undeclared",
      theirs: { ...theirs, nick_nm: null },
      drift: repair,
      ours: nameless,
      repaired: ["nick_nm → nick: null instead of missing or empty"],
    },
    { name: "nullable null", theirs: { ...theirs, mgr_no: null }, ours: { ...ours, manager: null } },
    { name: "nullable empty, declared", theirs: { ...theirs, mgr_no: "" }, ours: { ...ours, manager: null } },
    {
      name: "nullable missing",
      theirs: without("mgr_no"),
      drift: repair,
      ours: { ...ours, manager: null },
      repaired: ["mgr_no → manager: missing instead of null or empty"],
    },
    { name: "default for a missing field", theirs: without("team_cd"), ours: { ...ours, team: "none" } },
    { name: "empty text is a text", theirs: { ...theirs, team_cd: "" }, ours: { ...ours, team: "" } },
    {
      name: "blanks round a text",
      theirs: { ...theirs, full_nm: "Ada Lovelace  " },
      drift: repair,
      ours,
      repaired: ["full_nm → name: with blanks round it"],
    },
    { name: "text of a form", theirs: { ...theirs, iban: "DE12" }, ours: { ...ours, iban: "DE12" } },
    { name: "text of another form", theirs: { ...theirs, iban: "de12" }, drift: repair, refused: "iban → iban: is no account number" },
    {
      name: "text of a form with blanks",
      theirs: { ...theirs, iban: " DE12" },
      drift: repair,
      ours: { ...ours, iban: "DE12" },
      repaired: ["iban → iban: with blanks round it"],
    },
    {
      name: "number for a text",
      theirs: { ...theirs, mgr_no: 7 },
      drift: repair,
      ours,
      repaired: ["mgr_no → manager: a number instead of a text"],
    },
    {
      name: "fraction for a text",
      theirs: { ...theirs, mgr_no: 7.5 },
      drift: repair,
      refused: "mgr_no → manager: is no text, but a number",
    },
    { name: "code as a number", theirs: { ...theirs, lvl_cd: 2 }, drift: repair, ours, repaired: ["lvl_cd → level: as a number"] },
    { name: "unknown code, strict", theirs: { ...theirs, lvl_cd: "9" }, refused: "lvl_cd → level: is no code of 1, 2" },
    {
      name: "unknown code",
      theirs: { ...theirs, lvl_cd: "9" },
      drift: repair,
      ours: { ...ours, level: "junior" },
      repaired: ["lvl_cd → level: an unknown code, taken for junior"],
    },
    { name: "flag in small letters, strict", theirs: { ...theirs, active_yn: "y" }, refused: 'active_yn → active: is no "Y" or "N"' },
    {
      name: "flag as a word",
      theirs: { ...theirs, active_yn: "yes" },
      drift: repair,
      ours,
      repaired: ["active_yn → active: in another form of yes and no"],
    },
    {
      name: "flag as a number",
      theirs: { ...theirs, active_yn: 0 },
      drift: repair,
      ours: { ...ours, active: false },
      repaired: ["active_yn → active: in another form of yes and no"],
    },
    {
      name: "flag that is none",
      theirs: { ...theirs, active_yn: 2 },
      drift: repair,
      refused: 'active_yn → active: is no "Y" or "N", but a number',
    },
    {
      name: "date in another form, strict",
      theirs: { ...theirs, hire_dt: "2024-04-03" },
      refused: 'hire_dt → hiredOn: is no date of "dd/MM/yyyy"',
    },
    {
      name: "date in another form",
      theirs: { ...theirs, hire_dt: "3.4.2024" },
      drift: repair,
      ours,
      repaired: ["hire_dt → hiredOn: in the format d.M.yyyy"],
    },
    {
      name: "day that does not exist",
      theirs: { ...theirs, hire_dt: "31/02/2024" },
      drift: repair,
      refused: "hire_dt → hiredOn: is a day or a time that does not exist",
    },
    {
      name: "date with a time",
      theirs: { ...theirs, hire_dt: "03/04/2024 00:00" },
      drift: repair,
      refused: "hire_dt → hiredOn: is no date",
    },
    { name: "winter time", theirs: { ...theirs, seen_ts: "01.01.2026 09:30" }, ours: { ...ours, seenAt: "2026-01-01T08:30:00.000Z" } },
    {
      name: "time that clocks skipped",
      theirs: { ...theirs, seen_ts: "29.03.2026 02:30" },
      drift: repair,
      refused: "seen_ts → seenAt: is a time that clocks in Europe/Berlin never showed",
    },
    {
      name: "time that clocks showed twice",
      theirs: { ...theirs, seen_ts: "25.10.2026 02:30" },
      drift: repair,
      refused: "seen_ts → seenAt: is a time that clocks in Europe/Berlin showed twice",
    },
    {
      name: "time with its offset",
      theirs: { ...theirs, seen_ts: "2026-07-01T09:30:00+02:00" },
      drift: repair,
      ours,
      repaired: ["seen_ts → seenAt: in the format yyyy-MM-dd'T'HH:mm:ssZZ"],
    },
    {
      name: "money with the other separators",
      theirs: pay({ sal: "1,234.50" }),
      drift: repair,
      refused: "pay.sal → salary: is no amount as 1.234,50",
    },
    {
      name: "money without decimals, which may be cents",
      theirs: pay({ sal: "1234" }),
      drift: repair,
      refused: "pay.sal → salary: is no amount",
    },
    {
      name: "money with one decimal",
      theirs: pay({ sal: "1234,5" }),
      drift: repair,
      ours,
      repaired: ["pay.sal → salary: with other decimals"],
    },
    { name: "money in tenths of cents", theirs: pay({ sal: "1234,505" }), drift: repair, refused: "pay.sal → salary: is no amount" },
    {
      name: "money beyond 2^53",
      theirs: pay({ sal: "90.071.992.547.409,92" }),
      drift: repair,
      refused: "pay.sal → salary: is more than a whole number can hold",
    },
    { name: "groups of two digits", theirs: pay({ sal: "12.34,50" }), drift: repair, refused: "pay.sal → salary: is no amount" },
    { name: "decimal number as JSON", theirs: pay({ rate: 0.75 }), drift: repair, ours, repaired: ["pay.rate → rate: a JSON number"] },
    {
      name: "more digits than a number holds",
      theirs: pay({ rate: "0,12345678901234567" }),
      drift: repair,
      refused: "pay.rate → rate: has more digits than a number can hold",
    },
    { name: "exponent", theirs: pay({ rate: "1e3" }), drift: repair, refused: "pay.rate → rate: is no number" },
    { name: "hexadecimal", theirs: { ...theirs, rep_cnt: "0x7" }, drift: repair, refused: "rep_cnt → reports: is no whole number" },
    { name: "NaN", theirs: { ...theirs, rep_cnt: Number.NaN }, drift: repair, refused: "rep_cnt → reports: is no whole number" },
    {
      name: "whole number in a text",
      theirs: { ...theirs, rep_cnt: " 7 " },
      drift: repair,
      ours,
      repaired: ["rep_cnt → reports: a number in a text"],
    },
    {
      name: "fraction for a whole number",
      theirs: { ...theirs, rep_cnt: 7.5 },
      drift: repair,
      refused: "rep_cnt → reports: is no whole number, but a number",
    },
    {
      name: "nested object missing",
      theirs: { ...theirs, pay: undefined },
      drift: repair,
      refused: ["pay.sal → salary: is missing", "pay.rate → rate: is missing"],
    },
    {
      name: "part of a nested field missing",
      theirs: without("addr_city"),
      drift: repair,
      refused: "addr_city → address.city: is missing",
    },
    {
      name: "element of a list",
      theirs: { ...theirs, tags: { list: ["a", null] } },
      drift: repair,
      refused: "tags.list[1] → tags[1]: is null",
    },
    {
      name: "list that is none",
      theirs: { ...theirs, tags: { list: "a,b" } },
      drift: repair,
      refused: "tags.list → tags: is a text (expected: list)",
    },
    {
      name: "unreadable optional date, repair",
      theirs: { ...theirs, left_dt: "n/a" },
      drift: repair,
      refused: "left_dt → leftOn: is no date",
    },
    {
      name: "unreadable optional date, warn",
      theirs: { ...theirs, left_dt: "n/a" },
      drift: "warn",
      ours,
      repaired: ['left_dt → leftOn: left out, for no date of "dd/MM/yyyy" could be read'],
    },
    {
      name: "unreadable required date, warn",
      theirs: { ...theirs, hire_dt: "n/a" },
      drift: "warn",
      refused: "hire_dt → hiredOn: is no date",
    },
    { name: "a text instead of a record", theirs: "Ada", refused: "(the whole) → (the whole): is a text (expected: object)" },
    { name: "a list instead of a record", theirs: [theirs], refused: "is a list (expected: object)" },
  ])
  test.each(rows.map(({ name, run }) => [name, run] as const))("%s", (_name, run) => run())
  test("the table: has more than forty rows", () => expect(rows.length).toBeGreaterThan(40))
})

describe("a record with several wrong fields", () => {
  const wrong = { ...theirs, lvl_cd: "9", active_yn: "?", hire_dt: "?", full_nm: undefined }
  const problemsOf = (read: () => unknown): readonly string[] => {
    try {
      read()
      return []
    } catch (error) {
      return (error as { problems: readonly string[] }).problems
    }
  }

  test("all of them are named at once", () => {
    expect(problemsOf(() => employee.read(wrong)).map((problem) => problem.split(":")[0])).toEqual([
      "full_nm → name",
      "lvl_cd → level",
      "active_yn → active",
      "hire_dt → hiredOn",
    ])
  })
  test("in a list: with its position on both sides", () => {
    const page = mapping(z.object({ candidates: z.array(Employee) }), { candidates: from("rows", list(employee)) })
    expect(problemsOf(() => page.read({ rows: [theirs, theirs, theirs, { ...theirs, hire_dt: "2024" }] }))).toEqual([
      'rows[3].hire_dt → candidates[3].hiredOn: is no date of "dd/MM/yyyy"',
    ])
    expect(problemsOf(() => employee.readAll([theirs, { ...theirs, hire_dt: "2024" }]))).toEqual([
      '[1].hire_dt → [1].hiredOn: is no date of "dd/MM/yyyy"',
    ])
  })
  test("more than twenty: twenty are named, the others counted", () => {
    const thirty = Array.from({ length: 30 }, () => ({ ...theirs, rep_cnt: "?" }))
    expect(problemsOf(() => employee.readAll(thirty))).toHaveLength(20)
    expect(() => employee.readAll(thirty)).toThrow(/; and 10 more$/)
  })
  test("no value is in any sentence", () => {
    const secret = "S3CRET"
    const all = Object.fromEntries(Object.keys(theirs).map((key) => [key, secret]))
    expect(() => employee.read(all)).toThrow()
    try {
      employee.read(all)
    } catch (error) {
      expect(String(error)).not.toContain(secret)
    }
  })
})

describe("names that every object has", () => {
  const odd = mapping(z.object({ a: z.string().optional(), b: z.string().optional() }), {
    a: from("constructor", optional(text)),
    b: from("toString", optional(text)),
  })
  test("in the source or not: only its own count", () => {
    expect(odd.read({})).toEqual({})
    expect(odd.read(JSON.parse('{"constructor":"x","toString":"y"}'))).toEqual({ a: "x", b: "y" })
    expect(odd.read(Object.assign(Object.create(null), { constructor: "x" }))).toEqual({ a: "x" })
  })
  test("__proto__ in a source: does nothing", () => {
    const plain = mapping(z.object({ n: z.number() }), { n: from("n", number) })
    const read = plain.read(JSON.parse('{"n":1,"__proto__":{"admin":true}}')) as object
    expect(Object.getPrototypeOf(read)).toBe(Object.prototype)
    expect(Object.keys(read)).toEqual(["n"])
  })
  test("__proto__ as a name in a mapping: is a mistake", () => {
    const wrong = mapping(z.object({ n: z.number() }), { n: from("__proto__.n", number) })
    expect(wrong.read["~mapping"].mistakes).toEqual(['n: "__proto__.n": no field can be called __proto__'])
    expect(() => wrong.read({ n: 1 })).toThrow("no field can be called __proto__")
    expect(({} as { n?: number }).n).toBeUndefined()
  })
})

describe("what looks like a value and is none", () => {
  const one = (field: Parameters<typeof mapping>[1][string]) => mapping(z.object({ v: z.any() }), { v: field as never })
  const REPAIR = { drift: "repair", noteRepair: () => {} } as const

  test.each([
    ["0,123", decimal({ thousands: "," })],
    ["00,123", decimal({ thousands: "," })],
    ["0.123", decimal({ mark: ",", thousands: "." })],
    ["-0,123", decimal({ thousands: "," })],
    ["0,123.00", money({ currency: "EUR", thousands: "," })],
    ["0.123", money({ currency: "JPY", mark: ",", thousands: "." })],
  ])("%s, grouped behind a zero → refused, for it is a fraction in another notation", (v, converter) => {
    expect(() => one(from("v", converter)).read({ v }, REPAIR)).toThrow("v → v")
  })
  test("a fraction so small that it would become 0 → refused", () => {
    expect(() => one(from("v", number)).read({ v: `0.${"0".repeat(330)}1` }, REPAIR)).toThrow("more digits than a number can hold")
    expect(one(from("v", number)).read({ v: `0.${"0".repeat(300)}1` }, REPAIR)).toEqual({ v: 1e-301 })
  })
  test.each([
    [{ currency: "KWT" }, ['"KWT" is no currency whose decimals are known: give decimals beside it']],
    [{ currency: "CLF", decimals: 4 }, []],
    [{ currency: "KWD" }, []],
    [{ currency: "eur", decimals: 2 }, ['"eur" is no code of a currency, such as EUR']],
  ])("money of %j → mistakes %j", (options, mistakes) => expect(money(options)["~part"].mistakes).toEqual(mistakes))
  test("a text where an object was declared: its length → missing", () => {
    expect(() => one(from("name.length", number)).read({ name: "abc" })).toThrow("name.length → v: is missing")
  })
  test("a field of ours called constructor, which lacks → not written", () => {
    const named = mapping(z.object({ constructor: z.string().optional() }), { constructor: from("c", optional(text)) })
    expect((named.write as (ours: object) => unknown)({})).toEqual({})
    const grouped = mapping(z.object({ valueOf: z.object({ a: z.string() }).optional() }), {
      valueOf: optional(nest({ a: from("a", text) })),
    })
    expect((grouped.write as (ours: object) => unknown)({})).toEqual({})
  })
  test("a default that is a list → each record has its own", () => {
    const tagged = mapping(z.object({ tags: z.array(z.string()) }), { tags: from("tags", withDefault(list(text), [])) })
    tagged.read({}).tags.push("mine")
    expect(tagged.read({}).tags).toEqual([])
  })
})

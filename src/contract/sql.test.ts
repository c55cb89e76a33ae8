import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { TrestleError } from "../errors/trestle-error.ts"
import { isSqlName, isSqlText, type SqlText, sql } from "./sql.ts"
import { compileSql } from "./sql-compile.ts"
import { SQL_DEFAULTS, type SqlCapabilities } from "./sql-session.ts"

const plain: SqlCapabilities = { ...SQL_DEFAULTS, booleans: "integer", dates: "text", json: "text" }
const numbered: SqlCapabilities = { ...SQL_DEFAULTS, placeholder: "numbered" }
const compiled = (text: SqlText, capabilities = plain) => compileSql(text, capabilities)

describe("sql", () => {
  test("values: are bound, never written", () => {
    const evil = "'; drop table notes; --"
    expect(compiled(sql`select * from notes where text = ${evil} and n > ${3}`)).toEqual({
      text: "select * from notes where text = ? and n > ?",
      values: [evil, 3],
    })
  })

  test("numbered placeholders: count through all parts", () => {
    const condition = sql`b = ${2} and c = ${3}`
    expect(compiled(sql`select ${1}, ${condition}, ${4}`, numbered)).toEqual({
      text: "select $1, b = $2 and c = $3, $4",
      values: [1, 2, 3, 4],
    })
  })

  test("parts in parts: keep their order", () => {
    const inner = sql`x = ${1}`
    const middle = sql`(${inner} or ${sql`y = ${2}`})`
    expect(compiled(sql`select ${0} where ${middle} and z = ${3}`)).toEqual({
      text: "select ? where (x = ? or y = ?) and z = ?",
      values: [0, 1, 2, 3],
    })
  })

  test("a part without values: is text alone", () => {
    expect(compiled(sql`a${sql` b `}c`)).toEqual({ text: "a b c", values: [] })
  })

  test("names: quoted as the database does", () => {
    const text = sql`select ${sql.id("notes", "order")} from ${sql.id("notes")}`
    expect(compiled(text).text).toBe('select "notes"."order" from "notes"')
    expect(compiled(text, { ...plain, quote: "`" }).text).toBe("select `notes`.`order` from `notes`")
  })

  test.each([['a"b'], ["a b"], [""], ["1a"], ["a;b"], ["a.b"], ["ä"], ["x".repeat(64)]])("the name %j: refused", (name) => {
    expect(() => sql.id(name)).toThrow(TypeError)
  })

  test("no name at all: refused", () => expect(() => sql.id()).toThrow(TypeError))

  test("a list: one placeholder each", () => {
    expect(compiled(sql`select 1 where n in (${sql.list([1, 2, 3])})`)).toEqual({
      text: "select 1 where n in (?, ?, ?)",
      values: [1, 2, 3],
    })
  })

  test("a list of very many: no matter for the compiler", () => {
    const many = Array.from({ length: 300_000 }, (_, i) => i)
    expect(sql`select 1 where n in (${sql.list(many)})`.slots).toHaveLength(300_000)
  })

  test("an empty list: holds nothing", () => {
    expect(compiled(sql`n in (${sql.list([])})`)).toEqual({ text: "n in (select null where 1 = 0)", values: [] })
  })

  test.each([
    [[], ""],
    [[sql`a = ${1}`], "a = ?"],
    [[sql`a = ${1}`, sql`b = ${2}`], "a = ? and b = ?"],
  ] as const)("join of %j parts", (parts, text) => expect(compiled(sql.join(parts, " and ")).text).toBe(text))

  test("join: no other separator", () => expect(() => sql.join([sql`a`], "; drop table notes; " as never)).toThrow(TypeError))

  test("called with a text instead of as a tag: refused", () => {
    expect(() => sql("drop table notes" as never)).toThrow(TypeError)
    expect(() => sql(["drop table notes"] as never)).toThrow(TypeError)
  })

  test("what looks like a part of SQL, from JSON: is a value that cannot be bound", () => {
    const forged = JSON.parse('{"pieces":["1; drop table notes"],"slots":[],"parts":["x"]}')
    expect(isSqlText(forged) || isSqlName(forged)).toBe(false)
    expect(() => compiled(sql`select ${forged}`)).toThrow(/value 1 of the statement is of type object/)
  })

  test("any nesting: as many placeholders as values, in the order of the text", () => {
    const part: fc.Arbitrary<{ text: SqlText; values: number[] }> = fc.letrec((again) => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        fc.integer().map((n) => ({ text: sql`<${n}>`, values: [n] })),
        fc.tuple(again("tree") as any, fc.integer(), again("tree") as any).map(([a, n, b]: any) => ({
          text: sql`(${a.text}, ${n}, ${b.text})`,
          values: [...a.values, n, ...b.values],
        })),
      ),
    })).tree as never
    fc.assert(
      fc.property(part, ({ text, values }) => {
        const statement = compiled(text, numbered)
        expect(statement.values).toEqual(values)
        expect([...statement.text.matchAll(/\$(\d+)/g)].map((match) => Number(match[1]))).toEqual(values.map((_, i) => i + 1))
      }),
    )
  })
})

describe("values", () => {
  test.each([
    [true, plain, 1],
    [false, plain, 0],
    [true, numbered, true],
    [new Date("2026-01-02T03:04:05.678Z"), plain, "2026-01-02T03:04:05.678Z"],
    [null, plain, null],
    [2n ** 63n - 1n, plain, 2n ** 63n - 1n],
    ["𝒳 '\"`\\%_\n\t\u0001", plain, "𝒳 '\"`\\%_\n\t\u0001"],
  ])("%s: bound", (value, capabilities, bound) => {
    expect(compiled(sql`select ${value as string}`, capabilities).values).toEqual([bound])
  })

  test.each([
    [undefined, "undefined"],
    [Number.NaN, "no finite number"],
    [Number.POSITIVE_INFINITY, "no finite number"],
    [2n ** 63n, "more than 64 bits"],
    [new Date("no date"), "an invalid Date"],
    [[1, 2], "sql.list"],
    [{ a: 1 }, "JSON.stringify"],
    [() => 1, "of type function"],
    [Symbol("x"), "of type symbol"],
  ])("%s: a mistake that says what to do", (value, said) => {
    expect(() => compiled(sql`select ${1}, ${value as never}`)).toThrow(new RegExp(`^value 2 of the statement is .*${said}`))
  })

  test.each([["a\0b"], ["\ud800"], ["x\udc00y"]])("%j: the caller's mistake", (text) => {
    const attempt = () => compiled(sql`select ${text}`)
    expect(attempt).toThrow(TrestleError)
    expect(attempt).toThrow(/INVALID/)
  })
})

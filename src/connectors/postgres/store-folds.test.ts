import { describe, expect, test } from "vitest"
import type { StoreStatement, StoreValue } from "../../contract/store.ts"
import { foldsOf, RowTexts } from "./store-folds.ts"
import { StoreTexts } from "./store-texts.ts"

const texts = new StoreTexts("notes")
const ofRow = (text: string, rowId: string, ...values: StoreValue[]): StoreStatement => ({ text, values, rowId })
const remove = (id: string, n: StoreValue = 1) => ofRow("delete from things where id = ? and n = ?", id, id, n)
const foldsFor = (...statements: StoreStatement[]) => foldsOf(statements.map((statement) => texts.asked(statement)))
const sizesFor = (...statements: StoreStatement[]): number[] =>
  foldsFor(...statements).map((fold) => fold.answers({ rows: [], changes: 0 }).length)
const textFor = (...statements: StoreStatement[]): string => foldsFor(...statements)[0]!.asked(new RowTexts()).text

describe("which statements are sent as one", () => {
  test("those that follow each other about rows of their own → one", () => {
    expect(sizesFor(remove("a"), remove("b"), remove("c"))).toEqual([3])
  })

  test.each([
    ["another text between them", [remove("a"), ofRow("update things set n = ? where id = ?", "b", 1, "b"), remove("c")], [1, 1, 1]],
    ["the same row again", [remove("a"), remove("b"), remove("a")], [2, 1]],
    ["no row is named", [{ ...remove("a"), rowId: undefined }, remove("b")] as StoreStatement[], [1, 1]],
    ["nothing in the place of a number", [remove("a"), remove("b", null)], [1, 1]],
    ["more characters than go together", [remove("a"), remove("b".repeat(1_048_576)), remove("c")], [1, 1, 1]],
  ])("%s → apart", (_, statements, sizes) => {
    expect(sizesFor(...statements)).toEqual(sizes)
  })

  test("a single one → is sent as it stands", () => {
    expect(textFor(remove("a"))).toBe("delete from things where id = $1 and n = $2")
  })
})

describe("the text over many rows", () => {
  test.each([
    [
      "insert into things (id, n, mark) values (?, f() + ?, ?) on conflict (id) do nothing",
      ["a", 1, null],
      "insert into things (id, n, mark) select given.v1, f() + given.v2, null from unnest((select $1), (select $2)) as given (v1, v2) on conflict (id) do nothing returning things.id as row_id",
    ],
    [
      "insert into things (id) values (?) returning n",
      ["a"],
      "insert into things (id) select given.v1 from unnest((select $1)) as given (v1) returning n, things.id as row_id",
    ],
    [
      "update things set mark = ?, n = ?\n  where id = ?",
      [null, 1, "a"],
      "update things set mark = null, n = given.v2 from unnest((select $1), (select $2)) as given (v2, v3) where id = given.v3 returning things.id as row_id",
    ],
    [
      "delete from things where id = ?",
      ["a"],
      "delete from things using unnest((select $1)) as given (v1) where id = given.v1 returning things.id as row_id",
    ],
  ] as const)("%s", (text, values, expected) => {
    expect(textFor(ofRow(text, "a", ...values), ofRow(text, "b", ...values))).toBe(expected)
  })

  test("a statement of another kind → said to be a bug", () => {
    const select = "select n from things where id = ?"
    expect(() => textFor(ofRow(select, "a", "a"), ofRow(select, "b", "b"))).toThrow("a statement about a row")
  })
})

import { op, sql, sqlite, trestle } from "trestle"
import { date, from, mapping, text, yesNo } from "trestle/mapping"
import { testApp } from "trestle/testing"
import { describe, expect, test } from "vitest"
import { z } from "zod"

const Person = z.object({ name: z.string(), active: z.boolean(), hiredOn: z.iso.date() })
const person = mapping(Person, {
  name: from("full_nm", text),
  active: from("active_yn", yesNo),
  hiredOn: from("hire_dt", date("dd/MM/yyyy", { drift: "yyyy-MM-dd" })),
})
const db = sqlite({ file: "people.db" })
const rows = (last: string) =>
  sql`select 'Ada' as full_nm, 'Y' as active_yn, '02/01/2026' as hire_dt union all select 'Bob', 'yes', ${last}`
const Last = z.object({ last: z.string() })
const app = trestle({
  name: "rows",
  ops: {
    strict: op({ effect: "read", input: Last, output: z.array(Person) }).via(db.many(({ last }) => rows(last), { row: person.read })),
    repair: op({ effect: "read", input: Last, output: z.array(Person), drift: "repair" }).via(
      db.many(({ last }) => rows(last), { row: person.read }),
    ),
    one: op({ effect: "read", input: Last, output: Person, drift: "repair" }).via(
      db.one(({ last }) => sql`select * from (${rows(last)}) where full_nm = 'Bob'`, { row: person.read }),
    ),
  },
})

describe("rows of a database through a mapping", () => {
  test("repair: mapped, and each repair is told of", async () => {
    await using t = await testApp(app)
    const { value, meta } = await t.internal().repair.detailed({ last: "2026-01-02" })
    expect(value).toEqual([
      { name: "Ada", active: true, hiredOn: "2026-01-02" },
      { name: "Bob", active: true, hiredOn: "2026-01-02" },
    ])
    expect(meta.repaired).toMatchObject({ count: 2 })
    expect((await t.internal().one.detailed({ last: "2026-01-02" })).meta.repaired?.count).toBe(2)
  })
  test("strict: refused, with the row and both names", async () => {
    await using t = await testApp(app)
    expect(await t.internal().strict.safe({ last: "31/02/2026" })).toMatchObject({ ok: false, code: "INTERNAL" })
    const { error } = t.calls().at(-1)!
    expect(error).toMatchObject({ reason: "answer-not-mapped" })
    expect(error!.note).toMatch(
      /: row 1: active_yn → active: is no "Y" or "N".*; hire_dt → hiredOn: is a day or a time that does not exist$/,
    )
  })
})

// What the compiler writes, against what SQLite makes of it: any statement that `sql` can build is one that SQLite understands alike.
import { DatabaseSync } from "node:sqlite"
import fc from "fast-check"
import { expect, test } from "vitest"
import { SQLITE } from "../../../src/connectors/sqlite/connection.ts"
import type { SqlText, SqlValue } from "../../../src/contract/sql.ts"
import { compileSql } from "../../../src/contract/sql-compile.ts"
import { sql } from "../../../src/index.ts"

const db = new DatabaseSync(":memory:")
const ask = (text: SqlText): Record<string, unknown>[] => {
  const { text: written, values } = compileSql(text, SQLITE)
  return db
    .prepare(written)
    .all(...values.map((value) => (Number.isSafeInteger(value) ? BigInt(value as number) : value) as never)) as never
}

/** A condition, and whether it holds, as far as JavaScript and SQL agree. */
interface Condition {
  readonly text: SqlText
  readonly holds: boolean
}

const small = fc.integer({ min: -3, max: 3 })
const word = fc.string({ unit: "grapheme", maxLength: 4 }).filter((text) => !text.includes("\0"))
const leaf: fc.Arbitrary<Condition> = fc.oneof(
  fc.tuple(small, small).map(([a, b]) => ({ text: sql`${a} < ${b}`, holds: a < b })),
  fc.tuple(word, word).map(([a, b]) => ({ text: sql`${a} = ${b}`, holds: a === b })),
  fc
    .tuple(small, fc.array(small, { maxLength: 4 }))
    .map(([n, list]) => ({ text: sql`${n} in (${sql.list(list)})`, holds: list.includes(n) })),
  fc
    .tuple(small, fc.array(small, { maxLength: 4 }))
    .map(([n, list]) => ({ text: sql`${n} not in (${sql.list(list)})`, holds: !list.includes(n) })),
  fc.boolean().map((is) => ({ text: sql`${is}`, holds: is })),
  fc
    .date({ noInvalidDate: true, min: new Date("1970-01-01"), max: new Date("2099-01-01") })
    .map((at) => ({ text: sql`${at} = ${at.toISOString()}`, holds: true })),
  fc
    .uint8Array({ maxLength: 8 })
    .map((bytes) => ({ text: sql`hex(${bytes}) = ${Buffer.from(bytes).toString("hex").toUpperCase()}`, holds: true })),
)
const condition: fc.Arbitrary<Condition> = fc.letrec<{ tree: Condition }>((again) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc.array(again("tree"), { minLength: 1, maxLength: 3 }).map((parts) => ({
      text: sql`(${sql.join(
        parts.map(({ text }) => text),
        " and ",
      )})`,
      holds: parts.every(({ holds }) => holds),
    })),
    fc.array(again("tree"), { minLength: 1, maxLength: 3 }).map((parts) => ({
      text: sql`(${sql.join(
        parts.map(({ text }) => text),
        " or ",
      )})`,
      holds: parts.some(({ holds }) => holds),
    })),
    again("tree").map(({ text, holds }) => ({ text: sql`not (${text})`, holds: !holds })),
  ),
})).tree

test("any condition: means in SQLite what it was built to mean", () => {
  fc.assert(
    fc.property(condition, ({ text, holds }) => {
      expect(ask(sql`select (${text}) as holds`)).toEqual([{ holds: holds ? 1 : 0 }])
    }),
    { numRuns: 500 },
  )
})

test("any values: come back in their order, as they are", () => {
  const value: fc.Arbitrary<SqlValue> = fc.oneof(word, small, fc.double({ noNaN: true, noDefaultInfinity: true }), fc.constant(null))
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 20 }), (values) => {
      const columns = values.map((one, i) => sql`${one} as ${sql.id(`c${i}`)}`)
      // SQLite has one zero for integers.
      const plain = values.map((one) => (one === 0 ? 0 : one))
      expect(Object.values(ask(sql`select ${sql.join(columns, ", ")}`)[0]!)).toEqual(plain)
    }),
  )
})

const KEYWORDS = ["select", "table", "order", "group", "from", "where", "null", "default", "index", "_", "A1", "x".repeat(63)]

test.each(KEYWORDS)("the name %s: is a name, whatever it means elsewhere", (name) => {
  db.exec("drop table if exists names")
  ask(sql`create table names (${sql.id(name)} text)`)
  ask(sql`insert into names (${sql.id(name)}) values (${"x"})`)
  expect(ask(sql`select ${sql.id("names", name)} as it from names`)).toEqual([{ it: "x" }])
})

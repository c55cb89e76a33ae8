// Values of PostgreSQL's types: exact, or an error; never another value.
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { z } from "zod"
import { nothing, op, type Sql, type SqlText, sql } from "../../../src/index.ts"
import { server, worldOf } from "./kit.ts"

const asking = (statement: SqlText) => (db: Sql) => ({
  it: op({ effect: "read", input: nothing, output: z.any() }).via(db.one(() => statement, { row: (row) => row.it })),
})

describe.skipIf(server === null)("values", () => {
  test.each<[string, SqlText, unknown]>([
    ["boolean", sql`select true as it`, true],
    ["smallint", sql`select 7::smallint as it`, 7],
    ["integer", sql`select -2147483648 as it`, -2147483648],
    ["bigint within 2^53", sql`select 9007199254740991 as it`, 9007199254740991],
    ["count", sql`select count(*) as it from notes`, 0],
    ["numeric", sql`select 12.50::numeric(12,2) as it`, 12.5],
    ["numeric, large and round", sql`select 1e20::numeric as it`, 1e20],
    ["numeric, small", sql`select 0.000001::numeric as it`, 0.000001],
    ["numeric zero", sql`select 0.00::numeric as it`, 0],
    ["numeric below zero", sql`select -0.1::numeric as it`, -0.1],
    ["real", sql`select 0.1::real as it`, 0.1],
    ["double precision", sql`select 0.1::float8 + 0.2::float8 as it`, 0.30000000000000004],
    ["text", sql`select 'ä€😀'::text as it`, "ä€😀"],
    ["uuid", sql`select '0190a6c4-0000-7000-8000-000000000000'::uuid as it`, "0190a6c4-0000-7000-8000-000000000000"],
    ["bytea", sql`select '\\x00ff10'::bytea as it`, new Uint8Array([0, 255, 16])],
    ["date", sql`select '2026-02-28'::date as it`, "2026-02-28"],
    ["timestamptz", sql`select '2026-01-02 03:04:05.123456+02'::timestamptz as it`, "2026-01-02T01:04:05.123456Z"],
    ["timestamptz without fractions", sql`select '2026-01-02 03:04:05Z'::timestamptz as it`, "2026-01-02T03:04:05Z"],
    ["timestamp", sql`select '2026-01-02 03:04:05.5'::timestamp as it`, "2026-01-02T03:04:05.5"],
    ["time", sql`select '03:04:05'::time as it`, "03:04:05"],
    ["interval", sql`select '1 day 2 hours'::interval as it`, "P1DT2H"],
    ["json", sql`select '{"a": [1, null, "x"]}'::json as it`, { a: [1, null, "x"] }],
    ["jsonb", sql`select '{"b": {"c": 1.5}}'::jsonb as it`, { b: { c: 1.5 } }],
    ["jsonb, a text", sql`select '"5"'::jsonb as it`, "5"],
    ["null", sql`select null::integer as it`, null],
    ["a list of integers", sql`select array[1, null, 3] as it`, [1, null, 3]],
    [
      "a list of lists",
      sql`select array[[1, 2], [3, 4]] as it`,
      [
        [1, 2],
        [3, 4],
      ],
    ],
    ["a list from another bound", sql`select '[2:3]={7,8}'::integer[] as it`, [7, 8]],
    ["an empty list", sql`select '{}'::text[] as it`, []],
    [
      "a list of awkward texts",
      sql`select array['', 'a,b', '"', '\\', 'NULL', null, '{}', ' x '] as it`,
      ["", "a,b", '"', "\\", "NULL", null, "{}", " x "],
    ],
    ["a list of bigints", sql`select array[1::bigint] as it`, [1]],
    ["a list of timestamps", sql`select array['2026-01-02 03:04:05Z'::timestamptz] as it`, ["2026-01-02T03:04:05Z"]],
    ["a type of one's own", sql`select 'public'::regnamespace as it`, "public"],
  ])("%s: as it is", async (_what, statement, value) => {
    expect(await (await worldOf(asking(statement))).ask.it()).toEqual(value)
  })

  test.each<[string, SqlText]>([
    ["a bigint beyond 2^53", sql`select 9007199254740993 as it`],
    ["a numeric of too many digits", sql`select 0.12345678901234567890::numeric as it`],
    ["a numeric beyond 2^53", sql`select 9007199254740993::numeric as it`],
    ["a number in JSON beyond 2^53", sql`select '{"n": 9007199254740993}'::jsonb as it`],
    ["a number in JSON of too many digits", sql`select '[0.1234567890123456789]'::json as it`],
    ["a bigint in a list", sql`select array[9007199254740993] as it`],
    ["an infinite time", sql`select 'infinity'::timestamptz as it`],
    ["a day before Christ", sql`select '0044-03-15 BC'::date as it`],
  ])("%s: an error that says what to write, never another value", async (_what, statement) => {
    const { ask, records } = await worldOf(asking(statement))
    expect(await ask.it.safe()).toMatchObject({ code: "INTERNAL" })
    expect(records.at(-1)!.error).toMatchObject({ reason: "answer-unreadable", note: expect.stringContaining("cast(column as text)") })
  })

  test("what is bound: comes back as it was", async () => {
    const at = new Date("2026-01-02T03:04:05.678Z")
    const bound = (db: Sql) => ({
      it: op({ effect: "read", input: nothing, output: z.any() }).via(
        db.one(
          () => sql`select ${5}::int as a, ${2n ** 60n}::bigint::text as b, ${true}::boolean as c, ${at}::timestamptz as d,
            ${new Uint8Array([1, 0, 255])}::bytea as e, ${null}::text as f, ${0.1}::float8 as g, ${'{"a":1}'}::jsonb as h`,
        ),
      ),
    })
    expect(await (await worldOf(bound)).ask.it()).toEqual({
      a: 5,
      b: "1152921504606846976",
      c: true,
      d: "2026-01-02T03:04:05.678Z",
      e: new Uint8Array([1, 0, 255]),
      f: null,
      g: 0.1,
      h: { a: 1 },
    })
  })

  test("any whole number, any double, any text in a list: comes back as it was", async () => {
    const echo = (db: Sql) => ({
      it: op({ effect: "read", input: z.object({ n: z.number(), d: z.number(), t: z.string() }), output: z.any() }).via(
        db.one(({ n, d, t }) => sql`select ${n}::bigint as n, ${n}::numeric as m, ${d}::float8 as d, array[${t}, ${t}]::text[] as t`),
      ),
    })
    const { ask } = await worldOf(echo)
    const given = fc.record({
      n: fc.maxSafeInteger(),
      d: fc.double({ noNaN: true, noDefaultInfinity: true }),
      t: fc.string({ unit: "binary" }).filter((text) => !text.includes("\0")),
    })
    await fc.assert(
      fc.asyncProperty(given, async (input) => {
        const { n, d, t } = input
        // JSON has one zero.
        expect(await ask.it(input)).toEqual({ n: n + 0, m: n + 0, d: Object.is(d, -0) ? expect.closeTo(0) : d, t: [t, t] })
      }),
    )
  })

  test("a column called __proto__: a name like any other", async () => {
    const odd = (db: Sql) => ({
      it: op({ effect: "read", input: nothing, output: z.any() }).via(
        db.one(() => sql`select '{"a":1}'::jsonb as "__proto__", 1 as b`, { row: (row) => [Object.keys(row), row.a] }),
      ),
    })
    expect(await (await worldOf(odd)).ask.it()).toEqual([["__proto__", "b"], undefined])
  })

  test("more values than the protocol counts: refused, and the next statement works", async () => {
    const { ask, lastNote } = await worldOf((db) => ({
      many: op({ effect: "read", input: z.object({ count: z.number() }), output: z.array(z.any()) }).via(
        db.many(({ count }) => sql`select 1 as it where 1 in (${sql.list(Array.from({ length: count }, (_, i) => i))})`),
      ),
    }))
    expect(await ask.many({ count: 65_535 })).toHaveLength(1)
    expect(await ask.many.safe({ count: 65_536 })).toMatchObject({ code: "INTERNAL", outcome: "refused" })
    expect(lastNote()).toContain("65,535")
    expect(await ask.many({ count: 2 })).toHaveLength(1)
  })

  test("an answer of more bytes than are read: refused, and the next statement works", async () => {
    const { ask, records } = await worldOf((db) => ({
      big: op({ effect: "read", input: z.object({ n: z.number() }), output: z.array(z.any()) }).via(
        db.many(({ n }) => sql`select repeat('x', ${n}) as it`),
      ),
    }))
    expect(await ask.big({ n: 1_000_000 })).toHaveLength(1)
    expect(await ask.big.safe({ n: 50_000_000 })).toMatchObject({ code: "INTERNAL", outcome: "refused" })
    expect(records.at(-1)!.error).toMatchObject({ reason: "answer-too-large" })
    expect(await ask.big({ n: 1 })).toHaveLength(1)
  })
})

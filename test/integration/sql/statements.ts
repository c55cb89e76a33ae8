// What statements of every SQL database do, over a real one.
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { z } from "zod"
import { nothing, op, type Sql, sql } from "../../../src/index.ts"
import type { SqlSubject } from "./kit.ts"

export const Note = z.object({ id: z.number(), text: z.string() })

export const notes = (db: Sql) => ({
  add: op({
    effect: "write",
    input: z.object({ text: z.string(), n: z.number().nullable().default(null) }),
    output: Note,
    errors: { TAKEN: 409 },
  }).via(db.one((i) => sql`insert into notes (text, n) values (${i.text}, ${i.n}) returning id, text`, { errors: { unique: "TAKEN" } })),
  plain: op({ effect: "write", input: z.object({ text: z.string() }), output: nothing }).via(
    db.run((i) => sql`insert into notes (text) values (${i.text})`),
  ),
  mark: op({ effect: "write", input: z.object({ note: z.number() }), output: nothing }).via(
    db.run((i) => sql`insert into marks (note) values (${i.note})`),
  ),
  get: op({ effect: "read", input: z.object({ id: z.number() }), output: Note, errors: { GONE: 410 } }).via(
    db.one((i) => sql`select id, text from notes where id = ${i.id}`, { missing: "GONE" }),
  ),
  all: op({ effect: "read", input: nothing, output: z.array(z.string()) }).via(
    db.many(() => sql`select text from notes order by id`, { row: (row) => row.text }),
  ),
  remove: op({ effect: "write", input: z.object({ id: z.number() }), output: z.object({ removed: z.number() }) }).via(
    db.run((i) => sql`delete from notes where id = ${i.id}`, { map: (removed) => ({ removed }), missing: "NOT_FOUND" }),
  ),
})

/** One test for each, in a database of its own. */
export function describeStatements({ worldOf, unique }: SqlSubject): void {
  describe("statements", () => {
    test("one, many, run: what was written is read", async () => {
      const { ask } = await worldOf(notes)
      expect(await ask.add({ text: "a" })).toEqual({ id: 1, text: "a" })
      expect(await ask.plain({ text: "b" })).toBeUndefined()
      expect(await ask.all()).toEqual(["a", "b"])
      expect(await ask.get({ id: 2 })).toEqual({ id: 2, text: "b" })
      expect(await ask.remove({ id: 2 })).toEqual({ removed: 1 })
    })

    test("no row: the declared code", async () => {
      const { ask } = await worldOf(notes)
      expect(await ask.get.safe({ id: 1 })).toMatchObject({ code: "GONE", outcome: "answered" })
      expect(await ask.remove.safe({ id: 1 })).toMatchObject({ code: "NOT_FOUND", outcome: "answered" })
    })

    test("two rows where one is wanted, on a write: an error, and nothing kept", async () => {
      const { ask, lastNote } = await worldOf((db) => ({
        ...notes(db),
        two: op({ effect: "write", input: nothing, output: Note }).via(
          db.one(() => sql`insert into notes (text) values ('x'), ('y') returning id, text`),
        ),
      }))
      expect(await ask.two.safe()).toMatchObject({ code: "INTERNAL", outcome: "refused" })
      expect(lastNote()).toContain("2 rows where one is wanted")
      expect(await ask.all()).toEqual([])
    })

    test("an answer that does not fit, on a write: refused, and nothing kept", async () => {
      const { ask } = await worldOf((db) => ({
        ...notes(db),
        odd: op({ effect: "write", input: nothing, output: z.object({ id: z.string() }) }).via(
          db.one(() => sql`insert into notes (text) values ('x') returning id`),
        ),
      }))
      expect(await ask.odd.safe()).toMatchObject({ code: "INTERNAL", outcome: "refused" })
      expect(await ask.all()).toEqual([])
    })

    test("a mapping that throws, on a write: refused, and nothing kept", async () => {
      const { ask } = await worldOf((db) => ({
        ...notes(db),
        odd: op({ effect: "write", input: nothing, output: Note }).via(
          db.one(() => sql`insert into notes (text) values ('x') returning id`, { row: (row) => ({ id: row.id, text: row.text.length }) }),
        ),
      }))
      expect(await ask.odd.safe()).toMatchObject({ code: "INTERNAL", outcome: "refused" })
      expect(await ask.all()).toEqual([])
    })

    test("a read that writes: refused, and nothing written", async () => {
      const { ask, lastNote } = await worldOf((db) => ({
        ...notes(db),
        sly: op({ effect: "read", input: nothing, output: z.array(Note) }).via(
          db.many(() => sql`insert into notes (text) values ('x') returning id, text`),
        ),
      }))
      expect(await ask.sly.safe()).toMatchObject({ code: "INTERNAL", outcome: "refused" })
      expect(lastNote()).toContain('effect: "read"')
      expect(await ask.all()).toEqual([])
    })

    test("a semicolon at the end, in a text, in a name: one statement", async () => {
      const { ask } = await worldOf((db) => ({
        ...notes(db),
        odd: op({ effect: "write", input: nothing, output: nothing }).via(
          db.run(
            () => sql`insert into "notes" (text) values ('a; b') -- c; d
;`,
          ),
        ),
      }))
      await ask.odd()
      expect(await ask.all()).toEqual(["a; b"])
    })
  })

  describe("rules of a table", () => {
    test("unique: the declared code", async () => {
      const { ask } = await worldOf(notes)
      await ask.add({ text: "a" })
      expect(await ask.add.safe({ text: "a" })).toMatchObject({ code: "TAKEN", outcome: "answered" })
    })

    test("unique without a code: CONFLICT", async () => {
      const { ask, lastNote } = await worldOf(notes)
      await ask.plain({ text: "a" })
      expect(await ask.plain.safe({ text: "a" })).toMatchObject({ code: "CONFLICT", outcome: "answered" })
      expect(lastNote()).toContain(unique)
    })

    test("a deferred foreign key, found at the commit: CONFLICT, and the next write works", async () => {
      const { ask } = await worldOf(notes)
      expect(await ask.mark.safe({ note: 7 })).toMatchObject({ code: "CONFLICT", outcome: "answered" })
      await ask.plain({ text: "a" })
      expect(await ask.mark.safe({ note: 1 })).toMatchObject({ ok: true })
    })

    test("check: INTERNAL, for the contract should have known", async () => {
      const { ask } = await worldOf(notes)
      expect(await ask.add.safe({ text: "a", n: -1 })).toMatchObject({ code: "INTERNAL", outcome: "answered" })
    })
  })

  describe("bounds", () => {
    const count = (db: Sql) => ({
      ...notes(db),
      count: op({ effect: "read", input: z.object({ to: z.number() }), output: z.array(z.object({ n: z.number() })) }).via(
        db.many((i) => sql`with recursive c (n) as (select 1 union all select n + 1 from c where n < ${i.to}) select n from c`),
      ),
    })

    test("as many rows as allowed: all of them", async () => {
      const { ask } = await worldOf(count, { rowsMax: 50 })
      expect(await ask.count({ to: 50 })).toHaveLength(50)
    })

    test("one row more: refused, never cut off", async () => {
      const { ask, lastNote } = await worldOf(count, { rowsMax: 50 })
      expect(await ask.count.safe({ to: 51 })).toMatchObject({ code: "INTERNAL", outcome: "refused" })
      expect(lastNote()).toContain("more than 50 rows")
      expect(await ask.count({ to: 1 })).toHaveLength(1)
    })
    test("by default 10,000", async () => {
      const { ask } = await worldOf(count)
      expect(await ask.count({ to: 10_000 })).toHaveLength(10_000)
      expect(await ask.count.safe({ to: 10_001 })).toMatchObject({ ok: false })
    })
    test("an integer beyond 2^53: an error, not another number", async () => {
      const { ask, lastNote } = await worldOf((db) => ({
        big: op({ effect: "read", input: nothing, output: z.object({ n: z.number() }) }).via(
          db.one(() => sql`select 9007199254740993 as n`),
        ),
        asText: op({ effect: "read", input: nothing, output: z.object({ n: z.string() }) }).via(
          db.one(() => sql`select cast(9007199254740993 as text) as n`),
        ),
      }))
      expect(await ask.big.safe()).toMatchObject({ code: "INTERNAL" })
      expect(lastNote()).toContain("cast(column as text)")
      expect(await ask.asText()).toEqual({ n: "9007199254740993" })
    })

    test("an integer beyond 2^53 among the rows: later reads see later writes, and writes go on", async () => {
      const { ask } = await worldOf((db) => ({
        ...notes(db),
        addBig: op({ effect: "write", input: nothing, output: z.object({ n: z.number() }) }).via(
          db.one(() => sql`insert into notes (text, n) values ('big', 9007199254740993) returning n`),
        ),
        big: op({ effect: "read", input: nothing, output: z.array(z.object({ n: z.number() })) }).via(
          db.many(() => sql`select 9007199254740993 as n from notes`),
        ),
      }))
      await ask.add({ text: "first" })
      expect(await ask.big.safe()).toMatchObject({ code: "INTERNAL" })
      expect(await ask.addBig.safe()).toMatchObject({ code: "INTERNAL" })
      await ask.add({ text: "second" })
      expect(await ask.all()).toEqual(["first", "second"])
    })
  })

  describe("awkward texts", () => {
    const AWKWARD = [
      "",
      "'",
      "''",
      '"',
      "`",
      "\\",
      "%",
      "_",
      ";",
      "--",
      "/*",
      "*/",
      "?",
      "$1",
      ":a",
      "@b",
      "'; drop table notes; --",
      "\n\r\t",
      "\u2028",
      "\u00e9",
      "e\u0301",
      "👩‍👩‍👧",
      "\u0001",
      "NULL",
      "0x41",
      "﻿",
    ]

    test("each: read back as it was written, and no other statement ran", async () => {
      const { ask } = await worldOf(notes)
      for (const text of AWKWARD) await ask.plain({ text })
      expect(await ask.all()).toEqual(AWKWARD)
    })

    test("any text: read back as it was written", async () => {
      const { ask } = await worldOf((db) => ({
        echo: op({ effect: "write", input: z.object({ text: z.string() }), output: z.object({ text: z.string() }) }).via(
          db.transaction(async (tx, { text }) => {
            await tx.run(sql`insert into notes (text) values (${text})`)
            const row = await tx.one<{ text: string }>(sql`select text from notes where text = ${text}`)
            await tx.run(sql`delete from notes`)
            return row
          }),
        ),
      }))
      await fc.assert(
        fc.asyncProperty(fc.string({ unit: "binary" }), async (text) => {
          const answer = await ask.echo.safe({ text })
          if (text.includes("\0")) expect(answer).toMatchObject({ code: "INVALID" })
          else expect(answer.value).toEqual({ text })
        }),
      )
    })

    test("half of a character, NUL: INVALID, nothing stored", async () => {
      const { ask } = await worldOf(notes)
      for (const text of ["\ud800", "a\0b"]) expect(await ask.plain.safe({ text })).toMatchObject({ code: "INVALID", outcome: "refused" })
      expect(await ask.all()).toEqual([])
    })
  })
}

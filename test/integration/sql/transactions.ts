// What transactions of every SQL database do, over a real one.
import { setImmediate as nextRound } from "node:timers/promises"
import { describe, expect, test } from "vitest"
import { z } from "zod"
import { nothing, op, type Sql, sql, type Tx } from "../../../src/index.ts"
import type { SqlSubject } from "./kit.ts"

export const insert = (text: string) => sql`insert into notes (text) values (${text})`
export const all = sql`select text from notes order by id`
const Text = z.object({ text: z.string() })

/** `act` runs what the test wants in a transaction; `list` reads beside it, `add` writes beside it. */
export const acting = (work: (tx: Tx, text: string, ctx: any) => Promise<unknown>) => (db: Sql) => ({
  act: op({ effect: "write", input: Text, output: z.unknown(), errors: { FULL: 409, TAKEN: 409 } }).via(
    db.transaction((tx, { text }, ctx) => work(tx as Tx, text, ctx), { errors: { unique: "TAKEN" } }),
  ),
  add: op({ effect: "write", input: Text, output: nothing }).via(db.run(({ text }) => insert(text))),
  list: op({ effect: "read", input: nothing, output: z.array(z.string()) }).via(db.many(() => all, { row: (row) => row.text })),
})

/** One test for each, in a database of its own. */
export function describeTransactions({ worldOf }: SqlSubject): void {
  describe("a transaction", () => {
    test("all statements count", async () => {
      const { ask } = await worldOf(
        acting(async (tx, text) => {
          const { id } = await tx.one<{ id: number }>(sql`insert into notes (text) values (${text}) returning id`)
          expect(await tx.run(sql`insert into marks (note) values (${id})`)).toBe(1)
          return tx.many(sql`select text from notes join marks on note = id`)
        }),
      )
      expect(await ask.act({ text: "a" })).toEqual([{ text: "a" }])
      expect(await ask.list()).toEqual(["a"])
    })

    test.each([
      ["throws an error of its own", () => Promise.reject(new Error("no")), { code: "INTERNAL", outcome: "refused" }],
      [
        "throws at once",
        () => {
          throw new Error("no")
        },
        { code: "INTERNAL", outcome: "refused" },
      ],
      ["fails with a declared code", (_: Tx, __: string, ctx: any) => ctx.fail("FULL"), { code: "FULL", outcome: "answered" }],
      ["finds no row", (tx: Tx) => tx.one(sql`select 1 from notes where id = 99`), { code: "NOT_FOUND", outcome: "answered" }],
      ["finds no row that it names", (tx: Tx) => tx.one(sql`select 1 where 1 = 0`, "FULL"), { code: "FULL", outcome: "answered" }],
      ["finds two rows", (tx: Tx) => tx.one(sql`select 1 union select 2`), { code: "INTERNAL", outcome: "refused" }],
      ["writes twice what is unique", (tx: Tx, text: string) => tx.run(insert(text)), { code: "TAKEN", outcome: "answered" }],
      ["has a statement that is none", (tx: Tx) => tx.run(sql`insert into nowhere values (1)`), { code: "INTERNAL", outcome: "refused" }],
      ["binds undefined", (tx: Tx) => tx.run(insert(undefined as never)), { code: "INTERNAL", outcome: "refused" }],
      ["commits by itself", (tx: Tx) => tx.run(sql`commit`), { code: "INTERNAL", outcome: "refused" }],
    ])("that %s: nothing is kept, and the next one works", async (_what, then, error) => {
      const { ask } = await worldOf(
        acting(async (tx, text, ctx) => {
          await tx.run(insert(text))
          if (text === "bad") await then(tx, text, ctx)
          return null
        }),
      )
      expect(await ask.act.safe({ text: "bad" })).toMatchObject({ ok: false, ...error })
      await ask.act({ text: "good" })
      expect(await ask.list()).toEqual(["good"])
    })

    test("whose answer does not fit the contract: refused, and nothing kept", async () => {
      const { ask } = await worldOf((db) => ({
        ...acting(async () => null)(db),
        odd: op({ effect: "write", input: nothing, output: z.object({ n: z.string() }) }).via(
          db.transaction(async (tx) => ({ n: (await tx.run(insert("x"))) as unknown as string })),
        ),
      }))
      expect(await ask.odd.safe()).toMatchObject({ code: "INTERNAL", outcome: "refused" })
      expect(await ask.list()).toEqual([])
    })

    test("a failed statement ends it, even if its error is caught", async () => {
      const { ask } = await worldOf(
        acting(async (tx, text) => {
          await tx.run(insert(text))
          await tx.run(insert(text)).catch(() => {})
          return null
        }),
      )
      expect(await ask.act.safe({ text: "a" })).toMatchObject({ code: "TAKEN" })
      expect(await ask.list()).toEqual([])
    })

    test("a failed statement ends it, even if nobody awaits it", async () => {
      const { ask } = await worldOf(
        acting(async (tx, text) => {
          await tx.run(insert(text))
          void tx.run(insert(text))
          return null
        }),
      )
      expect(await ask.act.safe({ text: "a" })).toMatchObject({ ok: false, outcome: expect.not.stringContaining("unknown") })
      expect(await ask.list()).toEqual([])
    })

    test("of a read: sees one state, and cannot write", async () => {
      const { ask } = await worldOf((db) => ({
        ...acting(async () => null)(db),
        look: op({ effect: "read", input: nothing, output: z.number() }).via(db.transaction(async (tx) => (await tx.many(all)).length)),
        sly: op({ effect: "read", input: nothing, output: z.number() }).via(db.transaction((tx) => tx.run(insert("x")))),
      }))
      expect(await ask.look()).toBe(0)
      expect(await ask.sly.safe()).toMatchObject({ code: "INTERNAL", outcome: "refused" })
      await ask.add({ text: "a" })
      expect(await ask.look()).toBe(1)
    })
  })

  describe("waiting inside a transaction", () => {
    const waits: [string, () => Promise<unknown>][] = [
      ["a timer", () => new Promise((resolve) => setTimeout(resolve, 1))],
      ["the next round of the event loop", () => nextRound()],
      ["something that never comes", () => new Promise(() => {})],
      ["a file", async () => (await import("node:fs/promises")).readFile(import.meta.filename)],
    ]

    test.each(waits)("for %s: refused, nothing kept, and it says why", async (_what, wait) => {
      const { ask, records } = await worldOf(
        acting(async (tx, text) => {
          await tx.run(insert(text))
          await wait()
          await tx.run(insert("late"))
          return null
        }),
      )
      expect(await ask.act.safe({ text: "a" })).toMatchObject({ code: "INTERNAL", outcome: "refused" })
      expect(records.findLast(({ operation }) => operation === "act")!.error!.note).toContain(
        "waited for something that is none of its statements",
      )
      await nextRound()
      await ask.add({ text: "next" })
      expect(await ask.list()).toEqual(["next"])
    })

    test("for another call that writes to the same database: refused instead of waiting for itself", async () => {
      let beside: Promise<unknown> | undefined
      const world = await worldOf(
        acting(async (tx, text) => {
          await tx.run(insert(text))
          beside = world.ask.add({ text: "beside" })
          await beside
          return null
        }),
      )
      expect(await world.ask.act.safe({ text: "a" })).toMatchObject({ code: "INTERNAL", outcome: "refused" })
      await Promise.all([beside, world.ask.add({ text: "next" })])
      expect((await world.ask.list()).sort()).toEqual(["beside", "next"])
    })

    test("in microtasks: allowed", async () => {
      const { ask } = await worldOf(
        acting(async (tx, text) => {
          for (let i = 0; i < 50; i++) {
            await tx.run(insert(`${text}${i}`))
            await Promise.all([Promise.resolve(), tx.many(all), (async () => {})()])
          }
          return null
        }),
      )
      await ask.act({ text: "a" })
      expect(await ask.list()).toHaveLength(50)
    })
  })

  describe("beside a transaction", () => {
    test("statements of others: do not get into it", async () => {
      const { ask } = await worldOf(
        acting(async (tx, text) => {
          await tx.run(insert(text))
          for (let i = 0; i < 20; i++) await tx.many(all)
          throw new Error("rolls back")
        }),
      )
      const [failed] = await Promise.all([ask.act.safe({ text: "inside" }), ask.add({ text: "beside" }), ask.add({ text: "beside too" })])
      expect(failed).toMatchObject({ ok: false })
      expect((await ask.list()).sort()).toEqual(["beside", "beside too"])
    })

    test("reads of others: see only what was committed", async () => {
      let seen: Promise<string[]> | undefined
      const world = await worldOf(
        acting(async (tx, text) => {
          await tx.run(insert(text))
          seen = world.ask.list()
          await tx.many(all)
          throw new Error("rolls back")
        }),
      )
      await world.ask.act.safe({ text: "inside" })
      expect(await seen).toEqual([])
    })
  })
}

// Work that Trestle keeps, in PostgreSQL: its store, and messages that commit with the write that has caused them.
import { describe, expect, test } from "vitest"
import { z } from "zod"
import { startApp } from "../../../src/assembly/start.ts"
import { systemClock } from "../../../src/base/clock.ts"
import { code, nothing, op, postgres, secret, sql, topic, trestle } from "../../../src/index.ts"
import { testApp } from "../../../src/testing/index.ts"
import { rememberingLog, standInReferences, testEnvironment } from "../../../src/testing/stand-ins.ts"
import { newSchema, server, tell } from "./kit.ts"

const Added = z.object({ id: z.string(), n: z.number().int() })
const added = topic("thing.added", Added, { key: (thing) => thing.id })

function appOf() {
  const db = postgres({
    url: secret("THINGS_DB"),
    outbox: true,
    migrations: [{ name: "0001-things", sql: "create table things (id text not null, n integer not null)" }],
    migrate: "on start",
  })
  const seen: string[] = []
  let breaks = 0
  const add = op({ effect: "write", input: Added, output: Added, errors: { TOO_MANY: 422 } }).via(
    db.transaction(async (tx, thing, { fail }) => {
      await tx.run(sql`insert into things (id, n) values (${thing.id}, ${thing.n})`)
      await tx.emit(added, thing)
      return thing.n > 100 ? fail("TOO_MANY") : thing
    }),
  )
  const insert = op({ effect: "write", input: Added, output: z.object({ n: z.number() }) }).via(
    db.one((i) => sql`insert into things (id, n) values (${i.id}, ${i.n}) returning n`),
  )
  /** Writes, and then breaks: what it has written is there when it is run again. */
  const copy = op({ on: added, effect: "write", input: Added, output: nothing, repeat: "natural" }).via(
    code(async (thing, ctx) => {
      await ctx.run(insert, { id: `copy of ${thing.id}`, n: thing.n })
      if (breaks-- > 0) throw new TypeError("broken")
      seen.push(`${thing.id}${thing.n}`)
    }),
  )
  const app = trestle({ name: "outbox", ops: { add, insert, copy }, store: db })
  const breakNext = (times: number): void => {
    breaks = times
  }
  return { app, seen, add, breakNext }
}

describe.skipIf(server === null)("an outbox in PostgreSQL", () => {
  test("what commits is delivered, in the order of its key, and has its effect once; what is rolled back is not", async () => {
    const { app, seen, breakNext } = appOf()
    const address = await newSchema()
    const running = await startApp(app, {
      environment: testEnvironment,
      references: standInReferences({ THINGS_DB: address }),
      log: rememberingLog([]),
      keptFolder: null,
      clock: systemClock,
    })
    try {
      breakNext(1)
      const ask = running.internal()
      for (let n = 1; n <= 5; n++) await ask.add({ id: "a", n })
      expect(await ask.add.safe({ id: "a", n: 101 })).toMatchObject({ ok: false, code: "TOO_MANY" })
      const end = Date.now() + 20_000
      while (seen.length < 5 && Date.now() < end) await tell(address, "select 1")
      expect(seen).toEqual(["a1", "a2", "a3", "a4", "a5"])
      const copies = await tell(address, "select n from things where id = 'copy of a' order by n")
      expect(copies.map(({ n }) => n)).toEqual([1, 2, 3, 4, 5])
    } finally {
      await running.close()
    }
  })

  test("a test application: Trestle's own tables are in memory, the database itself is to be replaced", async () => {
    const { app, add } = appOf()
    await using t = await testApp(app)
    expect(await t.internal().add.safe({ id: "a", n: 1 })).toMatchObject({ code: "INTERNAL" })
    t.backend(add).replies((thing) => thing)
    expect(await t.internal().add({ id: "a", n: 1 })).toEqual({ id: "a", n: 1 })
  })
})

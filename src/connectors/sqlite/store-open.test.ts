import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, onTestFinished, test } from "vitest"
import { type Clock, systemClock } from "../../base/clock.ts"
import type { Attempt } from "../../contract/service.ts"
import type { SqlRow } from "../../contract/sql-session.ts"
import type { StoreTables } from "../../contract/store.ts"
import { SqliteSession } from "./connection.ts"
import { SqliteDatabase } from "./database.ts"

const TABLES: StoreTables = { version: 1, statements: () => ["create table trestle_things (key text primary key, at integer)"] }
const INSERT = "insert into trestle_things (key, at) values (?, (select trestle_now()))"
const unit = (key: string) => [{ text: INSERT, values: [key] }]

function opened(kind: "in a file" | "in memory", clock: Clock = systemClock) {
  const folder = mkdtempSync(join(tmpdir(), "trestle-store-"))
  const file = kind === "in memory" ? ":memory:" : join(folder, "notes.db")
  const epoch = (): number => clock.epoch()
  const database = new SqliteDatabase({ file, readOnly: false, durability: "normal", epoch })
  database.exec("create table notes (text text)")
  // No time to wait: whoever met the other's lock would be refused.
  const session = new SqliteSession(database, { name: "notes", file, durability: "normal", rowsMax: 1_000, busyTimeoutMs: 0, clock })
  onTestFinished(async () => {
    await session.close()
    rmSync(folder, { recursive: true })
  })
  const attempt = (): Attempt => ({ call: { effect: "write", clock }, isSent: false, stoppable: null }) as unknown as Attempt
  const write = (text: string): unknown =>
    session.write({ text: "insert into notes values (?)", values: [text] }, { take: (rows: readonly SqlRow[]) => rows }, attempt())
  return { session, write, attempt }
}

for (const kind of ["in a file", "in memory"] as const)
  describe(`a store ${kind}, beside the application's own statements`, () => {
    test("both write at once: neither meets the other's lock", async () => {
      const { session, write } = opened(kind)
      const store = await session.openStore([TABLES])
      const all = Array.from({ length: 200 }, async (_, n) => {
        await store.unit(unit(`a${n}`))
        await write(`${n}`)
        await store.unit(unit(`b${n}`))
      })
      await Promise.all(all)
      expect(await store.read({ text: "select count(*) as n from trestle_things", values: [] })).toEqual([{ n: 400 }])
    })

    test("a unit in the middle of a transaction: waits for its end, and a read sees nothing of it", async () => {
      const { session, attempt } = opened(kind)
      const store = await session.openStore([TABLES])
      const order: string[] = []
      let asked: Promise<unknown> | undefined
      await session.transaction(async (statements) => {
        await statements.run({ text: INSERT, values: ["inside"] })
        asked = store.unit(unit("outside")).then(() => order.push("unit"))
        if (kind === "in a file") expect(await store.read({ text: "select key from trestle_things", values: [] })).toEqual([])
        order.push("transaction")
      }, attempt())
      await asked
      expect(order).toEqual(["transaction", "unit"])
      expect(await store.read({ text: "select key from trestle_things", values: [] })).toHaveLength(2)
    })

    test("opened twice: is the same", async () => {
      const { session } = opened(kind)
      expect(await session.openStore([TABLES])).toBe(await session.openStore([TABLES]))
    })

    test("refused once: can be opened again", async () => {
      const { session } = opened(kind)
      const broken: StoreTables = { version: 1, statements: () => ["create table notes (a text)"] }
      await expect(session.openStore([broken])).rejects.toMatchObject({ code: "START_REFUSED" })
      await (await session.openStore([TABLES])).unit(unit("a"))
    })

    test("the application's file is closed: the units under way are kept first", async () => {
      const { session } = opened(kind)
      const store = await session.openStore([TABLES])
      const kept = store.unit(unit("a"))
      await session.close()
      expect(await kept).not.toBeNull()
      await expect(store.unit(unit("b"))).rejects.toMatchObject({ outcome: "refused", note: "notes: is closed" })
    })
  })

test("trestle_now() in memory: is the clock of the application", async () => {
  const { session } = opened("in memory", { ...systemClock, epoch: () => 1_234.4 })
  const store = await session.openStore([TABLES])
  await store.unit(unit("a"))
  expect(await store.read({ text: "select at from trestle_things", values: [] })).toEqual([{ at: 1_234 }])
})

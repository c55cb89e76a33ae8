import { expect } from "vitest"
import type { Store } from "../../src/contract/store.ts"
import { expecting, kept, keysIn, type PlannedStorePromise, put, refusedUnit, statement, THINGS } from "./store-subject.ts"

/** Enough to be kept by one commit, or by several connections at once. */
const MANY = 200
const MILLION = 1_000_000

const promiseOfOne = (promise: string, see: (store: Store) => Promise<void>): PlannedStorePromise => ({
  promise,
  see: async (database) => see(await database.open([THINGS])),
})

/** Each must come back as it went in. */
const VALUES: Readonly<Record<string, string | number | null>> = {
  nothing: null,
  zero: 0,
  "a whole number below zero": -42,
  "the largest whole number": Number.MAX_SAFE_INTEGER,
  "the smallest whole number": Number.MIN_SAFE_INTEGER,
}
const TEXTS: Readonly<Record<string, string>> = {
  "an empty text": "",
  "quotes and question marks": `'"?$1\\`,
  "characters of two, three and four bytes": "ä € 😀",
  "a text that looks like a number": "007",
  "a million characters": "x".repeat(MILLION),
}

const unstorable = { "with a NUL": "a\0b", "with half of a character": "a\ud83d" }

/** What one unit does, and what many do beside each other. */
export const unitPromises: readonly PlannedStorePromise[] = [
  promiseOfOne("a unit → its statements see each other, and a read sees them all", async (store) => {
    const results = await kept(
      store.unit([
        put("a", 1),
        put("b", 2),
        statement("update trestle_things set n = n + ?", 10),
        statement("select n from trestle_things"),
      ]),
    )
    expect(results.map(({ changes }) => changes)).toEqual([1, 1, 2, 2])
    expect(results[3]!.rows.map(({ n }) => n).sort()).toEqual([11, 12])
    expect(await keysIn(store)).toEqual(["a", "b"])
  }),
  promiseOfOne("a unit of nothing → no results", async (store) => {
    expect(await store.unit([])).toEqual([])
  }),
  promiseOfOne("returning → the rows, with their names", async (store) => {
    const insert = statement("insert into trestle_things (key, n) values (?, ?) returning key, n as amount", "a", 7)
    expect(await store.unit([insert])).toEqual([{ rows: [{ key: "a", amount: 7 }], changes: 1 }])
  }),
  promiseOfOne("a statement that changes nothing → no changes, and its unit is kept", async (store) => {
    const results = await kept(store.unit([statement("delete from trestle_things where key = ?", "nobody"), put("a")]))
    expect(results[0]).toEqual({ rows: [], changes: 0 })
    expect(await keysIn(store)).toEqual(["a"])
  }),
  promiseOfOne("on conflict do nothing → no changes for the second", async (store) => {
    const once = statement("insert into trestle_things (key) values (?) on conflict (key) do nothing", "a")
    expect((await kept(store.unit([once])))[0]!.changes).toBe(1)
    expect((await kept(store.unit([once])))[0]!.changes).toBe(0)
  }),
  promiseOfOne("an unmet expectation of changes → null, and nothing of the unit is kept", async (store) => {
    const unmet = expecting(1, "update trestle_things set n = ? where key = ?", 1, "nobody")
    expect(await store.unit([put("a"), unmet, put("b")])).toBeNull()
    expect(await keysIn(store)).toEqual([])
  }),
  promiseOfOne("an unmet expectation of rows → null, and nothing of the unit is kept", async (store) => {
    const unmet = expecting(0, "update trestle_things set n = ? where key = ? returning key", 1, "a")
    expect(await store.unit([put("a"), unmet])).toBeNull()
    expect(await keysIn(store)).toEqual([])
  }),
  promiseOfOne("an expectation that is met → the unit is kept", async (store) => {
    await kept(store.unit([put("a"), expecting(1, "select key from trestle_things where key = ?", "a"), put("b")]))
    expect(await keysIn(store)).toEqual(["a", "b"])
  }),
  promiseOfOne("a statement that fails → refused, and nothing of its unit is kept", async (store) => {
    await kept(store.unit([put("taken")]))
    await refusedUnit(store.unit([put("a"), put("taken"), put("b")]))
    expect(await keysIn(store)).toEqual(["taken"])
  }),
  promiseOfOne("a text that is no statement → refused, with the store's name and what the database says", async (store) => {
    const error = await refusedUnit(store.unit([put("a"), statement("insert into nowhere (key) values (?)", "a")]))
    expect(error.note).toContain(store.name)
    expect(error.note).toContain("nowhere")
    expect(await keysIn(store)).toEqual([])
  }),
  promiseOfOne("many units at once → each has its own results", async (store) => {
    const insert = (n: number) => statement("insert into trestle_things (key, n) values (?, ?) returning n", `k${n}`, n)
    const all = await Promise.all(Array.from({ length: MANY }, (_, n) => kept(store.unit([insert(n)]))))
    expect(all.map(([result]) => result!.rows[0]!.n)).toEqual(Array.from({ length: MANY }, (_, n) => n))
    expect((await keysIn(store)).length).toBe(MANY)
  }),
  promiseOfOne("many units at once, some fail → those only", async (store) => {
    const unmet = expecting(1, "delete from trestle_things where key = ?", "nobody")
    const units = Array.from({ length: MANY }, (_, n) => {
      if (n % 10 === 3) return refusedUnit(store.unit([put(`k${n}`), statement("insert into nowhere (key) values (?)", "a")]))
      if (n % 10 === 7) return store.unit([put(`k${n}`), unmet]).then((results) => expect(results).toBeNull())
      return kept(store.unit([put(`k${n}`)]))
    })
    await Promise.all(units)
    const failed = (n: number): boolean => n % 10 === 3 || n % 10 === 7
    const expected = Array.from({ length: MANY }, (_, n) => n).filter((n) => !failed(n))
    expect((await keysIn(store)).sort()).toEqual(expected.map((n) => `k${n}`).sort())
  }),
  promiseOfOne("many units that change one row → every change counts", async (store) => {
    await kept(store.unit([put("counter", 0)]))
    const add = expecting(1, "update trestle_things set n = n + 1 where key = ?", "counter")
    await Promise.all(Array.from({ length: MANY }, () => kept(store.unit([add]))))
    expect(await store.read(statement("select n from trestle_things where key = ?", "counter"))).toEqual([{ n: MANY }])
  }),
  ...Object.entries(VALUES).map(([what, value]) =>
    promiseOfOne(`${what} → comes back as it was`, async (store) => {
      await kept(store.unit([put("a", value as number | null)]))
      expect(await store.read(statement("select n from trestle_things where key = ?", "a"))).toEqual([{ n: value }])
    }),
  ),
  ...Object.entries(TEXTS).map(([what, text]) =>
    promiseOfOne(`${what} → comes back as it was`, async (store) => {
      // No key: indexes have shorter limits.
      const insert = statement("insert into trestle_things (key, taken_by) values ('a', ?) returning taken_by", text)
      const [returned] = await kept(store.unit([insert]))
      expect(returned!.rows[0]!.taken_by === text, "what returning gave").toBe(true)
      const [row] = await store.read(statement("select taken_by from trestle_things where key = 'a'"))
      expect(row!.taken_by === text, "what a read gave").toBe(true)
    }),
  ),
  ...Object.entries(unstorable).map(([what, text]) =>
    promiseOfOne(`a text ${what} → refused, and not kept as another`, async (store) => {
      await refusedUnit(store.unit([put("a"), put(text)]))
      await kept(store.unit([put("b")]))
      expect(await keysIn(store)).toEqual(["b"])
    }),
  ),
  promiseOfOne("trestle_now() → whole milliseconds since 1970, at least as late in a later unit", async (store) => {
    const insert = (key: string) =>
      statement("insert into trestle_things (key, n) values (?, (select trestle_now()) + ?) returning n", key, 5_000)
    const first = (await kept(store.unit([insert("a")])))[0]!.rows[0]!.n as number
    const second = (await kept(store.unit([insert("b")])))[0]!.rows[0]!.n as number
    expect(Number.isSafeInteger(first)).toBe(true)
    expect(second).toBeGreaterThanOrEqual(first)
    const [row] = await store.read(statement("select trestle_now() as now"))
    expect(Number.isSafeInteger(row!.now)).toBe(true)
    expect(row!.now as number).toBeGreaterThanOrEqual(second - 5_000)
  }),
  promiseOfOne("whole numbers → are divided as whole numbers", async (store) => {
    await kept(store.unit([put("a", 7), statement("update trestle_things set n = n / ?", 2)]))
    expect(await store.read(statement("select n from trestle_things"))).toEqual([{ n: 3 }])
  }),
  promiseOfOne("a read that would write → refused", async (store) => {
    await refusedUnit(store.read(put("a")))
    await refusedUnit(store.read(statement("insert into trestle_things (key) values (?) returning key", "a")))
    expect(await keysIn(store)).toEqual([])
  }),
  promiseOfOne("a read that is no statement → refused", async (store) => {
    await refusedUnit(store.read(statement("select * from nowhere limit ?", 1)))
  }),
]

import { expect } from "vitest"
import type { Store, StoreTables } from "../../src/contract/store.ts"
import { TrestleError } from "../../src/errors/trestle-error.ts"
import { kept, keysIn, type PlannedStorePromise, put, refusedUnit, statement, THINGS } from "./store-subject.ts"

const MARKS: StoreTables = {
  version: 2,
  statements: () => ["alter table trestle_things add column mark text", "create table trestle_marks (a text)"],
}
const BROKEN: StoreTables = {
  version: 2,
  statements: () => ["create table trestle_marks (a text)", "create table trestle_things (b text)"],
}

async function startRefused(opening: Promise<Store>): Promise<TrestleError> {
  const error: unknown = await opening.then(
    () => expect.fail("opened"),
    (thrown: unknown) => thrown,
  )
  expect(TrestleError.is(error), `a TrestleError, and not ${error}`).toBe(true)
  expect((error as TrestleError).code).toBe("START_REFUSED")
  return error as TrestleError
}

/** Takes free rows for one taker, as relays do. */
const take = (store: Store, taker: string): Promise<unknown[]> =>
  kept(
    store.unit([
      statement(
        `update trestle_things set taken_by = ? where key in
          (select key from trestle_things where taken_by is null order by number limit ?${store.dialect.skipLocked}) returning key`,
        taker,
        7,
      ),
    ]),
  ).then(([result]) => result!.rows.map(({ key }) => key))

/** Trestle's tables, several nodes on them, and the end. */
export const tablePromises: readonly PlannedStorePromise[] = [
  {
    promise: "its tables → are made once, and kept with their rows",
    isShared: true,
    see: async ({ open }) => {
      const first = await open([THINGS])
      await kept(first.unit([put("a")]))
      await first.close()
      expect(await keysIn(await open([THINGS]))).toEqual(["a"])
    },
  },
  {
    promise: "several nodes that open at once → the tables are made once",
    isShared: true,
    see: async ({ open }) => {
      const stores = await Promise.all(Array.from({ length: 4 }, () => open([THINGS, MARKS])))
      await Promise.all(stores.map((store, n) => kept(store.unit([put(`k${n}`)]))))
      expect((await keysIn(stores[0]!)).sort()).toEqual(["k0", "k1", "k2", "k3"])
    },
  },
  {
    promise: "a second version of the tables → is applied to what the first has left",
    isShared: true,
    see: async ({ open }) => {
      const first = await open([THINGS])
      await kept(first.unit([put("a")]))
      await first.close()
      const second = await open([THINGS, MARKS])
      expect(await second.read(statement("select key, mark from trestle_things"))).toEqual([{ key: "a", mark: null }])
    },
  },
  {
    promise: "tables of a newer version → the start is refused, and says what to do",
    isShared: true,
    see: async ({ open }) => {
      const newer = await open([THINGS, MARKS])
      await kept(newer.unit([put("a")]))
      const error = await startRefused(open([THINGS]))
      expect(error.findings).toEqual([expect.objectContaining({ code: "TRS1045", fix: expect.stringMatching(/./) })])
      expect(await keysIn(newer)).toEqual(["a"])
    },
  },
  {
    promise: "a version that cannot be applied → the start is refused, and nothing of that version is kept",
    isShared: true,
    see: async ({ open }) => {
      await startRefused(open([THINGS, BROKEN]))
      const store = await open([THINGS, MARKS])
      expect(await store.read(statement("select a from trestle_marks"))).toEqual([])
    },
  },
  {
    promise: "a number that the database gives out → rises with every row",
    see: async ({ open }) => {
      const store = await open([THINGS])
      await kept(store.unit([put("a"), put("b")]))
      await kept(store.unit([statement("delete from trestle_things where key = ?", "b")]))
      await kept(store.unit([put("c")]))
      const rows = await store.read(statement("select key, number from trestle_things order by key"))
      expect(rows.map(({ key }) => key)).toEqual(["a", "c"])
      // One that was given out is not given out again.
      expect((rows[1]!.number as number) - (rows[0]!.number as number)).toBeGreaterThanOrEqual(2)
    },
  },
  {
    promise: "two nodes that take rows at once → each row is taken once",
    isShared: true,
    see: async ({ open }) => {
      const stores = [await open([THINGS]), await open([THINGS])]
      const keys = Array.from({ length: 100 }, (_, n) => `k${n}`)
      await Promise.all(keys.map((key) => kept(stores[0]!.unit([put(key)]))))
      const takings = Array.from({ length: 40 }, (_, n) => take(stores[n % 2]!, `taker ${n}`))
      const taken = (await Promise.all(takings)).flat()
      expect(taken.sort()).toEqual([...keys].sort())
    },
  },
  {
    promise: "two nodes that change one row at once → every change counts",
    isShared: true,
    see: async ({ open }) => {
      const stores = [await open([THINGS]), await open([THINGS])]
      await kept(stores[0]!.unit([put("counter", 0)]))
      const add = statement("update trestle_things set n = n + 1 where key = ?", "counter")
      await Promise.all(Array.from({ length: 100 }, (_, n) => kept(stores[n % 2]!.unit([add]))))
      expect(await stores[1]!.read(statement("select n from trestle_things"))).toEqual([{ n: 100 }])
    },
  },
  {
    promise: "what one node has kept → the other reads",
    isShared: true,
    see: async ({ open }) => {
      const [one, other] = [await open([THINGS]), await open([THINGS])]
      await kept(one.unit([put("a")]))
      expect(await keysIn(other)).toEqual(["a"])
    },
  },
  {
    promise: "woken by another node → a listener hears of it, until it listens no more",
    isShared: true,
    see: async ({ open }) => {
      const [one, other] = [await open([THINGS]), await open([THINGS])]
      let stopped = 0
      one.watch(() => stopped++)()
      const heard = new Promise<void>((resolve) => one.watch(resolve))
      other.wake()
      await heard
      expect(stopped).toBe(0)
    },
  },
  {
    promise: "closed with units under way → they are finished first",
    see: async ({ open }) => {
      const store = await open([THINGS])
      const units = Array.from({ length: 50 }, (_, n) => kept(store.unit([put(`k${n}`)])))
      await store.close()
      expect(await Promise.all(units)).toHaveLength(50)
    },
  },
  {
    promise: "closed → units and reads are refused, and closing it again does nothing",
    see: async ({ open }) => {
      const store = await open([THINGS])
      await Promise.all([store.close(), store.close()])
      await store.close()
      await refusedUnit(store.unit([put("a")]))
      await refusedUnit(store.read(statement("select key from trestle_things")))
      store.wake()
    },
  },
]

import { expect } from "vitest"
import type { Store, StoreResult, StoreStatement, StoreTables, StoreValue } from "../../src/contract/store.ts"
import { kept, type PlannedStorePromise, refusedUnit, statement } from "./store-subject.ts"

const MANY = 200
/** More than a store may send as one. */
const LONG = 300_000

export const ROWS: StoreTables = {
  version: 1,
  statements: ({ serial }) => [`create table trestle_rows (number ${serial}, id text not null unique, n bigint not null, mark text)`],
}

const INSERT = "insert into trestle_rows (id, n, mark) values (?, ?, ?) on conflict (id) do nothing"
const RETURNING = "insert into trestle_rows (id, n, mark) values (?, (select trestle_now()) * 0 + ?, ?) returning mark, n as amount"
const ADD = "update trestle_rows set n = n + ? where id = ?"
const REMOVE = "delete from trestle_rows where id = ? and n = ? and mark is null"

const ofRow = (rowId: string, text: string, ...values: StoreValue[]): StoreStatement => ({ text, values, rowId })
export const insert = (id: string, n: number | null, mark: string | null = null) => ofRow(id, INSERT, id, n, mark)
export const remove = (id: string, n: number) => ofRow(id, REMOVE, id, n)
const add = (id: string, n: number) => ofRow(id, ADD, n, id)

const changesOf = (results: readonly StoreResult[]): number[] => results.map(({ changes }) => changes)
/** Units that are asked for in one turn, of one statement each. */
const each = async (store: Store, statements: readonly StoreStatement[]): Promise<StoreResult[]> =>
  Promise.all(statements.map(async (one) => (await kept(store.unit([one])))[0]!))

async function idsIn(store: Store): Promise<unknown[]> {
  const rows = await store.read(statement("select id from trestle_rows order by number limit ?", 10_000))
  return rows.map(({ id }) => id)
}

const amountsIn = async (store: Store): Promise<unknown[]> =>
  (await store.read(statement("select n from trestle_rows order by id limit ?", 10_000))).map(({ n }) => n)

const promiseOfRows = (promise: string, see: (store: Store) => Promise<void>): PlannedStorePromise => ({
  promise,
  see: async (database) => see(await database.open([ROWS])),
})

const TEXTS = ["", "NULL", `{"a": [1, "b\\n"]}`, "{}", "a,b", 'quo"te', "back\\slash\\", "line\nbreak\ttab", " ", "ä € 😀", "$1 ?"]

/** Statements about one row each, which a store may run as one. */
export const rowPromises: readonly PlannedStorePromise[] = [
  promiseOfRows("many put rows of their own at once → all are kept, in the order in which they were asked for", async (store) => {
    const ids = Array.from({ length: MANY }, (_, n) => `r${n}`)
    const results = await each(
      store,
      ids.map((id, n) => insert(id, n)),
    )
    expect(results).toEqual(ids.map(() => ({ rows: [], changes: 1 })))
    expect(await idsIn(store)).toEqual(ids)
  }),
  promiseOfRows("several put the same row at once → the first of them, and each hears whether it was", async (store) => {
    const results = await each(store, [insert("a", 1), insert("b", 2), insert("a", 3), insert("c", 4), insert("b", 5)])
    expect(changesOf(results)).toEqual([1, 1, 0, 1, 0])
    expect(await amountsIn(store)).toEqual([1, 2, 4])
  }),
  promiseOfRows("one row changed several times in one unit → every change counts", async (store) => {
    await kept(store.unit([insert("a", 0), insert("b", 0)]))
    expect(changesOf(await kept(store.unit([add("a", 1), add("b", 10), add("a", 2), add("a", 4)])))).toEqual([1, 1, 1, 1])
    expect(await amountsIn(store)).toEqual([7, 10])
  }),
  promiseOfRows("some of the rows are not there, or not as they must be → those hear that nothing was changed", async (store) => {
    await kept(store.unit([insert("a", 1), insert("b", 2), insert("c", 3)]))
    expect(changesOf(await each(store, [add("a", 1), add("nobody", 1), add("c", 1)]))).toEqual([1, 0, 1])
    expect(changesOf(await each(store, [remove("a", 2), remove("b", 99), remove("c", 4), remove("nobody", 0)]))).toEqual([1, 0, 1, 0])
    expect(await idsIn(store)).toEqual(["b"])
  }),
  promiseOfRows("returning → each its own row, with the names that were asked for", async (store) => {
    const results = await each(
      store,
      ["a", "b", "c"].map((id, n) => ofRow(id, RETURNING, id, n, `mark of ${id}`)),
    )
    expect(results).toEqual(["a", "b", "c"].map((id, n) => ({ rows: [{ mark: `mark of ${id}`, amount: n }], changes: 1 })))
  }),
  promiseOfRows("texts and nothing in one column → come back as they were", async (store) => {
    const marks = [...TEXTS, null, null, ...TEXTS]
    await each(
      store,
      marks.map((mark, n) => insert(`r${n}`, n, mark)),
    )
    const rows = await store.read(statement("select mark from trestle_rows order by n limit ?", 100))
    expect(rows.map(({ mark }) => mark)).toEqual(marks)
  }),
  promiseOfRows("longer texts than go together → all are kept", async (store) => {
    const results = await each(
      store,
      Array.from({ length: 8 }, (_, n) => insert(`r${n}`, n, "x".repeat(LONG))),
    )
    expect(changesOf(results)).toEqual(Array(8).fill(1))
    expect(await idsIn(store)).toHaveLength(8)
  }),
  promiseOfRows("one of many breaks a rule → is refused alone, and the others are kept", async (store) => {
    const others = Array.from({ length: 20 }, (_, n) => `r${n}`)
    const [refused] = await Promise.all([
      refusedUnit(
        store.unit([
          insert("bad", 1),
          add("bad", Number.MAX_SAFE_INTEGER),
          ofRow("bad", "update trestle_rows set n = null where id = ?", "bad"),
        ]),
      ),
      ...others.map((id, n) => kept(store.unit([insert(id, n)]))),
      refusedUnit(store.unit([insert("worse", null)])),
    ])
    expect(refused.note).toContain("trestle_rows")
    expect((await idsIn(store)).sort()).toEqual(others.sort())
  }),
]

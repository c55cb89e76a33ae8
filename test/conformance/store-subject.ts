import { expect } from "vitest"
import type { Store, StoreResult, StoreStatement, StoreTables, StoreValue } from "../../src/contract/store.ts"
import { TrestleError } from "../../src/errors/trestle-error.ts"

/** The store that is looked at. */
export interface StoreSubject {
  /** Begins the name of every promise. */
  readonly name: string
  /** Whether several nodes can have one database open at once; not so where it is in memory. */
  readonly isShared: boolean
  /** An empty database, for one promise. */
  database(): Promise<StoreDatabase>
}

export interface StoreDatabase {
  /** Opens it as one more node would: with connections of its own. */
  open(tables: readonly StoreTables[]): Promise<Store>
  /** Closes every store that was opened, and removes the database. */
  remove(): Promise<void>
}

/** A promise as the groups write it. */
export interface PlannedStorePromise {
  readonly promise: string
  /** It opens the database twice. */
  readonly isShared?: true
  see(database: StoreDatabase): Promise<void>
}

/** The tables that the promises use. */
export const THINGS: StoreTables = {
  version: 1,
  statements: ({ serial }) => [
    `create table trestle_things (number ${serial}, key text not null unique, n bigint, taken_by text)`,
    "create index trestle_things_by_n on trestle_things (n)",
  ],
}

export const statement = (text: string, ...values: StoreValue[]): StoreStatement => ({ text, values })
export const expecting = (expects: number, text: string, ...values: StoreValue[]): StoreStatement => ({ text, values, expects })
export const put = (key: string, n: number | null = null): StoreStatement =>
  statement("insert into trestle_things (key, n) values (?, ?)", key, n)

export async function keysIn(store: Store): Promise<unknown[]> {
  const rows = await store.read(statement("select key from trestle_things order by number limit ?", 10_000))
  return rows.map(({ key }) => key)
}

/** What a unit gave, where it must have been kept. */
export async function kept(unit: Promise<readonly StoreResult[] | null>): Promise<readonly StoreResult[]> {
  const results = await unit
  expect(results, "the results of a unit that is kept").not.toBeNull()
  return results!
}

export async function refusedUnit(unit: Promise<unknown>): Promise<TrestleError> {
  const error = await unit.then(
    (answer) => expect.fail(`answered ${JSON.stringify(answer)} instead of being refused`),
    (thrown: unknown) => thrown,
  )
  expect(TrestleError.is(error), `a TrestleError, and not ${error}`).toBe(true)
  expect((error as TrestleError).outcome).toBe("refused")
  return error as TrestleError
}

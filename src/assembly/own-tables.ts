import type { SourcePlace } from "../base/source-place.ts"
import type { HasStore, Store } from "../contract/store.ts"
import { ownerOf } from "../durable/owner.ts"
import { TABLES } from "../durable/tables.ts"
import { TrestleError } from "../errors/trestle-error.ts"
import { finding } from "../runtime/findings.ts"

/** Whose tables are opened, and where. */
export interface TablesOf {
  /** Name of the application. */
  readonly app: string
  /** Of the database, for people. */
  readonly place: string
  readonly at: SourcePlace | null
}

/**
 * Opens Trestle's own tables in a database, which are this application's and no other's.
 *
 * @throws {TrestleError} `START_REFUSED`: another application has them (TRS1068); as `openStore` does.
 */
export async function openTables(connection: HasStore, { app, place, at }: TablesOf): Promise<Store> {
  const store = await connection.openStore(TABLES)
  const owner = await ownerOf(store, app)
  if (owner === app) return store
  const message = `Trestle's own tables in ${place} are of the application "${owner}", and this one is "${app}"`
  const renamed = `update trestle_owner set name = '${app.replaceAll("'", "''")}'`
  const fix = `Give it a database or a data folder of its own. Where it is the same application, and has got a new name: ${renamed}`
  throw new TrestleError("START_REFUSED", message, { findings: [finding("TRS1068", at, message, fix)] })
}

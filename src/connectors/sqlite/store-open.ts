import type { Clock } from "../../base/clock.ts"
import type { SqlRow } from "../../contract/sql-session.ts"
import type { Store, StoreStatement, StoreTables } from "../../contract/store.ts"
import type { SqliteDatabase } from "./database.ts"
import { breaksConnection, statementFailure } from "./failure.ts"
import { patiently } from "./migrator.ts"
import { SqliteStore } from "./store.ts"
import { StoreHere } from "./store-here.ts"
import { applyTables } from "./store-tables.ts"
import { StoreThread } from "./store-thread.ts"
import type { Turns } from "./turns.ts"

/** What of an opened file its store uses. */
export interface StoreGround {
  readonly name: string
  readonly file: string
  readonly isInMemory: boolean
  readonly busyTimeoutMs: number
  readonly clock: Clock
  readonly rowsMax: number
  readonly turns: Turns
  /** The connections, opened where they are not. */
  writing(): SqliteDatabase
  reading(): SqliteDatabase
  drop(): void
}

/** @throws {TrestleError} `START_REFUSED` */
export async function openStore(tables: readonly StoreTables[], ground: StoreGround): Promise<Store> {
  const { name, file, turns, busyTimeoutMs, isInMemory } = ground
  await inTurn(turns, () => applyTables(ground.writing(), tables, ground))
  return new SqliteStore({
    name,
    file,
    turns,
    writer: isInMemory ? new StoreHere(() => ground.writing()) : new StoreThread({ file, waitMs: busyTimeoutMs }),
    read: isInMemory ? (statement) => inTurn(turns, () => readInMemory(statement, ground)) : (statement) => readBeside(statement, ground),
  })
}

/** On the connection that reads, beside whoever writes; it waits only while somebody puts the file's log in order. */
async function readBeside({ text, values }: StoreStatement, ground: StoreGround): Promise<readonly SqlRow[]> {
  const { clock, busyTimeoutMs, rowsMax, name } = ground
  try {
    return await patiently(() => ground.reading().rows({ text, values }, rowsMax), clock, busyTimeoutMs)
  } catch (thrown) {
    if (breaksConnection(thrown)) ground.drop()
    throw statementFailure(thrown, "read", name)
  }
}

async function readInMemory({ text, values }: StoreStatement, { writing, rowsMax, name }: StoreGround): Promise<readonly SqlRow[]> {
  const database = writing()
  database.refuseWrites(true)
  try {
    return database.rows({ text, values }, rowsMax)
  } catch (thrown) {
    throw statementFailure(thrown, "read", name)
  } finally {
    database.refuseWrites(false)
  }
}

async function inTurn<T>(turns: Turns, job: () => Promise<T>): Promise<T> {
  await new Promise<void>((begin) => turns.join({ begin }))
  try {
    return await job()
  } finally {
    turns.leave()
  }
}

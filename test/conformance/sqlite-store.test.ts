import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, test } from "vitest"
import { systemClock } from "../../src/base/clock.ts"
import type { SqliteSession } from "../../src/connectors/sqlite/connection.ts"
import { openSqlite } from "../../src/connectors/sqlite/open.ts"
import type { ServiceHost } from "../../src/contract/service.ts"
import { standInReferences } from "../../src/testing/stand-ins.ts"
import { storePromises } from "./store-promises.ts"
import type { StoreDatabase } from "./store-subject.ts"

const host: ServiceHost = {
  references: standInReferences(),
  clock: systemClock,
  concurrency: 1,
  openTransport: null,
  isEphemeral: false,
}

async function database(file: string): Promise<StoreDatabase> {
  const sessions: SqliteSession[] = []
  return {
    async open(tables) {
      const session = await openSqlite(
        { name: "notes", file, durability: "full", busyTimeout: "20s", rowsMax: 10_000, migrations: undefined, migratesOnStart: false },
        host,
      )
      sessions.push(session)
      return session.openStore(tables)
    },
    async remove() {
      for (const session of sessions) await session.close()
    },
  }
}

async function databaseInFile(): Promise<StoreDatabase> {
  const folder = mkdtempSync(join(tmpdir(), "trestle-store-"))
  const opened = await database(join(folder, "notes.db"))
  return {
    open: opened.open,
    async remove() {
      await opened.remove()
      rmSync(folder, { recursive: true })
    },
  }
}

describe("a store in a SQLite file", () => {
  for (const { name, run } of storePromises({ name: "sqlite", isShared: true, database: databaseInFile })) test(name, run)
})

describe("a store in memory", () => {
  const inMemory = { name: "sqlite in memory", isShared: false, database: () => database(":memory:") }
  for (const { name, run } of storePromises(inMemory)) test(name, run)
})

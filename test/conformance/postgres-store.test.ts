import { describe, test } from "vitest"
import { systemClock } from "../../src/base/clock.ts"
import type { PostgresSession } from "../../src/connectors/postgres/connection.ts"
import { openPostgres } from "../../src/connectors/postgres/open.ts"
import { secret } from "../../src/index.ts"
import { standInReferences } from "../../src/testing/stand-ins.ts"
import { findPostgres, newDatabase } from "../servers/postgres.ts"
import { storePromises } from "./store-promises.ts"
import type { StoreDatabase } from "./store-subject.ts"

const server = await findPostgres()

async function database(): Promise<StoreDatabase> {
  const { url, drop } = await newDatabase(server!)
  const references = standInReferences({ NOTES_URL: url })
  const settings = {
    name: "notes",
    at: null,
    url: secret("NOTES_URL"),
    pool: 4,
    rowsMax: 10_000,
    migrations: undefined,
    migratesOnStart: false,
  }
  const sessions: PostgresSession[] = []
  return {
    async open(tables) {
      const host = { references, clock: systemClock, concurrency: 4, openTransport: null, isEphemeral: false }
      const session = (await openPostgres(settings, host)) as PostgresSession
      sessions.push(session)
      return session.openStore(tables)
    },
    async remove() {
      for (const session of sessions) await session.close()
      await drop()
    },
  }
}

describe.skipIf(server === null)("a store in a PostgreSQL database", () => {
  for (const { name, run } of storePromises({ name: "postgres", isShared: true, database })) test(name, run)
})

// Jobs on a real store, and nothing of the rooms above them.
import { type Clock, systemClock } from "../../src/base/clock.ts"
import { seededRandom } from "../../src/base/random.ts"
import type { Environment } from "../../src/config/environment.ts"
import type { PostgresSession } from "../../src/connectors/postgres/connection.ts"
import { openPostgres } from "../../src/connectors/postgres/open.ts"
import { openSqlite } from "../../src/connectors/sqlite/open.ts"
import type { NewJob } from "../../src/contract/job.ts"
import type { EventLog } from "../../src/contract/ports.ts"
import type { ServiceHost } from "../../src/contract/service.ts"
import type { Store } from "../../src/contract/store.ts"
import type { HeldJob } from "../../src/durable/job-record.ts"
import { TABLES } from "../../src/durable/tables.ts"
import { secret } from "../../src/index.ts"
import { FakeClock } from "../../src/testing/fake-clock.ts"
import { standInReferences, testEnvironment } from "../../src/testing/stand-ins.ts"
import { newDatabase } from "../servers/postgres.ts"

export interface OpenedStore {
  readonly store: Store
  close(): Promise<void>
}

/** In memory, on a clock of its own. */
export function memoryStore(clock: Clock = new FakeClock()): Promise<OpenedStore> {
  return sqliteStore(":memory:", { clock, isEphemeral: true })
}

/** In a file, as an application has it. */
export function fileStore(file: string): Promise<OpenedStore> {
  return sqliteStore(file, { clock: systemClock, isEphemeral: false })
}

async function sqliteStore(file: string, how: Pick<ServiceHost, "clock" | "isEphemeral">): Promise<OpenedStore> {
  const settings = { name: "store", file, durability: "full", busyTimeout: "5s", rowsMax: 10_000 } as const
  const host = { references: standInReferences(), concurrency: 1, openTransport: null, ...how }
  const session = await openSqlite({ ...settings, migrations: undefined, migratesOnStart: false }, host)
  return { store: await session.openStore(TABLES), close: () => session.close() }
}

/** A database of its own on that server; two sessions on it, as two nodes have them. */
export async function postgresStores(server: string): Promise<OpenedStore & { readonly other: Store }> {
  const { url, drop } = await newDatabase(server)
  const open = async (): Promise<PostgresSession> => {
    const settings = {
      name: "store",
      at: null,
      url: secret("STORE_URL"),
      pool: 4,
      rowsMax: 10_000,
      migrations: undefined,
      migratesOnStart: false,
    }
    const host = {
      references: standInReferences({ STORE_URL: url }),
      clock: new FakeClock(),
      concurrency: 4,
      openTransport: null,
      isEphemeral: false,
    }
    return (await openPostgres(settings, host)) as PostgresSession
  }
  const sessions = [await open(), await open()]
  const [store, other] = await Promise.all(sessions.map((session) => session.openStore(TABLES)))
  const close = async (): Promise<void> => {
    for (const session of sessions) await session.close()
    await drop()
  }
  return { store: store!, other: other!, close }
}

export function newJob(id: string, more: Partial<NewJob> = {}): NewJob {
  return {
    id,
    kind: "message",
    operation: "scores.add",
    input: { points: 1 },
    orderKey: null,
    blocks: false,
    principal: null,
    isOwnAuthority: true,
    trace: "0123456789abcdef0123456789abcdef",
    idempotencyKey: id,
    contractHash: "hash",
    ...more,
  }
}

export const idsOf = (jobs: readonly Pick<HeldJob, "id">[]): string[] => jobs.map(({ id }) => id)

export const HOUR_MS = 3_600_000
export const random = seededRandom(1)

/** Remembers what it was told. */
export function remembering(): EventLog & { readonly told: string[] } {
  const told: string[] = []
  const tell = (message: string): void => void told.push(message)
  return { told, info: tell, warn: tell, error: tell }
}

/** Of a process whose data folder is that one. */
export function environmentIn(folder: string): Environment {
  const data = { value: folder, source: "this test", shadows: [] }
  return { ...testEnvironment, get: (name) => (name === "TRESTLE_DATA" ? data : undefined) }
}

import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import type { Clock } from "../base/clock.ts"
import { sqlite } from "../connectors/sqlite/index.ts"
import type { Connection, HasService, Service } from "../contract/service.ts"
import { hasStore, type Store } from "../contract/store.ts"
import { TrestleError } from "../errors/trestle-error.ts"
import { finding } from "../runtime/findings.ts"
import { openTables } from "./own-tables.ts"

/** `trestle({ store })`, opened. */
export interface GivenStore {
  readonly service: Service
  readonly connection: Connection
}

export interface OpenedStore {
  readonly store: Store
  close(): Promise<void>
}

export interface OwnStore {
  readonly folder: string
  readonly clock: Clock
  readonly isEphemeral: boolean
}

/** Where the store of an application is: on the given service, else in a file of Trestle's own. */
export async function openStore(app: string, given: GivenStore | null, own: OwnStore): Promise<OpenedStore> {
  const connection = given ? given.connection : await openOwn(own)
  if (hasStore(connection)) {
    try {
      const place = given ? given.service.name : fileOf(own)
      const store = await openTables(connection, { app, place, at: given ? given.service.at : null })
      // What is given is closed with the application's other services.
      return { store, close: () => (given ? store : connection).close() }
    } catch (error) {
      if (!given) await connection.close()
      throw error
    }
  }
  const { name, kind, at } = given!.service
  const fix =
    "trestle({ store: db })   with a database of sqlite() or postgres(), or without `store`: then it is a file in the data folder."
  throw new TrestleError("START_REFUSED", `${name} cannot hold Trestle's own tables`, {
    findings: [finding("TRS1049", at, `store: ${name} (${kind}) cannot hold Trestle's own tables`, fix)],
  })
}

function refuseFolder(folder: string, cause: NodeJS.ErrnoException): never {
  const message = `the data folder ${folder} cannot be made (${cause.code}), and Trestle's own tables are kept there`
  const fix = "Name a folder that this process may write to: TRESTLE_DATA"
  throw new TrestleError("START_REFUSED", message, { cause, findings: [finding("TRS1014", null, message, fix)] })
}

export function fileOf({ folder }: Pick<OwnStore, "folder">): string {
  return join(folder, "store.db")
}

/** Trestle's own file. */
export async function openOwn({ folder, clock, isEphemeral }: OwnStore): Promise<Connection> {
  const file = fileOf({ folder })
  if (!isEphemeral)
    await mkdir(folder, { recursive: true, mode: 0o700 }).catch((cause: NodeJS.ErrnoException) => refuseFolder(folder, cause))
  const { "~service": service } = sqlite({ file, name: "store" }) as HasService
  const references = { read: (reference: unknown) => String(reference) }
  return service.open({ references, clock, concurrency: 1, openTransport: null, isEphemeral })
}

/** The database of a service, as far as Trestle's own tables are concerned. */
export interface Outbox {
  readonly service: Service
  readonly store: Store
}

/** Opens the outbox of every service of that application that keeps one. */
export function openOutboxes(
  app: string,
  services: readonly Service[],
  connectionOf: (service: Service) => Connection,
): Promise<readonly Outbox[]> {
  const keeping = services.filter(({ outbox }) => outbox === true)
  return Promise.all(
    keeping.map(async (service) => {
      const connection = connectionOf(service)
      if (!hasStore(connection)) throw new TypeError(`${service.kind} says that it keeps an outbox, and has no tables for it`)
      return { service, store: await openTables(connection, { app, place: service.name, at: service.at }) }
    }),
  )
}

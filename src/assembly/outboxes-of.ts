import type { Environment } from "../config/environment.ts"
import { hasStore, type Store } from "../contract/store.ts"
import { servicesOf } from "../runtime/within.ts"
import { checkApplication } from "./check.ts"
import { type App, definitionOf } from "./definition.ts"
import { openTables } from "./own-tables.ts"
import { openedOf } from "./store-of.ts"

/** The outbox in the database of one service. */
export interface OutboxOf {
  readonly service: string
  readonly store: Store
  close(): Promise<void>
}

/** Names of the services of an application that keep an outbox. */
export function outboxNames(app: App<unknown>): readonly string[] {
  return withOutbox(app).map(({ name }) => name)
}

/**
 * Opens the outbox of a service of an application that is declared, not started. `null`: its tables have not been made yet.
 *
 * @throws {TrestleError} `START_REFUSED` with findings: a reference that is not set, a database that cannot be opened.
 */
export async function openOutboxOf(app: App<unknown>, name: string, environment: Environment): Promise<OutboxOf | null> {
  const service = withOutbox(app).find((one) => one.name === name)!
  const connection = await openedOf(service, environment)
  try {
    if (!hasStore(connection) || (await connection.storeVersion()) === 0) {
      await connection.close()
      return null
    }
    const store = await openTables(connection, { app: definitionOf(app).name, place: name, at: service.at })
    return { service: name, store, close: () => connection.close() }
  } catch (error) {
    await connection.close()
    throw error
  }
}

function withOutbox(app: App<unknown>): ReturnType<typeof servicesOf> {
  return servicesOf(checkApplication(definitionOf(app)).operations).filter(({ outbox }) => outbox === true)
}

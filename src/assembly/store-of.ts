import { existsSync } from "node:fs"
import { systemClock } from "../base/clock.ts"
import { Redactor } from "../base/redact.ts"
import type { Environment } from "../config/environment.ts"
import { needsOf, resolveReferences } from "../config/references.ts"
import type { Finding } from "../contract/finding.ts"
import type { Operation } from "../contract/operation.ts"
import type { Connection, Service } from "../contract/service.ts"
import { hasStore } from "../contract/store.ts"
import { TABLES } from "../durable/tables.ts"
import { TrestleError } from "../errors/trestle-error.ts"
import { checkApplication } from "./check.ts"
import { dataFolder } from "./data-folder.ts"
import { type App, definitionOf } from "./definition.ts"
import { needsStore } from "./needs-store.ts"
import { fileOf, type OpenedStore, type OwnStore, openOwn, openStore } from "./open-store.ts"

/** The store of an application that is declared, not started: for whoever looks at what is kept, beside a process that runs or not. */
export interface StoreOf extends OpenedStore {
  /** Where it is, for people. */
  readonly place: string
  /** Of the application. */
  readonly operations: readonly Operation[]
}

/** How it stands with Trestle's own tables. */
export interface StoreState {
  readonly place: string
  /** Of the tables that are there; 0: none. */
  readonly version: number
  /** That this Trestle wants. */
  readonly wanted: number
}

/**
 * Opens the store of an application, and no other service of it. `null`: nothing of the application is kept, or there is no store yet; that
 * is made with `isMade`.
 *
 * @throws {TrestleError} `START_REFUSED` with findings: a reference that is not set, a database that cannot be opened.
 */
export async function openStoreOf(app: App<unknown>, environment: Environment, isMade = false): Promise<StoreOf | null> {
  const place = placeOf(app, environment)
  if (place === null || !(isMade || place.isThere)) return null
  const connection = place.service ? await openedOf(place.service, environment) : null
  const given = place.service && connection ? { service: place.service, connection } : null
  try {
    const store = await openStore(definitionOf(app).name, given, place.own)
    const close = async (): Promise<void> => {
      await store.close()
      await connection?.close()
    }
    return { store: store.store, place: place.name, operations: place.operations, close }
  } catch (error) {
    await connection?.close()
    throw error
  }
}

/** Looks at the store without changing it. `null`: nothing of the application is kept. */
export async function stateOfStore(app: App<unknown>, environment: Environment): Promise<StoreState | null> {
  const place = placeOf(app, environment)
  if (place === null) return null
  const wanted = TABLES.at(-1)!.version
  if (!place.isThere) return { place: place.name, version: 0, wanted }
  const connection = place.service ? await openedOf(place.service, environment) : await openOwn(place.own)
  try {
    return { place: place.name, version: hasStore(connection) ? await connection.storeVersion() : 0, wanted }
  } finally {
    await connection.close()
  }
}

interface Place {
  readonly name: string
  readonly service: Service | undefined
  readonly own: OwnStore
  /** Whether it can be looked at without being made. */
  readonly isThere: boolean
  readonly operations: readonly Operation[]
}

function placeOf(app: App<unknown>, environment: Environment): Place | null {
  const options = definitionOf(app)
  const { operations } = checkApplication(options)
  const service = options.store?.["~service"]
  if (!service && !needsStore(operations)) return null
  const own = { folder: dataFolder(environment), clock: systemClock, isEphemeral: false }
  const file = fileOf(own)
  const isThere = service !== undefined || existsSync(file)
  return { name: service?.name ?? file, service, own, isThere, operations }
}

export async function openedOf(service: Service, environment: Environment): Promise<Connection> {
  const { references, findings } = resolveReferences(needsOf(service), environment, new Redactor())
  refuseIfAny([...environment.findings, ...findings])
  return service.open({ references, clock: systemClock, concurrency: 2, openTransport: null, isEphemeral: false })
}

function refuseIfAny(findings: readonly Finding[]): void {
  const errors = findings.filter(({ severity }) => severity === "error")
  if (errors.length > 0) throw new TrestleError("START_REFUSED", errors.map(({ message }) => message).join("; "), { findings: errors })
}

import { existsSync } from "node:fs"
import { join } from "node:path"
import { systemClock } from "../base/clock.ts"
import { Redactor } from "../base/redact.ts"
import type { Environment } from "../config/environment.ts"
import { resolveReferences } from "../config/references.ts"
import type { Finding } from "../contract/finding.ts"
import type { Reference } from "../contract/reference.ts"
import type { Connection, Service } from "../contract/service.ts"
import { TrestleError } from "../errors/trestle-error.ts"
import { checkApplication } from "./check.ts"
import { dataFolder } from "./data-folder.ts"
import { type App, definitionOf } from "./definition.ts"
import { type OpenedStore, openStore } from "./durable.ts"
import { needsStore } from "./needs-store.ts"

/** The store of an application that is declared, not started: for whoever looks at what is kept, beside a process that runs or not. */
export interface StoreOf extends OpenedStore {
  /** Where it is, for people. */
  readonly place: string
  /** Paths of the application's operations. */
  readonly operations: readonly string[]
}

/**
 * Opens the store of an application, and no other service of it. `null`: there is none yet, or nothing of the application is kept.
 *
 * @throws {TrestleError} `START_REFUSED` with findings: a reference that is not set, a database that cannot be opened.
 */
export async function openStoreOf(app: App<unknown>, environment: Environment): Promise<StoreOf | null> {
  const options = definitionOf(app)
  const { operations } = checkApplication(options)
  const service = options.store?.["~service"]
  const own = { folder: dataFolder(environment), clock: systemClock, isEphemeral: false }
  const file = join(own.folder, "store.db")
  if (!service && (!needsStore(operations) || !existsSync(file))) return null
  const connection = service ? await opened(service, environment) : null
  const store = await openStore(service && connection ? { service, connection } : null, own)
  return {
    store: store.store,
    place: service?.name ?? file,
    operations: operations.map(({ path }) => path),
    async close() {
      await store.close()
      await connection?.close()
    },
  }
}

async function opened(service: Service, environment: Environment): Promise<Connection> {
  const needs = service.references.map((reference) => ({ reference: reference as Reference, neededBy: service.name, place: service.at }))
  const { references, findings } = resolveReferences(needs, environment, new Redactor())
  refuseIfAny([...environment.findings, ...findings])
  return service.open({ references, clock: systemClock, concurrency: 2, openTransport: null, isEphemeral: false })
}

function refuseIfAny(findings: readonly Finding[]): void {
  const errors = findings.filter(({ severity }) => severity === "error")
  if (errors.length > 0) throw new TrestleError("START_REFUSED", errors.map(({ message }) => message).join("; "), { findings: errors })
}

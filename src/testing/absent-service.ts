import { sqlite } from "../connectors/sqlite/index.ts"
import { failure } from "../contract/failure.ts"
import type { Connection, Service, ServiceHost } from "../contract/service.ts"
import { type HasStore, hasStore, type StoreTables } from "../contract/store.ts"

/**
 * In the place of a service that nothing can stand in for: whatever is asked of it, it cannot be reached. Where Trestle's own tables would
 * be on it, they are in memory.
 */
export function absent(service: Service, host: ServiceHost): Connection {
  const refuse = (): never => {
    throw failure("not-connected", "read", { note: `${service.name}: nothing stands in its place, and it is not asked itself` })
  }
  const tables = new ThrowawayTables(service.name, host)
  const own: Readonly<Record<string, unknown>> = {
    openStore: (wanted: readonly StoreTables[]) => tables.open(wanted),
    close: () => tables.close(),
    probe: undefined,
    // Otherwise it would be taken for a promise.
    then: undefined,
  }
  return new Proxy({} as Connection, { get: (_, name) => (typeof name === "symbol" || name in own ? own[name as string] : refuse) })
}

class ThrowawayTables {
  readonly #name: string
  readonly #host: ServiceHost
  #connection: (Connection & HasStore) | null = null

  constructor(name: string, host: ServiceHost) {
    this.#name = name
    this.#host = host
  }

  async open(tables: readonly StoreTables[]): ReturnType<HasStore["openStore"]> {
    const { "~service": service } = sqlite({ file: ":memory:", name: this.#name })
    const connection = await service.open({ ...this.#host, isEphemeral: true })
    if (!hasStore(connection)) throw new TypeError("SQLite holds Trestle's own tables")
    this.#connection = connection
    return connection.openStore(tables)
  }

  async close(): Promise<void> {
    await this.#connection?.close()
  }
}

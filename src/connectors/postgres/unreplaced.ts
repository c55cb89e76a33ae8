import type { ServiceHost } from "../../contract/service.ts"
import type { SqlSession } from "../../contract/sql-session.ts"
import type { HasStore, Store, StoreTables } from "../../contract/store.ts"
import { TrestleError } from "../../errors/trestle-error.ts"
import type { SqliteSession } from "../sqlite/connection.ts"
import { openSqlite } from "../sqlite/open.ts"
import { POSTGRES } from "./connection.ts"

const STORE_ROWS_MAX = 100_000

/**
 * In the place of the server in a test application, which has no network. Nothing that is written in TypeScript answers as PostgreSQL does,
 * so nothing is pretended: what the test has not replaced fails, without a reason that a retry or a fallback could take. Trestle's own tables
 * are another matter: all of their statements are written for either store, so they are in memory.
 */
export class UnreplacedSession implements SqlSession, HasStore {
  readonly capabilities = POSTGRES
  readonly name: string
  readonly #host: ServiceHost
  #memory: Promise<SqliteSession> | null = null

  constructor(name: string, host: ServiceHost) {
    this.name = name
    this.#host = host
  }

  async openStore(tables: readonly StoreTables[]): Promise<Store> {
    const settings = {
      file: ":memory:",
      durability: "normal",
      busyTimeout: undefined,
      migrations: undefined,
      migratesOnStart: false,
    } as const
    this.#memory ??= openSqlite({ ...settings, name: this.name, rowsMax: STORE_ROWS_MAX }, this.#host)
    return (await this.#memory).openStore(tables)
  }

  async storeVersion(): Promise<number> {
    return (await this.#memory)?.storeVersion() ?? 0
  }

  read(): never {
    throw this.#unreplaced()
  }

  write(): never {
    throw this.#unreplaced()
  }

  async transaction(): Promise<never> {
    throw this.#unreplaced()
  }

  async close(): Promise<void> {
    await (await this.#memory)?.close()
  }

  #unreplaced(): TrestleError {
    const note = `${this.name}: a test application has no PostgreSQL; replace what asks it, t.backend(operation).replies(...), or start the application itself over a database for tests`
    return new TrestleError("INTERNAL", undefined, { note })
  }
}

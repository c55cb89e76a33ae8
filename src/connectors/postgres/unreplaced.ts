import type { SqlSession } from "../../contract/sql-session.ts"
import { TrestleError } from "../../errors/trestle-error.ts"
import { POSTGRES } from "./connection.ts"

/**
 * In the place of the server in a test application, which has no network. Nothing that is written in TypeScript answers as PostgreSQL does,
 * so nothing is pretended: what the test has not replaced fails, without a reason that a retry or a fallback could take.
 */
export class UnreplacedSession implements SqlSession {
  readonly capabilities = POSTGRES
  readonly name: string

  constructor(name: string) {
    this.name = name
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

  async close(): Promise<void> {}

  #unreplaced(): TrestleError {
    const note = `${this.name}: a test application has no PostgreSQL; replace what asks it, t.backend(operation).replies(...), or start the application itself over a database for tests`
    return new TrestleError("INTERNAL", undefined, { note })
  }
}

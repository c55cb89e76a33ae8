import { failure } from "../../contract/failure.ts"
import type { Attempt } from "../../contract/service.ts"
import type { SqlStatement } from "../../contract/sql-compile.ts"
import type { SqlResult, SqlRow, SqlStatements } from "../../contract/sql-session.ts"
import type { SqliteDatabase } from "./database.ts"
import { statementFailure } from "./failure.ts"

interface StatementSettings {
  readonly name: string
  readonly rowsMax: number
}

/** The statements of one open transaction. After its end none is run any more, so that a late one cannot get into the next transaction. */
export class Statements implements SqlStatements {
  readonly #database: SqliteDatabase
  readonly #settings: StatementSettings
  readonly #effect: "read" | "write"
  #failure: { readonly error: unknown } | null = null
  #isOver = false

  constructor(database: SqliteDatabase, settings: StatementSettings, effect: "read" | "write") {
    this.#database = database
    this.#settings = settings
    this.#effect = effect
  }

  many(statement: SqlStatement): readonly SqlRow[] {
    const { name, rowsMax } = this.#settings
    if (this.#isOver) throw failure("request-not-mapped", this.#effect, { note: `${name}: the transaction is over` })
    if (this.#failure) throw this.#failure.error
    try {
      return this.#database.rows(statement, rowsMax)
    } catch (thrown) {
      this.#failure = { error: statementFailure(thrown, this.#effect, name) }
      throw this.#failure.error
    }
  }

  run(statement: SqlStatement): number {
    this.many(statement)
    return this.#database.changes
  }

  both(statement: SqlStatement): SqlResult {
    return { rows: this.many(statement), changes: this.#database.changes }
  }

  /** The answer of `work`; rejects with its error, with that of the first failed statement, or when the attempt is stopped. */
  until(work: (statements: SqlStatements) => unknown, attempt: Attempt): Promise<unknown> {
    return new Promise((resolve, reject) => {
      attempt.stoppable = { stop: () => reject(failure("timeout-unsent", this.#effect)) }
      Promise.resolve(work(this)).then((answer) => (this.#failure ? reject(this.#failure.error) : resolve(answer)), reject)
    })
  }

  end(): void {
    this.#isOver = true
  }
}

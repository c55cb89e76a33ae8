import { failure } from "../../contract/failure.ts"
import type { Attempt } from "../../contract/service.ts"
import type { SqlStatement } from "../../contract/sql-compile.ts"
import type { SqlResult, SqlRow, SqlStatements } from "../../contract/sql-session.ts"
import type { PostgresDatabase } from "./database.ts"
import { statementFailure } from "./failure.ts"
import type { Answered } from "./question.ts"
import { refuseControl } from "./statement-check.ts"

interface StatementSettings {
  readonly name: string
  readonly rowsMax: number
}

/**
 * The statements of one open transaction, one after the other. The first one begins it, in the same message. After the transaction's end
 * none is run any more, so that a late one cannot get into the next.
 */
export class Statements implements SqlStatements {
  readonly #database: PostgresDatabase
  readonly #settings: StatementSettings
  readonly #effect: "read" | "write"
  #begin: string | null
  #last: Promise<unknown> = Promise.resolve()
  #failure: { readonly error: unknown } | null = null
  #isOver = false

  /** @param begin the words that begin the transaction */
  constructor(database: PostgresDatabase, settings: StatementSettings, { effect, begin }: { effect: "read" | "write"; begin: string }) {
    this.#database = database
    this.#settings = settings
    this.#effect = effect
    this.#begin = begin
  }

  /** Whether it was begun: without a statement there is nothing to commit. */
  get isBegun(): boolean {
    return this.#begin === null
  }

  async many(statement: SqlStatement): Promise<readonly SqlRow[]> {
    return (await this.#asked(statement)).rows
  }

  async run(statement: SqlStatement): Promise<number> {
    return (await this.#asked(statement)).changes
  }

  both(statement: SqlStatement): Promise<SqlResult> {
    return this.#asked(statement)
  }

  /** The answer of `work`; rejects with its error, with that of the first failed statement, or when the attempt is stopped. */
  until(work: (statements: SqlStatements) => unknown, attempt: Attempt): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        this.#database.stop()
        reject(failure("timeout-unsent", this.#effect))
      }
      attempt.stoppable = { stop }
      Promise.resolve(work(this)).then((answer) => (this.#failure ? reject(this.#failure.error) : resolve(answer)), reject)
    })
  }

  end(): void {
    this.#isOver = true
  }

  #asked(statement: SqlStatement): Promise<Answered> {
    const asked = this.#last.then(() => this.#ask(statement))
    this.#last = asked.catch(() => undefined)
    return asked
  }

  async #ask(statement: SqlStatement): Promise<Answered> {
    const { name, rowsMax } = this.#settings
    if (this.#isOver) throw failure("request-not-mapped", this.#effect, { note: `${name}: the transaction is over` })
    if (this.#failure) throw this.#failure.error
    try {
      refuseControl(statement)
      const begin = this.#begin
      this.#begin = null
      return await this.#database.ask(statement, rowsMax, begin)
    } catch (thrown) {
      this.#failure = { error: statementFailure(thrown, this.#effect, name) }
      throw this.#failure.error
    }
  }
}

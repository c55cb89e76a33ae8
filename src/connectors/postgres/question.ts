import type { SqlStatement } from "../../contract/sql-compile.ts"
import type { SqlRow } from "../../contract/sql-session.ts"
import type { PgConnection, PgField, PgSubmittable } from "./driver.ts"
import { boundText, InexactValue, readerOf } from "./values.ts"

/** An answer of more rows than the service reads. */
export class TooManyRows extends Error {}

/** A text that is not one statement of an operation. */
export class NoStatement extends Error {}

/** A column whose value JavaScript cannot hold. */
export class InexactColumn extends Error {}

export interface Answered {
  readonly rows: readonly SqlRow[]
  /** How many rows were changed, or given. */
  readonly changes: number
}

interface Column {
  readonly name: string
  readonly read: (text: string) => unknown
}

/** The protocol counts values with 16 bits. */
const VALUES_MAX = 65_535

/**
 * One statement on its way: all of its messages leave at once, a `begin` before it included, and the server sends no more rows than are
 * wanted. The statement has no name at the server, so nothing is kept there that a change of the tables could make wrong.
 */
export class Question implements PgSubmittable {
  readonly #statement: SqlStatement
  readonly #rowsMax: number
  readonly #begin: string | null
  readonly #settle: (error: unknown, answer: Answered | null) => void
  readonly #rows: SqlRow[] = []
  #columns: readonly Column[] = []
  #empty: SqlRow = {}
  #changes = 0
  #failure: Error | null = null

  /** @param begin runs before the statement, and makes it part of a transaction */
  constructor(
    statement: SqlStatement,
    { rowsMax, begin }: { readonly rowsMax: number; readonly begin: string | null },
    settle: (error: unknown, answer: Answered | null) => void,
  ) {
    if (statement.values.length > VALUES_MAX) throw new NoStatement(`it binds more than ${VALUES_MAX.toLocaleString("en")} values`)
    this.#statement = statement
    this.#rowsMax = rowsMax
    this.#begin = begin
    this.#settle = settle
  }

  submit(connection: PgConnection): null {
    const { text } = this.#statement
    const values = this.#statement.values.map(boundText)
    connection.stream.cork()
    if (this.#begin !== null) send(connection, this.#begin, [], 0)
    send(connection, text, values, this.#rowsMax + 1)
    connection.sync()
    connection.stream.uncork()
    return null
  }

  handleRowDescription({ fields }: { readonly fields: readonly PgField[] }): void {
    this.#columns = fields.map(({ name, dataTypeID }) => ({ name, read: readerOf(dataTypeID) }))
    // All rows have this shape. As an own property even "__proto__" is a name like any other.
    const empty = {}
    for (const { name } of fields) Object.defineProperty(empty, name, { value: null, enumerable: true, writable: true, configurable: true })
    this.#empty = empty
  }

  handleDataRow({ fields }: { readonly fields: readonly (string | null)[] }): void {
    if (this.#failure !== null) return
    if (this.#rows.length === this.#rowsMax) return void this.handlePortalSuspended()
    const row: Record<string, unknown> = { ...this.#empty }
    for (let i = 0; i < fields.length; i++) {
      const text = fields[i]
      if (text === null || text === undefined) continue
      const { name, read } = this.#columns[i]!
      try {
        row[name] = read(text)
      } catch (cause) {
        const why = cause instanceof InexactValue ? cause.message : "its text cannot be read"
        this.#failure = new InexactColumn(`column ${name}: ${why}; select it as text: cast(${name} as text)`, { cause })
        return
      }
    }
    this.#rows.push(row)
  }

  handlePortalSuspended(): void {
    this.#failure ??= new TooManyRows(`more than ${this.#rowsMax} rows`)
  }

  handleEmptyQuery(): void {
    this.#failure ??= new NoStatement("it holds no statement")
  }

  handleCommandComplete({ text }: { readonly text: string }): void {
    // "INSERT 0 3", "SELECT 2", "BEGIN", "CREATE TABLE"
    this.#changes = Number(/ (\d+)$/.exec(text)?.[1] ?? 0)
  }

  handleCopyInResponse(connection: PgConnection): void {
    connection.sendCopyFail("COPY carries no values of a statement")
    connection.sync()
  }

  handleCopyData(): void {
    this.#failure ??= new NoStatement("COPY carries no rows of a statement")
  }

  handleError(error: Error): void {
    this.#settle(error, null)
  }

  handleReadyForQuery(): void {
    if (this.#failure !== null) this.#settle(this.#failure, null)
    else this.#settle(null, { rows: this.#rows, changes: this.#changes })
  }
}

const asItIs = (value: unknown): unknown => value

function send(connection: PgConnection, text: string, values: readonly unknown[], rows: number): void {
  connection.parse({ text, name: "", types: [] })
  connection.bind({ portal: "", statement: "", values, valueMapper: asItIs })
  connection.describe({ type: "P", name: "" })
  connection.execute({ portal: "", rows })
}

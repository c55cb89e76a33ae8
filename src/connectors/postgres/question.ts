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

/** One statement as it goes over the wire. */
export interface Asked extends SqlStatement {
  /** Name under which the server keeps it prepared. Default: it is prepared for this once. */
  readonly name?: string
  /** The numbers of the values' types; 0, the default, lets the server find out. */
  readonly types?: readonly number[]
}

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
 * Statements on their way: all of them leave at once. The server runs one after the other, none after one that has failed, and sends no more
 * rows of each than are wanted.
 */
export class Question implements PgSubmittable {
  readonly #statements: readonly Asked[]
  readonly #rowsMax: number
  readonly #prepared: Set<string>
  readonly #settle: (error: unknown, answers: readonly Answered[]) => void
  readonly #answers: Answered[] = []
  /** Names in the order in which the server will say that it has prepared them. */
  readonly #parsing: (string | undefined)[] = []
  #rows: SqlRow[] = []
  #columns: readonly Column[] = []
  #empty: SqlRow = {}
  #failure: Error | null = null

  /** @param prepared names that the server keeps already; grows by those that it keeps from now on */
  constructor(
    statements: readonly Asked[],
    { rowsMax, prepared }: { readonly rowsMax: number; readonly prepared: Set<string> },
    settle: (error: unknown, answers: readonly Answered[]) => void,
  ) {
    for (const { values } of statements)
      if (values.length > VALUES_MAX) throw new NoStatement(`it binds more than ${VALUES_MAX.toLocaleString("en")} values`)
    this.#statements = statements
    this.#rowsMax = rowsMax
    this.#prepared = prepared
    this.#settle = settle
  }

  submit(connection: PgConnection): null {
    connection.stream.cork()
    for (const statement of this.#statements) this.#send(statement, connection)
    connection.sync()
    connection.stream.uncork()
    return null
  }

  /** The server has prepared the next of those that it was sent. */
  parsed(): void {
    const name = this.#parsing.shift()
    if (name !== undefined) this.#prepared.add(name)
  }

  handleRowDescription({ fields }: { readonly fields: readonly PgField[] }): void {
    this.#columns = fields.map(({ name, dataTypeID }) => ({ name, read: readerOf(dataTypeID) }))
    // All rows have this shape.
    const empty: Record<string, null> = {}
    for (const { name } of fields) {
      // As an own property even this is a name like any other. Defining is ten times as slow as setting.
      if (name === "__proto__") Object.defineProperty(empty, name, { value: null, enumerable: true, writable: true, configurable: true })
      else empty[name] = null
    }
    this.#empty = empty
  }

  handleDataRow({ fields }: { readonly fields: readonly (string | null)[] }): void {
    if (this.#failure !== null) return
    if (this.#rows.length === this.#rowsMax) return void this.#cut()
    const row: Record<string, unknown> = { ...this.#empty }
    for (let i = 0; i < fields.length; i++) {
      const text = fields[i]
      if (text === null || text === undefined) continue
      const { name, read } = this.#columns[i]!
      try {
        row[name] = read(text)
      } catch (cause) {
        const why = cause instanceof InexactValue ? cause.message : "its text cannot be read"
        this.#failure = new InexactColumn(`column ${name}: ${why}; select it as text: cast(column as text)`, { cause })
        return
      }
    }
    this.#rows.push(row)
  }

  handlePortalSuspended(): void {
    this.#cut()
    this.#next(0)
  }

  handleEmptyQuery(): void {
    this.#failure ??= new NoStatement("it holds no statement")
    this.#next(0)
  }

  handleCommandComplete({ text }: { readonly text: string }): void {
    // "INSERT 0 3", "SELECT 2", "BEGIN", "CREATE TABLE"
    this.#next(Number(/ (\d+)$/.exec(text)?.[1] ?? 0))
  }

  handleCopyInResponse(connection: PgConnection): void {
    connection.sendCopyFail("COPY carries no values of a statement")
    connection.sync()
  }

  handleCopyData(): void {
    this.#failure ??= new NoStatement("COPY carries no rows of a statement")
  }

  handleError(error: Error): void {
    this.#settle(error, this.#answers)
  }

  handleReadyForQuery(): void {
    this.#settle(this.#failure, this.#answers)
  }

  #send({ text, values, name, types = [] }: Asked, connection: PgConnection): void {
    const statement = name ?? ""
    if (name === undefined || !(this.#prepared.has(name) || this.#parsing.includes(name))) {
      connection.parse({ text, name: statement, types })
      this.#parsing.push(name)
    }
    connection.bind({ portal: "", statement, values: values.map(boundText), valueMapper: asItIs })
    connection.describe({ type: "P", name: "" })
    connection.execute({ portal: "", rows: this.#rowsMax + 1 })
  }

  #cut(): void {
    this.#failure ??= new TooManyRows(`more than ${this.#rowsMax} rows`)
  }

  #next(changes: number): void {
    this.#answers.push({ rows: this.#rows, changes })
    this.#rows = []
  }
}

const asItIs = (value: unknown): unknown => value

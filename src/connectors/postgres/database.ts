import type { SqlStatement } from "../../contract/sql-compile.ts"
import { type PostgresAddress, tlsSettings } from "./address.ts"
import type { PgClient, PgConnection, PgDriver, PgSettings } from "./driver.ts"
import { type Answered, type Asked, Question } from "./question.ts"

/** More of one answer than any bounded list of rows should hold. */
const ANSWER_BYTES_MAX = 16_777_216
/** The server ends what takes longer by itself, should our own end of it never arrive. An attempt that may take longer raises it. */
const STATEMENT_MS = 30_000
const STATEMENT_MARGIN_MS = 1_000
/** A process that hangs inside a transaction lets go of its locks. */
const IDLE_IN_TRANSACTION_MS = 60_000
/** Longest wait for a connection's polite end, and for the one that carries a cancel request. */
const GOODBYE_MS = 1_000
/** A server that accepts a connection and says nothing is not waited for any longer; calls have their own, shorter limits. */
const CONNECT_MS_MAX = 10_000

/** What every connection says first. Reads need no transaction of their own, because nothing but a stated one can write. */
const SESSION = [
  "set session characteristics as transaction read only",
  "set timezone = 'UTC'",
  "set datestyle = 'ISO'",
  "set intervalstyle = 'iso_8601'",
  `set statement_timeout = ${STATEMENT_MS}`,
  `set idle_in_transaction_session_timeout = ${IDLE_IN_TRANSACTION_MS}`,
].join("; ")

/** An answer of more bytes than are read. */
export class TooManyBytes extends Error {}

/** The connection has ended, whoever ended it. */
export class LostConnection extends Error {}

/**
 * One connection to a PostgreSQL server, which runs one statement at a time. The only file that touches the driver.
 */
export class PostgresDatabase {
  readonly #driver: PgDriver
  readonly #address: PostgresAddress
  readonly #client: PgClient
  #bytes = 0
  #transaction = "I"
  #statementMs = STATEMENT_MS
  #isReady = false
  #isLost = false
  /** From the first byte of a statement until the server says that it is ready for the next one. */
  #isAsking = false
  #settle: (() => void) | null = null
  #question: Question | null = null
  readonly #prepared = new Set<string>()
  #cancelling: Promise<void> | null = null

  constructor(driver: PgDriver, address: PostgresAddress, name: string) {
    this.#driver = driver
    this.#address = address
    this.#client = new driver.Client(settingsOf(address, name))
    this.#client.on("error", () => this.#lose())
    const { connection } = this.#client
    connection.on("end", () => this.#lose())
    connection.on("parseComplete", () => this.#question?.parsed())
    connection.on("readyForQuery", ({ status }) => {
      this.#transaction = status
      this.#free()
    })
    this.#weigh(connection)
    connection.on("sslconnect", () => this.#weigh(connection))
  }

  /** @throws what the driver, or the server, says. */
  async connect(): Promise<void> {
    let isLate = false
    const limit = setTimeout(() => {
      isLate = true
      this.destroy()
    }, CONNECT_MS_MAX)
    try {
      await this.#client.connect()
      await this.exec(SESSION)
      this.#isReady = true
    } catch (error) {
      this.destroy()
      throw isLate ? new LostConnection(`no answer within ${CONNECT_MS_MAX} ms`, { cause: error }) : error
    } finally {
      clearTimeout(limit)
    }
  }

  /** Whether it may be used: nobody has ended it, and no transaction is open. */
  get isUsable(): boolean {
    return this.#isReady && !this.#isLost && this.#transaction === "I"
  }

  get isLost(): boolean {
    return this.#isLost
  }

  /** Whether a statement is under way. */
  get isAsking(): boolean {
    return this.#isAsking
  }

  get isInTransaction(): boolean {
    return this.#transaction !== "I"
  }

  /** Runs one statement; `begin` before it makes it the first of a transaction. @throws what the server says, `TooManyRows`, and so on. */
  async ask(statement: SqlStatement, rowsMax: number, begin: string | null = null): Promise<Answered> {
    const answers = await this.askAll(begin === null ? [statement] : [{ text: begin, values: [] }, statement], rowsMax)
    return answers.at(-1)!
  }

  /** Runs statements in one message there and one back; after one that fails none is run. */
  askAll(statements: readonly Asked[], rowsMax: number): Promise<readonly Answered[]> {
    return new Promise((resolve, reject) => {
      const settle = (error: unknown, answers: readonly Answered[]): void => {
        if (error === null) resolve(answers)
        else this.#whenFree(() => reject(this.#explained(error)))
      }
      const question = new Question(statements, { rowsMax, prepared: this.#prepared }, settle)
      this.#occupy()
      this.#question = question
      this.#client.query(question)
    })
  }

  /** Runs a script, or a word of control such as `commit`; gives the word with which the server has ended it. */
  async exec(text: string): Promise<string> {
    this.#occupy()
    try {
      const result = await this.#client.query(text)
      return Array.isArray(result) ? result.at(-1).command : result.command
    } catch (error) {
      await new Promise<void>((resolve) => this.#whenFree(resolve))
      throw this.#explained(error)
    }
  }

  /** Has the server prepare anew what it keeps under a name. */
  async forgetPrepared(): Promise<void> {
    await this.exec("deallocate all")
    this.#prepared.clear()
  }

  /** Makes sure that the server does not end a statement before that time. */
  async allow(timeoutMs: number): Promise<void> {
    const neededMs = Math.ceil(timeoutMs) + STATEMENT_MARGIN_MS
    if (neededMs <= this.#statementMs) return
    await this.exec(`set statement_timeout = ${neededMs}`)
    this.#statementMs = neededMs
  }

  /** Has `hear` called for what other connections notify, and not for what this one does. */
  listen(hear: () => void): void {
    this.#client.on("notification", ({ processId }) => {
      if (processId !== this.#client.processID) hear()
    })
  }

  /** Has `hear` called when the connection has ended, once or more. */
  whenLost(hear: () => void): void {
    this.#client.connection.on("end", hear)
  }

  /**
   * Ends what is under way: asks the server to cancel it, over a second connection, and gives this one up. A connection that is kept after
   * a cancel request could have the next statement on it cancelled instead.
   */
  stop(): void {
    if (this.#isAsking && this.#isReady && !this.#isLost) this.#cancelling ??= this.#cancel()
    this.destroy()
  }

  destroy(): void {
    this.#lose()
    this.#client.connection.stream.destroy()
  }

  /** Says goodbye; resolves when nothing of it is left, cancel requests included. */
  async close(): Promise<void> {
    await this.#cancelling
    if (this.#isLost) return
    this.#isLost = true
    await within(GOODBYE_MS, this.#client.end(), () => this.destroy())
  }

  #occupy(): void {
    this.#bytes = 0
    this.#isAsking = true
  }

  #free(): void {
    this.#isAsking = false
    this.#question = null
    const settle = this.#settle
    this.#settle = null
    settle?.()
  }

  #lose(): void {
    this.#isLost = true
    this.#free()
  }

  /** An error comes before the word in which state the transaction is left; whoever hears of the one asks for the other. */
  #whenFree(settle: () => void): void {
    if (this.#isAsking) this.#settle = settle
    else settle()
  }

  /** PostgreSQL, Node and we ourselves name what has gone wrong; the driver's own words for a lost connection have no code. */
  #explained(error: unknown): unknown {
    const isNamed = error instanceof TooManyBytes || typeof (error as { code?: unknown } | null)?.code === "string"
    return this.#isLost && !isNamed ? new LostConnection("the connection was lost", { cause: error }) : error
  }

  async #cancel(): Promise<void> {
    const { host, port, tls } = this.#address
    const messenger = new this.#driver.Connection({ ssl: tlsSettings(tls) })
    const gone = new Promise<void>((resolve) => {
      const { processID, secretKey } = this.#client
      const ask = (): void => messenger.cancel(processID, secretKey)
      messenger.on("connect", () => (tls ? messenger.requestSsl() : ask()))
      messenger.on("sslconnect", ask)
      // It has no more to say than that it was heard, by closing the connection; whether it helped, the statement's own end tells.
      messenger.on("error", () => resolve())
      messenger.on("end", () => resolve())
    })
    if (host.startsWith("/")) messenger.connect(`${host}/.s.PGSQL.${port}`)
    else messenger.connect(port, host)
    await within(GOODBYE_MS, gone, () => messenger.stream.destroy())
  }

  /** Ends the connection when an answer gets larger than any that is wanted; a broken server could send without end. */
  #weigh(connection: PgConnection): void {
    connection.stream.on("data", (bytes) => {
      this.#bytes += bytes.length
      if (this.#bytes > ANSWER_BYTES_MAX) connection.stream.destroy(new TooManyBytes(`more than ${ANSWER_BYTES_MAX} bytes`))
    })
  }
}

/**
 * Whether a table can be named without its schema. Asked of the catalogue's rows: what `to_regclass` has once not found it remembers, and
 * does not see what another process has made while this one waited for its lock.
 */
export async function hasTable(database: PostgresDatabase, name: string): Promise<boolean> {
  const text = "select 1 from pg_catalog.pg_tables where tablename = $1 and schemaname = any (current_schemas(false))"
  return (await database.ask({ text, values: [name] }, 10)).rows.length > 0
}

function settingsOf({ host, port, user, database, password, tls, applicationName, options }: PostgresAddress, name: string): PgSettings {
  return {
    host,
    port,
    user,
    database,
    password: () => password,
    ssl: tlsSettings(tls),
    application_name: applicationName ?? `trestle ${name}`,
    options,
    keepAlive: true,
  }
}

/** Real time: a network does not stand still for a test's clock. */
export async function within(ms: number, work: Promise<unknown>, late: () => void): Promise<void> {
  const { promise: over, resolve } = Promise.withResolvers<void>()
  const limit = setTimeout(() => {
    late()
    resolve()
  }, ms)
  try {
    await Promise.race([work, over])
  } catch {
    // Over is over.
  } finally {
    clearTimeout(limit)
  }
}

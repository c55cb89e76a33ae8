import type { SqlStatement } from "../../contract/sql-compile.ts"
import type { OwnStatement, SqliteDatabase } from "./database.ts"
import { breaksConnection, isBusy, isFull } from "./failure.ts"
import { ANY, FAILED, type Fault, type GroupMessage, type GroupReply, MET, type NumberedText, UNMET } from "./store-message.ts"

/** The words of control, prepared: they are as frequent as units. */
interface Control {
  readonly begin: OwnStatement
  readonly commit: OwnStatement
  readonly savepoint: OwnStatement
  readonly release: OwnStatement
  readonly undo: OwnStatement
  readonly rollback: OwnStatement
}

const NOTHING: readonly never[] = []

/** A file that must not be written to, and why. */
export class NotConnected extends Error {
  readonly reason = "not-connected"
}

/**
 * Runs groups of units on a connection that writes: one transaction and one commit a group. A unit that fails is undone alone.
 *
 * What is said of a group: `kept` after its COMMIT has returned, `refused` when it was rolled back, `unknown` when the COMMIT failed. Then
 * the connection is closed, and the next one brings everything that the file's log holds into the file before it writes: a flush that has
 * failed once may be reported as done by the next, with the pages it was to write already forgotten, so nothing is ever written behind them.
 */
export class GroupRunner {
  readonly #open: () => SqliteDatabase
  readonly #close: (database: SqliteDatabase) => void
  #database: SqliteDatabase | null = null
  #control!: Control
  readonly #texts: NumberedText[] = []
  #prepared: (OwnStatement | undefined)[] = []
  /** A commit has failed since the file's log was last emptied. */
  #isLogInDoubt = false

  // Of the group that is run.
  #results: unknown[] = []
  #faults: Fault[] = []
  #newColumns: [number, readonly string[]][] = []

  /** @param open called for the first group, and again after a failure that leaves nothing to trust. */
  constructor(open: () => SqliteDatabase, close = (database: SqliteDatabase): void => database.close()) {
    this.#open = open
    this.#close = close
  }

  run({ newTexts, units }: GroupMessage): GroupReply {
    for (const text of newTexts) this.#texts.push(text)
    this.#results = []
    this.#faults = []
    this.#newColumns = []
    try {
      this.#runUnits(this.#connected(), units)
    } catch (thrown) {
      this.#rollback(thrown)
      return this.#reply("refused", faultOf(thrown))
    }
    return this.#commit(this.#database!)
  }

  close(): void {
    const database = this.#database
    this.#database = null
    this.#prepared = []
    if (database) this.#close(database)
  }

  /** At first without savepoints, which cost as much as the statements. Where a unit is to be undone, all are run anew, with them. */
  #runUnits(database: SqliteDatabase, units: GroupMessage["units"]): void {
    this.#control.begin.run(NOTHING)
    if (this.#areAllMet(database, units)) return
    this.#control.rollback.run(NOTHING)
    this.#results = []
    this.#control.begin.run(NOTHING)
    for (let at = 0; at < units.length; ) at = this.#runUnit(database, units, at)
  }

  /** @returns whether no unit has failed or met with another number of rows than it expects. @throws what has ended the whole transaction. */
  #areAllMet(database: SqliteDatabase, units: GroupMessage["units"]): boolean {
    try {
      for (let at = 0; at < units.length; ) {
        this.#results.push(MET)
        const end = this.#runStatements(units, at)
        if (end === null) return false
        at = end
      }
      return true
    } catch (thrown) {
      if (hasEnded(database, thrown)) throw thrown
      return false
    }
  }

  // -- one unit -------------------------------------------------------------------------------------

  /** @returns where the next unit begins. @throws what has ended the whole transaction. */
  #runUnit(database: SqliteDatabase, units: GroupMessage["units"], start: number): number {
    const { savepoint, release } = this.#control
    const resultsBefore = this.#results.length
    savepoint.run(NOTHING)
    this.#results.push(MET)
    let end: number | null = null
    try {
      end = this.#runStatements(units, start)
      if (end === null) this.#undo(resultsBefore, UNMET)
    } catch (thrown) {
      if (hasEnded(database, thrown)) throw thrown
      this.#undo(resultsBefore, FAILED)
      this.#results.push(this.#faults.push(faultOf(thrown)) - 1)
    }
    release.run(NOTHING)
    return end ?? this.#endOf(units, start)
  }

  #undo(resultsBefore: number, mark: typeof UNMET | typeof FAILED): void {
    this.#control.undo.run(NOTHING)
    this.#results.length = resultsBefore
    this.#results.push(mark)
  }

  /** @returns where the next unit begins; `null` when an expectation was not met. */
  #runStatements(units: GroupMessage["units"], start: number): number | null {
    let at = start + 1
    for (let left = units[start] as number; left > 0; left--) {
      const number = units[at] as number
      const expects = units[at + 1] as number
      const end = at + 2 + this.#texts[number]!.valueCount
      const count = this.#runStatement(number, units.slice(at + 2, end))
      if (expects !== ANY && expects !== count) return null
      at = end
    }
    return at
  }

  #runStatement(number: number, values: SqlStatement["values"]): number {
    const statement = this.#prepared[number] ?? this.#prepare(number)
    if (statement.columns.length === 0) {
      const changes = statement.run(values)
      this.#results.push(changes)
      return changes
    }
    const rows = statement.rows(values)
    this.#results.push(rows.length)
    for (const row of rows) for (const value of row) this.#results.push(value)
    return rows.length
  }

  #prepare(number: number): OwnStatement {
    const statement = this.#database!.prepareOwn(this.#texts[number]!.text)
    this.#prepared[number] = statement
    if (statement.columns.length > 0) this.#newColumns.push([number, statement.columns])
    return statement
  }

  #endOf(units: GroupMessage["units"], start: number): number {
    let at = start + 1
    for (let left = units[start] as number; left > 0; left--) at += 2 + this.#texts[units[at] as number]!.valueCount
    return at
  }

  // -- the group ------------------------------------------------------------------------------------

  #commit(database: SqliteDatabase): GroupReply {
    try {
      this.#control.commit.run(NOTHING)
    } catch (thrown) {
      return this.#uncommitted(database, thrown)
    }
    if (!database.isGone) return this.#reply("kept", null)
    this.#drop()
    return this.#reply("unknown", { message: "its file was removed or replaced while it was written" })
  }

  /**
   * After a lock SQLite promises that the transaction is still open, and where there is no room, that the record of the commit was not
   * written, so that no later reader can take the group for whole. After anything else it may be on the disk, or come to it.
   */
  #uncommitted(database: SqliteDatabase, thrown: unknown): GroupReply {
    const isKnown = isFull(thrown) || (isBusy(thrown) && database.isInTransaction)
    this.#rollback(thrown)
    if (isKnown) return this.#reply("refused", faultOf(thrown))
    this.#isLogInDoubt = true
    this.#drop()
    return this.#reply("unknown", faultOf(thrown))
  }

  #rollback(thrown: unknown): void {
    try {
      if (this.#database?.isInTransaction) this.#database.exec("rollback")
    } catch {
      // Closing the connection rolls back whatever it has left.
      this.#drop()
    }
    // Where there is no room, the next connection makes some by emptying the log into the file.
    if (breaksConnection(thrown) || isFull(thrown)) this.#drop()
  }

  #reply(outcome: GroupReply["outcome"], fault: Fault | null): GroupReply {
    return { outcome, fault, newColumns: this.#newColumns, results: this.#results, faults: this.#faults }
  }

  // -- the connection -------------------------------------------------------------------------------

  #connected(): SqliteDatabase {
    if (this.#database?.isGone) {
      this.#drop()
      throw new NotConnected("its file was removed or replaced while it was open")
    }
    return this.#database ?? this.#connect()
  }

  #connect(): SqliteDatabase {
    const database = this.#open()
    try {
      const own = (text: string): OwnStatement => database.prepareOwn(text)
      this.#emptyLog(own("pragma wal_checkpoint(truncate)"))
      this.#control = {
        begin: own("begin immediate"),
        commit: own("commit"),
        savepoint: own("savepoint unit"),
        release: own("release unit"),
        undo: own("rollback to unit"),
        rollback: own("rollback"),
      }
    } catch (thrown) {
      this.#close(database)
      throw thrown
    }
    this.#database = database
    return database
  }

  /** Brings what the log holds into the file. A log that nobody doubts may stay, while others read it or where there is no room. */
  #emptyLog(checkpoint: OwnStatement): void {
    let answer: unknown[] | undefined
    try {
      answer = checkpoint.rows(NOTHING)[0]
    } catch (thrown) {
      if (this.#isLogInDoubt) throw thrown
    }
    const isHeld = answer?.[0] === 1
    if (isHeld && this.#isLogInDoubt) throw new NotConnected("a commit has failed, and others that read hold the file's log")
    this.#isLogInDoubt = false
  }

  /** What it has to write on being closed may fail as what came before it did. */
  #drop(): void {
    try {
      this.close()
    } catch {
      // The next one looks anew.
    }
  }
}

/** Some failures have rolled everything back already; after others nothing that follows can be trusted. */
function hasEnded(database: SqliteDatabase, thrown: unknown): boolean {
  return !database.isInTransaction || breaksConnection(thrown)
}

function faultOf(thrown: unknown): Fault {
  const { message, errcode, code, reason } = thrown as Error & Fault
  return { message: message ?? String(thrown), errcode, code, reason }
}

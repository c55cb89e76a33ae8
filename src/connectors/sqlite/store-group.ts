import { assert } from "../../base/assert.ts"
import { failure } from "../../contract/failure.ts"
import { BrokenConstraint, type SqlRow } from "../../contract/sql-session.ts"
import { isStorable, type StoreResult, type StoreStatement, type StoreValue } from "../../contract/store.ts"
import type { TrestleError } from "../../errors/trestle-error.ts"
import { commitFailure, statementFailure } from "./failure.ts"
import { ANY, type Fault, type GroupReply, MET, type NumberedText, UNMET } from "./store-message.ts"

/** Texts are constants of the program; more of them than this are texts into which values were written. */
const TEXTS_MAX = 1_000

/** The texts of a store's statements, by number, and what is known of each. */
export class Texts {
  readonly list: NumberedText[] = []
  readonly #numbers = new Map<string, number>()
  /** Names of what they give, by number; absent where they give no rows. */
  readonly columns: (readonly string[] | undefined)[] = []

  numberOf({ text, values }: StoreStatement): number {
    const known = this.#numbers.get(text)
    if (known !== undefined) return known
    assert(this.list.length < TEXTS_MAX, `the store has met more than ${TEXTS_MAX} texts; what varies must be bound`)
    this.#numbers.set(text, this.list.length)
    return this.list.push({ text, valueCount: values.length }) - 1
  }
}

/** One unit that waits to be kept. An object of its own class, since it outlives what has made it. */
class Waiting {
  readonly resolve: (results: readonly StoreResult[] | null) => void
  readonly reject: (error: unknown) => void

  constructor(resolve: Waiting["resolve"], reject: Waiting["reject"]) {
    this.resolve = resolve
    this.reject = reject
  }
}

/** Units that will be made durable by one commit, written down in the form in which they are sent. */
export class Group {
  /** As `GroupMessage.units`. */
  readonly units: StoreValue[] = []
  readonly #waiting: Waiting[] = []
  readonly #texts: Texts
  readonly #name: string

  constructor(texts: Texts, name: string) {
    this.#texts = texts
    this.#name = name
  }

  get size(): number {
    return this.#waiting.length
  }

  /** Takes one more unit in; it settles with the group. @throws {TrestleError} `refused`: a value that no store keeps. */
  add(statements: readonly StoreStatement[]): Promise<readonly StoreResult[] | null> {
    const start = this.units.length
    try {
      this.units.push(statements.length)
      for (const statement of statements) this.#write(statement)
    } catch (error) {
      this.units.length = start
      throw error
    }
    return new Promise((resolve, reject) => void this.#waiting.push(new Waiting(resolve, reject)))
  }

  #write(statement: StoreStatement): void {
    const { values, expects } = statement
    const number = this.#texts.numberOf(statement)
    if (values.length !== this.#texts.list[number]!.valueCount) throw this.#unstorable("as many values as its text had before")
    this.units.push(number, expects ?? ANY)
    for (const value of values) {
      if (!isStorable(value))
        throw this.#unstorable("texts without NUL and without half of a character, whole numbers within 2^53, or null")
      this.units.push(value)
    }
  }

  #unstorable(what: string): TrestleError {
    return failure("request-not-mapped", "write", { note: `${this.#name}: the values of a statement must be ${what}` })
  }

  /** Tells every unit what became of it. */
  settle(reply: GroupReply): void {
    for (const [number, columns] of reply.newColumns) this.#texts.columns[number] = columns
    if (reply.outcome === "kept") return this.#settleEach(reply)
    // An error each: what its caller makes of it, such as a trace, is no other's.
    for (const { reject } of this.#waiting) reject(this.#groupFailure(reply))
  }

  #settleEach({ results, faults }: GroupReply): void {
    let unitAt = 0
    let at = 0
    for (const { resolve, reject } of this.#waiting) {
      const mark = results[at++]
      const statementCount = this.units[unitAt++] as number
      const met: StoreResult[] = []
      for (let i = 0; i < statementCount; i++) {
        const number = this.units[unitAt] as number
        unitAt += 2 + this.#texts.list[number]!.valueCount
        if (mark !== MET) continue
        const columns = this.#texts.columns[number]
        const changes = results[at++] as number
        met.push({ rows: columns ? rowsOf(results, at, changes, columns) : NO_ROWS, changes })
        if (columns) at += changes * columns.length
      }
      if (mark === MET) resolve(met)
      else if (mark === UNMET) resolve(null)
      else reject(unitFailure(faults[results[at++] as number]!, this.#name))
    }
  }

  #groupFailure({ outcome, fault }: GroupReply): TrestleError {
    if (outcome === "unknown" && fault!.reason === undefined) return commitFailure(thrownAs(fault!), "write", this.#name)
    return unitFailure(fault!, this.#name)
  }
}

const NO_ROWS: readonly SqlRow[] = []

function rowsOf(results: readonly unknown[], start: number, count: number, columns: readonly string[]): SqlRow[] {
  const rows: SqlRow[] = []
  let at = start
  for (let i = 0; i < count; i++) {
    const row: Record<string, unknown> = {}
    for (const column of columns) row[column] = results[at++]
    rows.push(row)
  }
  return rows
}

/** Trestle's own tables have no rule that a caller could have meant to break: it is a mistake like others. */
function unitFailure(fault: Fault, name: string): TrestleError {
  if (fault.reason !== undefined) return failure(fault.reason, "write", { note: `${name}: ${fault.message}` })
  const judged = statementFailure(thrownAs(fault), "write", name)
  if (judged instanceof BrokenConstraint) return failure("request-not-mapped", "write", { cause: judged, note: judged.message })
  return judged as TrestleError
}

function thrownAs({ message, errcode, code }: Fault): Error {
  return Object.assign(new Error(message), errcode === undefined ? {} : { errcode }, code === undefined ? {} : { code })
}

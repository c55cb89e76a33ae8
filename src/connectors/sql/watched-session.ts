import type { Attempt } from "../../contract/service.ts"
import type { SqlStatement } from "../../contract/sql-compile.ts"
import {
  BrokenConstraint,
  type SqlCapabilities,
  type SqlConstraint,
  type SqlSession,
  type SqlStatements,
  type SqlTaker,
} from "../../contract/sql-session.ts"
import type { Arrival, PlacedCall } from "../../contract/stand-in.ts"
import { type HasStore, hasStore } from "../../contract/store.ts"

const SHOWN_MAX = 80

/** The session of a stand-in: counts what was committed, and breaks a rule of a table when it is told to. */
export class WatchedSession implements SqlSession {
  readonly arrivals: Arrival[]
  readonly probe?: () => Promise<void>
  readonly openStore?: HasStore["openStore"]
  readonly #session: SqlSession
  readonly #countsCommits: boolean
  /** The rule that writes break; `null`: none. */
  #broken: SqlConstraint | null = null
  /** The one write alone that breaks it; `null`: each does. */
  #nth: number | null = null
  #writes = 0

  /** @param arrivals where somebody else notes what was committed; without it, a write that has answered is */
  constructor(session: SqlSession, arrivals: Arrival[] | null = null) {
    this.#session = session
    this.#countsCommits = arrivals === null
    this.arrivals = arrivals ?? []
    if (session.probe) this.probe = session.probe
    if (hasStore(session)) this.openStore = (tables) => session.openStore(tables)
  }

  get name(): string {
    return this.#session.name
  }

  get capabilities(): SqlCapabilities {
    return this.#session.capabilities
  }

  read(statement: SqlStatement, taker: SqlTaker, attempt: Attempt): unknown {
    this.arrivals.push({ asked: shortened(statement.text), effect: null })
    return this.#session.read(statement, taker, attempt)
  }

  /** From now on each write breaks that rule, or the n-th of them alone. */
  break(rule: SqlConstraint, nth: number | null = null): void {
    this.#broken = rule
    this.#nth = nth
  }

  write(statement: SqlStatement, taker: SqlTaker, attempt: Attempt): unknown {
    const broken = this.#brokenNow()
    if (broken) this.#fail(broken)
    return this.#counted(statement.text, this.#session.write(statement, taker, attempt))
  }

  transaction(work: (statements: SqlStatements) => unknown, attempt: Attempt): Promise<unknown> {
    const broken = attempt.call.effect === "write" ? this.#brokenNow() : null
    const breaking = broken ? () => this.#fail(broken) : work
    return this.#session.transaction(breaking, attempt).then((answer) => {
      if (attempt.call.effect === "write") this.#count("a transaction")
      return answer
    })
  }

  close(): Promise<void> {
    return this.#session.close()
  }

  #brokenNow(): SqlConstraint | null {
    if (this.#broken === null || this.#nth === null) return this.#broken
    return ++this.#writes === this.#nth ? this.#broken : null
  }

  #fail(rule: SqlConstraint): never {
    throw new BrokenConstraint(rule, `${this.name}: its stand-in breaks a rule of the kind "${rule}"`, undefined)
  }

  #counted(asked: string, answer: unknown): unknown {
    if (!(answer instanceof Promise)) {
      this.#count(asked)
      return answer
    }
    return answer.then((value) => {
      this.#count(asked)
      return value
    })
  }

  /** What is committed twice has happened twice: no database takes a second commit for a repeat of the first. */
  #count(asked: string): void {
    if (this.#countsCommits) this.arrivals.push({ asked: shortened(asked), effect: `${this.name} ${this.arrivals.length}` })
  }
}

const ATTEMPT_MS = 1_000

/** The shortest time that an attempt at a declared call has; where only transactions of flows ask, one is taken that does not hold up rows. */
export function shortestAttemptMs(calls: readonly PlacedCall[]): number {
  return calls.length === 0 ? ATTEMPT_MS : Math.min(...calls.map(({ timeoutMs }) => timeoutMs))
}

/** A statement as people are told of it. */
export function shortened(text: string): string {
  const line = text.trim().replace(/\s+/g, " ")
  return line.length <= SHOWN_MAX ? line : `${line.slice(0, SHOWN_MAX - 1)}…`
}

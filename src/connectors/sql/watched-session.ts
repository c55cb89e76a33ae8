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
import type { Arrival } from "../../contract/stand-in.ts"
import { type HasStore, hasStore } from "../../contract/store.ts"

const SHOWN_MAX = 80

/** The session of a stand-in: counts what was committed, and breaks a rule of a table when it is told to. */
export class WatchedSession implements SqlSession {
  readonly arrivals: Arrival[]
  /** The rule that each write breaks; `null`: none. */
  broken: SqlConstraint | null = null
  readonly probe?: () => Promise<void>
  readonly openStore?: HasStore["openStore"]
  readonly #session: SqlSession
  readonly #countsCommits: boolean

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

  write(statement: SqlStatement, taker: SqlTaker, attempt: Attempt): unknown {
    if (this.broken) this.#break(this.broken)
    return this.#counted(statement.text, this.#session.write(statement, taker, attempt))
  }

  transaction(work: (statements: SqlStatements) => unknown, attempt: Attempt): Promise<unknown> {
    const { broken } = this
    const breaking = broken && attempt.call.effect === "write" ? () => this.#break(broken) : work
    return this.#session.transaction(breaking, attempt).then((answer) => {
      if (attempt.call.effect === "write") this.#count("a transaction")
      return answer
    })
  }

  close(): Promise<void> {
    return this.#session.close()
  }

  #break(rule: SqlConstraint): never {
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

/** A statement as people are told of it. */
export function shortened(text: string): string {
  const line = text.trim().replace(/\s+/g, " ")
  return line.length <= SHOWN_MAX ? line : `${line.slice(0, SHOWN_MAX - 1)}…`
}

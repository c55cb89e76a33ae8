import type { Clock } from "../../base/clock.ts"
import type { StoreResult } from "../../contract/store.ts"
import type { StoreAsked } from "./store-folds.ts"

/** Groups under way: while one is flushed to the disk, another one can be run. */
const GROUPS = 2
/** One that takes longer waits for somebody's lock, and holds up no others as long as there are connections. */
const SLOW_MS = 100
const GROUPS_MAX = 6
/** Statements of one group; a longer transaction would keep the others waiting for its locks. */
const STATEMENTS_MAX = 256

type Results = readonly StoreResult[]

/** One unit that waits. An object of its own class, since it outlives what has made it. */
class Waiting {
  readonly statements: readonly StoreAsked[]
  readonly resolve: (results: Results | Promise<Results>) => void
  readonly reject: (error: unknown) => void

  constructor(statements: readonly StoreAsked[], resolve: Waiting["resolve"], reject: Waiting["reject"]) {
    this.statements = statements
    this.resolve = resolve
    this.reject = reject
  }
}

export interface GroupsOptions {
  readonly clock: Clock
  /** Runs statements in one transaction. */
  readonly together: (statements: readonly StoreAsked[]) => Promise<Results>
  /** The same for one unit, with patience. */
  readonly alone: (statements: readonly StoreAsked[]) => Promise<Results>
  /** Whether the server has named what it refused, so that nothing of the transaction was kept. */
  readonly isUndone: (error: unknown) => boolean
}

/**
 * Units of several callers in one transaction: one message there and one back, one flush to the disk. Those that are asked for while groups
 * are under way go together in the next one. What the server refuses is undone as a whole; then each of its units is run alone, so that
 * nobody hears of another's mistake.
 */
export class Groups {
  readonly #options: GroupsOptions
  #waiting: Waiting[] = []
  #underWay = 0
  #lastBegunAt = 0
  #isAsked = false

  constructor(options: GroupsOptions) {
    this.#options = options
  }

  /** @param statements of one unit, none of which expects anything */
  add(statements: readonly StoreAsked[]): Promise<Results> {
    return new Promise((resolve, reject) => {
      this.#waiting.push(new Waiting(statements, resolve, reject))
      this.#ask()
    })
  }

  /** After the callers who are served in the same turn of the event loop have asked too. */
  #ask(): void {
    if (this.#isAsked || !this.#hasRoom) return
    this.#isAsked = true
    process.nextTick(() => {
      this.#isAsked = false
      void this.#run(this.#next())
    })
  }

  get #hasRoom(): boolean {
    if (this.#underWay < GROUPS) return true
    return this.#underWay < GROUPS_MAX && this.#options.clock.now() - this.#lastBegunAt >= SLOW_MS
  }

  #next(): Waiting[] {
    let statements = 0
    let count = 0
    for (const waiting of this.#waiting) {
      statements += waiting.statements.length
      if (count > 0 && statements > STATEMENTS_MAX) break
      count++
    }
    return this.#waiting.splice(0, count)
  }

  async #run(group: readonly Waiting[]): Promise<void> {
    this.#underWay++
    this.#lastBegunAt = this.#options.clock.now()
    if (this.#waiting.length > 0) this.#ask()
    const { together, alone, isUndone } = this.#options
    try {
      if (group.length === 1) settle(group, await alone(group[0]!.statements))
      else settle(group, await together(group.flatMap(({ statements }) => statements)))
    } catch (error) {
      const mayRunAlone = group.length > 1 && isUndone(error)
      for (const { statements, resolve, reject } of group) mayRunAlone ? resolve(alone(statements)) : reject(error)
    } finally {
      this.#underWay--
      if (this.#waiting.length > 0) this.#ask()
    }
  }
}

function settle(group: readonly Waiting[], results: Results): void {
  let at = 0
  for (const { statements, resolve } of group) {
    resolve(results.slice(at, at + statements.length))
    at += statements.length
  }
}

import type { Alarm, Clock } from "../../base/clock.ts"
import { failure } from "../../contract/failure.ts"
import type { Attempt } from "../../contract/service.ts"
import type { PostgresDatabase } from "./database.ts"

/** What waits for a connection: an attempt of a call, or something of ours that nobody stops. */
export type Taker = Pick<Attempt, "stoppable"> & { readonly call: Pick<Attempt["call"], "effect"> }

export interface PoolSettings {
  readonly name: string
  /** Connections at most. */
  readonly connectionsMax: number
  readonly clock: Clock
  readonly open: () => PostgresDatabase
  /** What a new connection says before it is used. */
  readonly prepare?: string
}

/** A connection that nobody needs any more ends after so long. */
const IDLE_MS_MAX = 30_000

interface Idle {
  readonly database: PostgresDatabase
  readonly since: number
}

/** The connections of one service: the one used last goes first, so that the others can rest and end. Those who wait come in their order. */
export class Pool {
  readonly #settings: PoolSettings
  /** Open, or being opened. */
  readonly #all = new Set<PostgresDatabase>()
  readonly #idle: Idle[] = []
  readonly #waiting = new Set<Waiting>()
  readonly #endings = new Set<Promise<void>>()
  #alarm: Alarm = null
  #isClosed = false

  constructor(settings: PoolSettings) {
    this.#settings = settings
  }

  /**
   * A connection for this attempt alone; give it back.
   * @throws {TrestleError} when the attempt is stopped while it waits. @throws what a new connection ends with.
   */
  async take(taker: Taker): Promise<PostgresDatabase> {
    const idle = this.#unused()
    if (idle !== null) return idle
    return this.#all.size < this.#settings.connectionsMax ? this.#opened(taker) : this.#turn(taker)
  }

  give(database: PostgresDatabase): void {
    const kept = database.isUsable && !this.#isClosed ? database : null
    if (kept === null) this.#forget(database)
    if (this.#waiting.size > 0) return this.#wake(kept)
    if (kept === null) return
    const { clock } = this.#settings
    this.#idle.push({ database: kept, since: clock.now() })
    this.#alarm ??= clock.after(IDLE_MS_MAX, this)
  }

  /** Ends those that have been idle for long. */
  ring(): void {
    const { clock } = this.#settings
    this.#alarm = null
    while (this.#idle[0] !== undefined && clock.now() - this.#idle[0].since >= IDLE_MS_MAX) this.#forget(this.#idle.shift()!.database)
    if (this.#idle.length > 0) this.#alarm = clock.after(IDLE_MS_MAX, this)
  }

  /** Resolves when every connection has ended. */
  async close(): Promise<void> {
    this.#isClosed = true
    if (this.#alarm !== null) this.#settings.clock.cancel(this.#alarm)
    while (this.#waiting.size > 0) this.#wake(null)
    this.#idle.length = 0
    for (const database of [...this.#all]) this.#forget(database)
    await Promise.all(this.#endings)
  }

  #unused(): PostgresDatabase | null {
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
      if (idle.database.isUsable) return idle.database
      this.#forget(idle.database)
    }
    return null
  }

  async #opened(taker: Taker): Promise<PostgresDatabase> {
    const { name, open, prepare } = this.#settings
    if (this.#isClosed) throw failure("not-connected", taker.call.effect, { note: `${name}: is closed` })
    const database = open()
    this.#all.add(database)
    taker.stoppable = database
    try {
      await database.connect()
      if (prepare !== undefined) await database.exec(prepare)
      return database
    } catch (error) {
      this.#forget(database)
      if (this.#waiting.size > 0) this.#wake(null)
      throw error
    }
  }

  #turn(taker: Taker): Promise<PostgresDatabase> {
    return new Promise((resolve, reject) => {
      const turn: Waiting = {
        begin: (database) => resolve(database ?? this.#opened(taker)),
        stop: () => {
          if (this.#waiting.delete(turn)) reject(failure("timeout-unsent", taker.call.effect))
        },
      }
      this.#waiting.add(turn)
      taker.stoppable = turn
    })
  }

  /** The one who has waited longest gets this connection, or the place for a new one. */
  #wake(database: PostgresDatabase | null): void {
    const [first] = this.#waiting
    this.#waiting.delete(first!)
    first!.begin(database)
  }

  #forget(database: PostgresDatabase): void {
    this.#all.delete(database)
    if (!database.isUsable) database.stop()
    const ending = database.close().finally(() => this.#endings.delete(ending))
    this.#endings.add(ending)
  }
}

interface Waiting {
  begin(database: PostgresDatabase | null): void
  stop(): void
}

import type { Alarm, Clock } from "../../base/clock.ts"
import type { PostgresDatabase } from "./database.ts"

const CHANNEL = "trestle_wake"
/** After the connection was lost, until the next try. */
const PAUSE_MS = 1_000
/** A connection that has not begun to listen by then never will. */
const BEGIN_MS_MAX = 10_000

/**
 * Hints between the processes that use one database, by LISTEN and NOTIFY over a connection of their own. They only wake: one that is lost
 * delays, and nothing more.
 */
export class Hints {
  readonly #open: () => PostgresDatabase
  readonly #clock: Clock
  readonly #listeners = new Set<() => void>()
  #database: PostgresDatabase | null = null
  /** One that is being opened. */
  #coming: PostgresDatabase | null = null
  #alarm: Alarm = null
  #isEnded = false
  /** A hint is on its way; `again` where another one was asked for meanwhile. */
  #sending: "no" | "once" | "again" = "no"

  constructor(open: () => PostgresDatabase, clock: Clock) {
    this.#open = open
    this.#clock = clock
  }

  /** @throws what a connection ends with. */
  async begin(): Promise<void> {
    const database = this.#open()
    database.listen(() => this.#tell())
    this.#coming = database
    const limit = this.#clock.after(BEGIN_MS_MAX, { ring: () => database.destroy() })
    try {
      await database.connect()
      await database.exec(`listen ${CHANNEL}`)
    } catch (error) {
      // A standby takes connections, and no LISTEN: tried anew every second, each would stay.
      database.destroy()
      throw error
    } finally {
      this.#clock.cancel(limit)
      this.#coming = null
    }
    if (this.#isEnded) return database.close()
    database.whenLost(() => this.#lost(database))
    this.#database = database
  }

  watch(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  wake(): void {
    if (this.#sending === "no") void this.#send()
    else this.#sending = "again"
  }

  async end(): Promise<void> {
    this.#isEnded = true
    this.#listeners.clear()
    if (this.#alarm !== null) this.#clock.cancel(this.#alarm)
    this.#coming?.destroy()
    await this.#database?.close()
  }

  async #send(): Promise<void> {
    while (this.#database !== null && !this.#isEnded) {
      this.#sending = "once"
      try {
        await this.#database.exec(`notify ${CHANNEL}`)
      } catch {
        break
      }
      // It may have changed while the server was asked.
      if ((this.#sending as string) !== "again") break
    }
    this.#sending = "no"
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener()
  }

  #lost(database: PostgresDatabase): void {
    if (this.#isEnded || this.#database !== database) return
    this.#database = null
    this.#again()
  }

  #again(): void {
    this.#alarm = this.#clock.after(PAUSE_MS, this)
  }

  /** Listens anew. What was said meanwhile, nobody has heard. */
  ring(): void {
    this.begin().then(
      () => this.#tell(),
      () => {
        if (!this.#isEnded) this.#again()
      },
    )
  }
}

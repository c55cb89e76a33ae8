import type { Random } from "../../../src/base/random.ts"
import { SqliteSession } from "../../../src/connectors/sqlite/connection.ts"
import { SqliteDatabase } from "../../../src/connectors/sqlite/database.ts"
import { failure } from "../../../src/contract/failure.ts"
import type { Attempt, Connection } from "../../../src/contract/service.ts"
import type { SqlSession } from "../../../src/contract/sql-session.ts"
import type { HasStore, Store, StoreResult, StoreStatement, StoreTables } from "../../../src/contract/store.ts"
import type { TrestleError } from "../../../src/errors/trestle-error.ts"
import type { VirtualClock } from "../virtual-clock.ts"
import type { SimulatedProcess } from "./process.ts"

/** What happens to one unit, seen from its process. */
export type Fate = "fine" | "refused" | "unknown" | "late" | "crash before" | "crash after"

/** What the databases of one world share. */
export interface World {
  readonly clock: VirtualClock
  readonly random: Random
  /** Decides what happens to a unit, or a transaction, of a process. */
  fateOf(process: SimulatedProcess): Fate
  /** Told of what a unit that counted had to say of jobs, on behalf of whoever holds them. */
  kept(writes: readonly HeldWrite[]): void
}

/** A change that is made by the holder of a job: its statement names the job and the fence last. */
export interface HeldWrite {
  readonly id: string
  readonly fence: number
  /** What stood there before. */
  readonly newest: number
  readonly changes: number
}

/** In transit to the store, and back. */
const LATENCY_MS_MAX = 4
/** Lost for longer than any lease. */
const LATE_MS = 40_000

/** One database of real SQL in memory, which outlives every process. */
export class SimulatedDatabase {
  readonly session: SqliteSession
  readonly rows: (text: string, values?: readonly (string | number)[]) => readonly Readonly<Record<string, any>>[]
  /** A database that stays open keeps its clock, and so its whole world, in memory. */
  readonly close: () => void

  constructor(name: string, clock: VirtualClock) {
    const database = new SqliteDatabase({ file: ":memory:", readOnly: false, durability: "normal", epoch: clock.epoch })
    this.session = new SqliteSession(database, { name, file: ":memory:", durability: "normal", rowsMax: 10_000, busyTimeoutMs: 0, clock })
    this.rows = (text, values = []) => database.rows({ text, values }, 10_000)
    this.close = () => database.close()
  }

  exec(text: string): void {
    for (const one of text.split(";")) this.rows(one)
  }
}

/** A database as one process reaches it: by messages, each of which may be lost with the process, or come late. */
export class SimulatedConnection
  implements Connection, Pick<SqlSession, "name" | "capabilities" | "read" | "write" | "transaction">, HasStore
{
  readonly #database: SimulatedDatabase
  readonly #process: SimulatedProcess
  readonly #world: World
  #store: Promise<Store> | null = null

  constructor(database: SimulatedDatabase, process: SimulatedProcess, world: World) {
    this.#database = database
    this.#process = process
    this.#world = world
  }

  get name(): string {
    return this.#database.session.name
  }

  get capabilities(): SqlSession["capabilities"] {
    return this.#database.session.capabilities
  }

  read(...asked: Parameters<SqlSession["read"]>): Promise<unknown> {
    return this.#carried(() => this.#database.session.read(...asked), asked[2], "fine")
  }

  write(...asked: Parameters<SqlSession["write"]>): Promise<unknown> {
    return this.#carried(() => this.#database.session.write(...asked), asked[2], this.#world.fateOf(this.#process))
  }

  transaction(...asked: Parameters<SqlSession["transaction"]>): Promise<unknown> {
    return this.#carried(() => this.#database.session.transaction(...asked), asked[1], this.#world.fateOf(this.#process))
  }

  openStore(tables: readonly StoreTables[]): Promise<Store> {
    this.#store ??= this.#database.session.openStore(tables).then((store) => new SimulatedStore(store, this.#process, this.#world))
    return this.#store
  }

  storeVersion(): Promise<number> {
    return this.#database.session.storeVersion()
  }

  async close(): Promise<void> {}

  #carried(ask: () => unknown, attempt: Attempt, fate: Fate): Promise<unknown> {
    const process = this.#process
    if (process.isDead) return new Promise(() => {})
    if (fate === "crash before") {
      process.crash()
      return new Promise(() => {})
    }
    const { effect } = attempt.call
    if (fate === "refused") return Promise.reject(failure("not-connected", effect))
    return new Promise((resolve, reject) => {
      const told = (tell: () => void): void => {
        if (fate === "crash after") process.crash()
        this.#world.clock.at(this.#world.random.next() * LATENCY_MS_MAX, () => process.enter(tell))
      }
      Promise.resolve()
        .then(ask)
        .then(
          (answer) => told(() => (fate === "unknown" ? reject(failure("server-error", effect)) : resolve(answer))),
          (error) => told(() => reject(error)),
        )
    })
  }
}

class SimulatedStore implements Store {
  readonly #store: Store
  readonly #process: SimulatedProcess
  readonly #world: World

  constructor(store: Store, process: SimulatedProcess, world: World) {
    this.#store = store
    this.#process = process
    this.#world = world
  }

  get name(): string {
    return this.#store.name
  }

  get dialect(): Store["dialect"] {
    return this.#store.dialect
  }

  unit(statements: readonly StoreStatement[]): ReturnType<Store["unit"]> {
    const { clock } = this.#world
    const process = this.#process
    const fate = process.isDead ? "fine" : clock.now() < process.cutOffUntil ? "refused" : this.#world.fateOf(process)
    return new Promise((resolve, reject) => {
      if (process.isDead) return
      clock.at(fate === "late" ? LATE_MS : this.#latency(), () => {
        // What its process sent before it died may still come.
        if (process.isDead && this.#world.random.next() < 0.5) return
        if (fate === "crash before") return process.crash()
        if (fate === "refused") return this.#told(() => reject(failure("not-connected", "write", { note: "cut off" })))
        void this.#kept(statements).then(
          (results) => {
            if (fate === "crash after") process.crash()
            this.#told(() => (fate === "unknown" ? reject(failure("server-error", "write", { note: "lost" })) : resolve(results)))
          },
          (error: TrestleError) => this.#told(() => reject(error)),
        )
      })
    })
  }

  read(statement: StoreStatement): ReturnType<Store["read"]> {
    const { clock } = this.#world
    const process = this.#process
    return new Promise((resolve, reject) => {
      if (process.isDead) return
      if (clock.now() < process.cutOffUntil) return this.#told(() => reject(failure("not-connected", "read", { note: "cut off" })))
      clock.at(this.#latency(), () => {
        void this.#store.read(statement).then(
          (rows) => this.#told(() => resolve(rows)),
          (error) => this.#told(() => reject(error)),
        )
      })
    })
  }

  watch(): () => void {
    return () => {}
  }

  wake(): void {}

  async close(): Promise<void> {}

  async #kept(statements: readonly StoreStatement[]): Promise<readonly StoreResult[] | null> {
    const asked = statements.map(heldBy)
    const looking = asked.flatMap((held) => (held === null ? [] : [{ text: FENCE, values: [held.id] }]))
    const results = await this.#store.unit([...looking, ...statements])
    if (results === null) return null
    const own = results.slice(looking.length)
    const writes: HeldWrite[] = []
    for (const [i, held] of asked.entries()) {
      const newest = held === null ? undefined : results[writes.length]!.rows[0]?.fence
      if (held) writes.push({ ...held, newest: Number(newest), changes: own[i]!.changes })
    }
    if (writes.length > 0) this.#world.kept(writes)
    return own
  }

  #told(tell: () => void): void {
    this.#world.clock.at(this.#latency(), () => this.#process.enter(tell))
  }

  #latency(): number {
    return this.#world.random.next() * LATENCY_MS_MAX
  }
}

const FENCE = "select fence from trestle_jobs where id = ?"

function heldBy({ text, values }: StoreStatement): { id: string; fence: number } | null {
  const [id, fence] = values.slice(-2)
  const isChange = /^(update|delete from) trestle_jobs/.test(text)
  return isChange && text.endsWith("state = 'running'") && typeof id === "string" && typeof fence === "number" ? { id, fence } : null
}

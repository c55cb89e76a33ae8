// Nodes that die: several starts of one application, one after the other, on one database and one clock that stands still.
import type { DurableParts } from "../../src/assembly/durable.ts"
import { startApp } from "../../src/assembly/start.ts"
import { seededRandom } from "../../src/base/random.ts"
import type { SqliteSession } from "../../src/connectors/sqlite/connection.ts"
import { openSqlite } from "../../src/connectors/sqlite/open.ts"
import type { JobReport } from "../../src/contract/job.ts"
import type { CallRecord } from "../../src/contract/ports.ts"
import type { SqlSession } from "../../src/contract/sql-session.ts"
import type { HasStore, Store, StoreResult, StoreStatement } from "../../src/contract/store.ts"
import { type App, type Running, sqlite } from "../../src/index.ts"
import { FakeClock } from "../../src/testing/index.ts"
import { rememberingLog, standInReferences, THROWAWAY } from "../../src/testing/stand-ins.ts"

/** The database of every application here: its store, its outbox, its tables. */
export const db = sqlite({ file: ":memory:", name: "db", outbox: true })

const NEVER = new Promise<never>(() => {})

/** Counts the points of a run at which a process can die, and dies at one of them. */
export class Life {
  readonly dead = Promise.withResolvers<void>()
  readonly points: string[] = []
  readonly #deathAt: number
  isDead = false

  /** @param deathAt the number of its last point, from 1 */
  constructor(deathAt = Number.POSITIVE_INFINITY) {
    this.#deathAt = deathAt
  }

  /** Never resolves. */
  die(): Promise<never> {
    this.isDead = true
    this.dead.resolve()
    return NEVER
  }

  /** Never resolves once it is dead. */
  async pass(point: string): Promise<void> {
    if (!this.isDead) this.points.push(point)
    if (this.isDead || this.points.length >= this.#deathAt) await this.die()
  }

  /** Something that either happens wholly, or not at all. */
  async round<T>(what: string, act: () => T | Promise<T>): Promise<T> {
    await this.pass(`before ${what}`)
    const result = await act()
    await this.pass(`after ${what}`)
    return result
  }
}

class MortalStore implements Store {
  readonly #real: Store
  readonly #life: Life

  constructor(real: Store, life: Life) {
    this.#real = real
    this.#life = life
  }

  get name(): string {
    return this.#real.name
  }
  get dialect(): Store["dialect"] {
    return this.#real.dialect
  }
  unit(statements: readonly StoreStatement[]): Promise<readonly StoreResult[] | null> {
    // Of the start, which nobody dies in.
    if (statements[0]!.text.includes("trestle_owner")) return this.#real.unit(statements)
    return this.#life.round(`unit ${statements.map(({ text }) => text.trim().split(/\s+/)[0]).join("+")}`, () =>
      this.#real.unit(statements),
    )
  }
  read(statement: StoreStatement): ReturnType<Store["read"]> {
    return this.#life.isDead ? NEVER : this.#real.read(statement)
  }
  watch(listener: () => void): () => void {
    return this.#real.watch(listener)
  }
  wake(): void {}
  async close(): Promise<void> {}
}

/** A connection of one node to the database that outlives it. */
function mortal(real: SqliteSession, life: Life): SqlSession & HasStore {
  return {
    name: real.name,
    capabilities: real.capabilities,
    read: (...given) => (life.isDead ? NEVER : real.read(...given)),
    write: (...given) => life.round("write", () => real.write(...given)),
    transaction: (...given) => life.round("transaction", () => real.transaction(...given)),
    storeVersion: () => real.storeVersion(),
    openStore: async (tables) => new MortalStore(await real.openStore(tables), life),
    close: async () => {},
  }
}

export interface Node<T> {
  readonly running: Running<T>
  readonly durable: DurableParts
  readonly life: Life
  readonly records: readonly CallRecord[]
  jobs(): Promise<JobReport[]>
}

/** What outlives the nodes. */
export class Place {
  readonly clock = new FakeClock()
  readonly session: SqliteSession
  #nodes = 0

  private constructor(session: SqliteSession) {
    this.session = session
  }

  static async open(...tables: readonly string[]): Promise<Place> {
    const clock = new FakeClock()
    const settings = { name: "db", file: ":memory:", durability: "full", busyTimeout: "1s", rowsMax: 1_000 } as const
    const host = { references: standInReferences(), clock, concurrency: 1, openTransport: null, isEphemeral: true }
    const migrations = tables.map((sql, i) => ({ name: `000${i + 1}-table`, sql }))
    const session = await openSqlite({ ...settings, migrations: migrations.length ? migrations : undefined, migratesOnStart: true }, host)
    const place = new Place(session)
    ;(place as { clock: FakeClock }).clock = clock
    return place
  }

  /** Starts the application; what is due is done by hand. */
  async start<T>(app: App<T>, life = new Life()): Promise<Node<T>> {
    const records: CallRecord[] = []
    let durable!: DurableParts
    const running = await startApp(app, {
      ...THROWAWAY,
      clock: this.clock,
      random: seededRandom(++this.#nodes),
      log: rememberingLog(records),
      references: standInReferences(),
      openService: (service, host) => (service === db["~service"] ? mortal(this.session, life) : service.open(host)),
      durable: {
        isByHand: true,
        published: () => {},
        opened: (parts) => {
          durable = parts
        },
      },
    })
    const jobs = async (): Promise<JobReport[]> => {
      const found: JobReport[] = []
      for await (const job of durable.desk.all()) found.push(job)
      return found
    }
    return { running, durable, life, records, jobs }
  }

  /** The leases of whoever has died are over, and everything that is due is done, as long as something is. */
  async recover(node: Node<unknown>, times = 3): Promise<void> {
    for (let n = 0; n < times; n++) {
      await this.clock.advance("2m")
      await node.durable.work()
    }
  }
}

// Operations under keys, over a real store and a clock that stands still: the engine, and nothing of the rooms above it.
import { seededRandom } from "../../src/base/random.ts"
import type { SqliteSession } from "../../src/connectors/sqlite/connection.ts"
import { openSqlite } from "../../src/connectors/sqlite/open.ts"
import { failure } from "../../src/contract/failure.ts"
import type { Delivery } from "../../src/contract/job.ts"
import { KEEPS_NOTHING } from "../../src/contract/keeping.ts"
import type { CallRecord } from "../../src/contract/ports.ts"
import type { Principal } from "../../src/contract/principal.ts"
import type { Store, StoreStatement } from "../../src/contract/store.ts"
import { Claims } from "../../src/durable/claims.ts"
import { underKeys } from "../../src/durable/keyed-call.ts"
import type { Seal } from "../../src/durable/seal.ts"
import { PLAIN } from "../../src/durable/seal.ts"
import { SealedText } from "../../src/durable/sealed-text.ts"
import { TABLES } from "../../src/durable/tables.ts"
import type { Call } from "../../src/runtime/call.ts"
import { type CallerOf, compileCallers } from "../../src/runtime/callers.ts"
import { checkDeclarations } from "../../src/runtime/check.ts"
import { Engine } from "../../src/runtime/engine.ts"
import { FakeClock } from "../../src/testing/fake-clock.ts"
import { standInReferences } from "../../src/testing/stand-ins.ts"

export const ada: Principal = { id: "ada", kind: "user" }
export const bob: Principal = { id: "bob", kind: "user" }

/** What becomes of the next units whose text begins so. */
export type Fault = "refused" | "unknown" | "kept, and unknown"

/** A real store, some units of which fail. */
export class FaultyStore implements Store {
  readonly name = "store"
  /** Texts of all units, by their first word. */
  readonly units: string[] = []
  readonly #real: Store
  #held: { readonly begins: string; readonly until: Promise<void> } | null = null
  readonly #faults: { readonly begins: string; readonly fault: Fault }[] = []

  constructor(real: Store) {
    this.#real = real
  }

  get dialect(): Store["dialect"] {
    return this.#real.dialect
  }

  /** The next unit that begins with this word. */
  fail(begins: string, fault: Fault): void {
    this.#faults.push({ begins, fault })
  }

  /** The next unit that begins with this word waits until what comes back is called. */
  hold(begins: string): () => void {
    let go: () => void = () => {}
    this.#held = { begins, until: new Promise((resolve) => (go = resolve)) }
    return () => go()
  }

  async unit(statements: readonly StoreStatement[]): ReturnType<Store["unit"]> {
    const { text } = statements[0]!
    this.units.push(text.split(" ")[0]!)
    if (this.#held && text.startsWith(this.#held.begins)) await this.#held.until
    const at = this.#faults.findIndex(({ begins }) => text.startsWith(begins))
    const [planned] = at === -1 ? [] : this.#faults.splice(at, 1)
    if (planned?.fault === "refused") throw failure("not-connected", "write", { note: "store: gone" })
    if (planned?.fault === "unknown") throw failure("connection-lost", "write", { note: "store: the commit failed" })
    const results = await this.#real.unit(statements)
    if (planned) throw failure("connection-lost", "write", { note: "store: the commit's answer was lost" })
    return results
  }

  read(statement: StoreStatement): ReturnType<Store["read"]> {
    return this.#real.read(statement)
  }
  watch(listener: () => void): () => void {
    return this.#real.watch(listener)
  }
  wake(): void {
    this.#real.wake()
  }
  close(): Promise<void> {
    return this.#real.close()
  }
}

export interface WorldOptions {
  readonly seal?: Seal
  /** The store of another node. Default: a new one in memory. */
  readonly beside?: World<object>
}

/** One node with its operations. */
export class World<T extends object> {
  readonly clock: FakeClock
  readonly store: FaultyStore
  readonly claims: Claims
  readonly engine: Engine
  readonly records: CallRecord[] = []
  readonly complaints: string[] = []
  readonly #ops: T
  readonly #callers: (who: CallerOf) => unknown
  readonly #session: SqliteSession

  private constructor(ops: T, { seal = PLAIN, beside }: WorldOptions, session: SqliteSession, clock: FakeClock, store: FaultyStore) {
    this.#ops = ops
    this.#session = session
    this.clock = clock
    this.store = store
    const complain = (message: string): void => void this.complaints.push(message)
    this.claims = new Claims(store, new SealedText(seal), { info: complain, warn: complain, error: complain })
    this.engine = new Engine({
      clock,
      random: seededRandom(beside ? 2 : 1),
      record: (record) => this.records.push(record),
      stages: { idempotency: (operation) => (operation.repeat === "key" ? underKeys<Call>(operation, this.claims) : null) },
      siteOf: () => ({ keeping: KEEPS_NOTHING, durable: null, connection: nowhere, guard: nowhere }),
    })
    const { operations, named } = checkDeclarations(ops, {})
    for (const operation of operations) this.engine.add(named.find(({ path }) => path === operation.path)!.op, operation)
    this.#callers = compileCallers(ops, this.engine)
  }

  static async open<T extends object>(ops: T, options: WorldOptions = {}): Promise<World<T>> {
    const clock = options.beside?.clock ?? new FakeClock()
    if (options.beside) return new World(ops, options, options.beside.#session, clock, options.beside.store)
    const settings = { name: "store", file: ":memory:", durability: "full", busyTimeout: "1s", rowsMax: 1_000 } as const
    const host = { references: standInReferences(), clock, concurrency: 1, openTransport: null, isEphemeral: true }
    const session = await openSqlite({ ...settings, migrations: undefined, migratesOnStart: false }, host)
    return new World(ops, options, session, clock, new FaultyStore(await session.openStore(TABLES)))
  }

  /** Callers of any kind; `null`: without credentials. */
  as(principal: Principal | null): any {
    return this.#callers({ principal, isOwnAuthority: false })
  }

  internal(): any {
    return this.#callers({ principal: null, isOwnAuthority: true })
  }

  /** A run of a job. */
  deliver(path: string, input: unknown, delivery: Partial<Delivery> = {}): Promise<Call> {
    const whole = {
      id: "job",
      kind: "message",
      attempt: 1,
      followsUnknown: false,
      isOrdered: false,
      isLook: false,
      putAt: 0,
      fence: 1,
      ...delivery,
    } as const
    const job = { input, principal: ada, isOwnAuthority: false, trace: "t", idempotencyKey: "of the job" }
    return new Promise((resolve) => this.engine.deliver({ compiled: this.engine.find(path)!, delivery: whole, job }, resolve))
  }

  async rows(): Promise<readonly Record<string, unknown>[]> {
    return this.store.read({ text: "select * from trestle_claims order by id limit ?", values: [100] })
  }

  get ops(): T {
    return this.#ops
  }

  async close(): Promise<void> {
    await this.#session.close()
  }
}

function nowhere(): never {
  throw new TypeError("no service here")
}

import type { Connection, ServiceHost } from "../../contract/service.ts"
import type { Arrival, Fault, PlacedCall, StandIn } from "../../contract/stand-in.ts"
import { shortened, shortestAttemptMs, WatchedSession } from "../sql/watched-session.ts"
import { POSTGRES_FAULTS, type PostgresFault } from "./faults.ts"
import { type CommitWatch, FaultyLine } from "./faulty-line.ts"
import { openPostgres, type PostgresSettings } from "./open.ts"
import { SCRATCH, ScratchServer } from "./scratch.ts"
import { StandInTables } from "./stand-in-tables.ts"

/** A database of its own on a server for tests, with its tables as the migrations make them, dropped at the end. */
export async function openPostgresStandIn(settings: PostgresSettings, calls: readonly PlacedCall[], fault: Fault | null): Promise<StandIn> {
  const known = POSTGRES_FAULTS.find(({ name }) => name === fault?.name) ?? null
  return new PostgresStandIn(settings, shortestAttemptMs(calls), known)
}

class PostgresStandIn implements StandIn, CommitWatch {
  readonly arrivals: Arrival[] = []
  readonly #settings: PostgresSettings
  readonly #timeoutMs: number
  readonly #fault: PostgresFault | null
  #server: ScratchServer | null = null
  #name: string | null = null
  #line: FaultyLine | null = null
  #session: WatchedSession | null = null
  #tables: StandInTables | null = null
  #timer: NodeJS.Timeout | undefined

  constructor(settings: PostgresSettings, timeoutMs: number, fault: PostgresFault | null) {
    this.#settings = settings
    this.#timeoutMs = timeoutMs
    this.#fault = fault
  }

  async open(host: ServiceHost): Promise<Connection> {
    const server = await ScratchServer.of(host.references, this.#settings.at)
    if (!(server instanceof ScratchServer)) throw new TypeError(server.why)
    this.#server = server
    this.#name = await server.create()
    const fault = this.#fault?.line ?? null
    this.#line = new FaultyLine({ target: server.place, fault, slowMs: this.#timeoutMs / 2, watch: this })
    const url = server.addressOf(this.#name, await this.#line.open())
    const settings = { ...this.#settings, url: SCRATCH, migratesOnStart: true }
    const session = await openPostgres(settings, { ...host, isEphemeral: false, references: { read: () => url } })
    this.#session = new WatchedSession(session, this.arrivals)
    this.#tables = await StandInTables.of(await server.connect(this.#name))
    return this.#session
  }

  async fail(nth?: number): Promise<void> {
    const { server } = this.#fault ?? {}
    const tables = this.#tables!
    await this.#line!.fail(nth)
    // A trigger sees statements, and does not know which transaction they belong to.
    if (nth !== undefined && typeof server === "object") return this.#session!.break("unique", nth)
    if (server === "restarted") await tables.endOthers(this.#name!)
    else if (typeof server === "object") await tables.raise(server.raises, server.isOnce === true)
    else if (server !== undefined) await tables.lock()
    if (server === "locked for a moment") this.#timer = setTimeout(() => void tables.unlock(), this.#timeoutMs / 4)
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer)
    await this.#session?.close()
    await this.#tables?.close()
    await this.#line?.close()
    if (this.#name !== null) await this.#server!.drop(this.#name)
  }

  look(): Promise<string | null> {
    return this.#tables?.state() ?? Promise.resolve(null)
  }

  /** A commit after which every row is as before had no effect: what is natural, or is known to have been done, may come again. */
  async committed(statements: readonly string[], before: string | null): Promise<void> {
    const [only = "", ...more] = statements
    const asked = more.length === 0 ? shortened(only) : "a transaction"
    const hasEffect = before === null || before !== (await this.look())
    this.arrivals.push({ asked, effect: hasEffect ? `${this.#settings.name} ${this.arrivals.length}` : null })
  }
}

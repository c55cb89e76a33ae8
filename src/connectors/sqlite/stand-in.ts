import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Connection, ServiceHost } from "../../contract/service.ts"
import type { Arrival, Fault, PlacedCall, StandIn } from "../../contract/stand-in.ts"
import { shortestAttemptMs, WatchedSession } from "../sql/watched-session.ts"
import { SqliteDatabase } from "./database.ts"
import { type FaultName, SQLITE_FAULTS } from "./faults.ts"
import { openSqlite, type SqliteSettings } from "./open.ts"

/** A database of its own, with its tables and without rows: in memory, or in a file of its own where the fault needs one. */
export async function openSqliteStandIn(settings: SqliteSettings, calls: readonly PlacedCall[], fault: Fault | null): Promise<StandIn> {
  const name = SQLITE_FAULTS.find((one) => one.name === fault?.name)?.name ?? null
  return new SqliteStandIn(settings, shortestAttemptMs(calls), name)
}

class SqliteStandIn implements StandIn {
  readonly #settings: SqliteSettings
  readonly #timeoutMs: number
  readonly #fault: FaultName | null
  #folder: string | null = null
  #session: WatchedSession | null = null
  #otherProcess: SqliteDatabase | null = null
  #timer: NodeJS.Timeout | undefined

  constructor(settings: SqliteSettings, timeoutMs: number, fault: FaultName | null) {
    this.#settings = settings
    this.#timeoutMs = timeoutMs
    this.#fault = fault
  }

  get arrivals(): readonly Arrival[] {
    return this.#session?.arrivals ?? []
  }

  async open(host: ServiceHost): Promise<Connection> {
    const isInMemory = this.#fault === null || this.#fault === "refuses a duplicate"
    if (!isInMemory) this.#folder = temporaryFolder()
    const settings = { ...this.#settings, file: this.#file, migratesOnStart: true, durability: "normal" } as const
    this.#session = new WatchedSession(await openSqlite(settings, { ...host, isEphemeral: isInMemory }))
    return this.#session
  }

  fail(nth?: number): void {
    switch (this.#fault) {
      case "is locked":
        return this.#lock()
      case "is locked for a moment":
        this.#lock()
        this.#timer = setTimeout(() => this.#unlock(), this.#timeoutMs / 4)
        return
      case "has lost its file":
        for (const end of ["", "-wal", "-shm"]) rmSync(this.#file + end, { force: true })
        return
      case "refuses a duplicate":
        this.#session!.break("unique", nth)
    }
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer)
    this.#unlock()
    await this.#session?.close()
    if (this.#folder !== null) remove(this.#folder)
  }

  get #file(): string {
    return join(this.#folder ?? "", "stand-in.db")
  }

  /** To SQLite, another connection is as good as another process. */
  #lock(): void {
    this.#otherProcess = new SqliteDatabase({ file: this.#file, readOnly: false, durability: "normal" })
    this.#otherProcess.exec("begin immediate")
  }

  #unlock(): void {
    this.#otherProcess?.close()
    this.#otherProcess = null
  }
}

const folders = new Set<string>()
const removeAll = (): void => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
}

/** Removed with the process at the latest, if that is ended within. */
function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "trestle-stand-in-"))
  if (folders.size === 0) process.once("exit", removeAll)
  folders.add(folder)
  return folder
}

function remove(folder: string): void {
  rmSync(folder, { recursive: true, force: true })
  folders.delete(folder)
  if (folders.size === 0) process.off("exit", removeAll)
}

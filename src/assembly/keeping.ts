import type { Clock } from "../base/clock.ts"
import type { Backend } from "../contract/backend.ts"
import type { CacheResult, Keeping, Keeps, Revocation, Shelf } from "../contract/keeping.ts"
import type { Operation } from "../contract/operation.ts"
import type { EventLog } from "../contract/ports.ts"
import type { AuthenticatorHost } from "../contract/principal.ts"
import { type LastGoodFile, openLastGoodFile } from "../durable/last-good-file.ts"
import { within } from "../runtime/within.ts"

/** How often what was kept is written, and the ends of credentials are looked for. */
const TICK_MS = 1_000

export interface KeepingOptions {
  readonly operations: readonly Operation[]
  readonly events: EventLog
  /** Counts what became of a call at a cache. */
  readonly count: (operation: string, result: CacheResult) => void
  /** Folder of Trestle's own files; `null`: nothing outlives the process. */
  readonly folder: string | null
  readonly clock: Clock
}

/** What the backends of one application keep, and how it goes when it must. */
export class Keepings implements Keeping {
  readonly events: EventLog
  readonly count: (operation: string, result: CacheResult) => void
  #revocations = 0
  readonly #keeps: Keeps[] = []
  readonly #looks: (() => void)[] = []
  /** What was revoked before everything that keeps is there. */
  readonly #early: Revocation[] = []
  #hasBegun = false
  readonly #shelves = new Map<string, number>()
  readonly #file: LastGoodFile | null
  readonly #isUsed: boolean
  #timer: NodeJS.Timeout | null = null

  private constructor({ events, count }: KeepingOptions, isUsed: boolean, file: LastGoodFile | null) {
    this.events = events
    this.count = count
    this.#isUsed = isUsed
    this.#file = file
  }

  /** Opens the file where some operation has a `lastGood`; a file that cannot be used costs what it held, never the start. */
  static open(options: KeepingOptions): Keepings {
    const kinds = new Set(
      options.operations.flatMap(({ declaration: { backend } }) =>
        (backend ? within(backend as AnyBackend) : []).map(({ plan }) => plan.keeps),
      ),
    )
    const { folder, events, clock } = options
    const file = kinds.has("file") && folder !== null ? openLastGoodFile({ folder, events, clock }) : null
    const hasKeys = options.operations.some(({ repeat }) => repeat === "key")
    return new Keepings(options, kinds.has("file") || kinds.has("memory") || hasKeys, file)
  }

  get revocations(): number {
    return this.#revocations
  }

  add(keeps: Keeps): void {
    this.#keeps.push(keeps)
    for (const revoked of this.#early) keeps.forget(revoked)
  }

  /** Two of one operation are told apart by their order, which is that of the declaration. */
  shelf(name: string, entriesMax: number): Shelf | null {
    if (this.#file === null) return null
    const number = (this.#shelves.get(name) ?? 0) + 1
    this.#shelves.set(name, number)
    return this.#file.shelf(number === 1 ? name : `${name} ${number}`, entriesMax)
  }

  /** When this returns, nothing that was kept for them is left, in memory and in the file. */
  forget(revoked: Revocation): void {
    this.#revocations++
    if (!this.#hasBegun) this.#early.push(revoked)
    for (const keeps of this.#keeps) keeps.forget(revoked)
    this.#file?.forget(revoked)
  }

  /** What authenticators get of it. */
  get host(): Pick<AuthenticatorHost, "revoked" | "watch"> {
    return {
      revoked: (revoked) => this.forget(revoked),
      watch: (look) => {
        if (this.#isUsed) this.#looks.push(look)
      },
    }
  }

  /** From here on: real time, whatever the application's clock, for files and other processes do not stand still for a test. */
  begin(): void {
    this.#hasBegun = true
    this.#early.length = 0
    if (this.#file === null && this.#looks.length === 0) return
    this.#timer = setInterval(() => this.#tick(), TICK_MS).unref()
  }

  close(): void {
    if (this.#timer) clearInterval(this.#timer)
    this.#file?.close()
  }

  #tick(): void {
    for (const look of this.#looks) {
      try {
        look()
      } catch (error) {
        this.events.warn("the ends of credentials could not be looked for", { error })
      }
    }
    this.#file?.flush()
  }
}

type AnyBackend = Backend<any, any, any>

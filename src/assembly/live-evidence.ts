import type { Alarm, Clock, Rings } from "../base/clock.ts"
import type { Operation } from "../contract/operation.ts"
import type { CallRecord } from "../contract/ports.ts"
import { backendOf, type EvidenceBook, type Sighting } from "../runtime/evidence.ts"
import { backendParts } from "../runtime/status.ts"
import { changed, type EvidenceChanges } from "./evidence-file.ts"

/** Each operation is noted once in this time: a board needs no more, and a call must not pay for it. */
const ROUND_MS = 3_600_000
/** Sightings that come together are written together. */
const GATHER_MS = 1_000

export interface LiveOptions {
  readonly operations: readonly Operation[]
  readonly clock: Clock
  /** Adds to what is kept. */
  readonly write: (changes: EvidenceChanges) => Promise<void>
  /** What was kept cannot be written; said once. */
  readonly failed: (error: unknown) => void
}

/**
 * Notes which operations have answered real callers: over a network, in production, by their first choice and not by a placeholder. For
 * nearly every call that is a comparison and a look into a set that is nearly empty.
 */
export class LiveEvidence implements Rings {
  readonly #options: LiveOptions
  readonly #operations: ReadonlyMap<string, Operation>
  #unseen = new Set<string>()
  #roundEndsAt = Number.NEGATIVE_INFINITY
  #pending: Record<string, { live: Sighting }> = {}
  #alarm: Alarm = null
  #writing: Promise<void> = Promise.resolve()
  #hasFailed = false

  constructor(options: LiveOptions) {
    this.#options = options
    const real = options.operations.filter(({ state, route }) => state !== "placeholder" && route !== null)
    this.#operations = new Map(real.map((operation) => [operation.path, operation]))
  }

  note(call: CallRecord): void {
    if (call.epoch >= this.#roundEndsAt) this.#beginRound(call.epoch)
    if (this.#unseen.has(call.operation) && isReal(call)) this.#see(call)
  }

  ring(): void {
    this.#alarm = null
    const changes = this.#pending
    this.#pending = {}
    this.#writing = this.#writing.then(() => this.#options.write(changes)).catch((error) => this.#fail(error))
  }

  /** The book with what has not been written yet. */
  over(book: EvidenceBook): EvidenceBook {
    return changed(book, this.#pending)
  }

  /** Resolves when everything that was seen is kept. */
  async close(): Promise<void> {
    if (this.#alarm !== null) {
      this.#options.clock.cancel(this.#alarm)
      this.ring()
    }
    await this.#writing
  }

  #beginRound(epoch: number): void {
    this.#roundEndsAt = epoch + ROUND_MS
    this.#unseen = new Set(this.#hasFailed ? [] : this.#operations.keys())
  }

  #see({ operation: path, epoch, meta }: CallRecord): void {
    this.#unseen.delete(path)
    const operation = this.#operations.get(path)!
    const { servedBy, ms } = meta
    const sighting = {
      contract: operation.contractHash,
      backend: backendOf(backendParts(operation)),
      epoch,
      servedBy,
      ms: Math.round(ms),
      count: 1,
    }
    this.#pending[path] = { live: sighting }
    this.#alarm ??= this.#options.clock.after(GATHER_MS, this)
  }

  #fail(error: unknown): void {
    if (!this.#hasFailed) this.#options.failed(error)
    this.#hasFailed = true
    this.#unseen.clear()
  }
}

function isReal({ entrance, error, meta }: CallRecord): boolean {
  const isOverNetwork = entrance === "http" || entrance === "rpc"
  // A kept answer was seen when it was new, and no longer tells who made it: a placeholder inside would be hidden by a cache.
  if (!isOverNetwork || error !== null || meta.degraded !== false || meta.ageMs !== undefined) return false
  // Nested answers are joined: "crm+placeholder" is still made up in part.
  return !meta.servedBy.split("+").includes("placeholder")
}

import type { Meta, Repaired } from "../contract/call.ts"
import { Repairs } from "./repairs.ts"

/** How the answer of a call is made: noted by backends, policies and connectors while they make it, told to its caller and to its record. */
export abstract class Making {
  abstract readonly trace: string
  abstract readonly work: string | null
  /** Milliseconds since it began. */
  abstract readonly lastedMs: number
  #meta: Meta | null = null
  #servedBy = ""
  #nestedServedBy: string[] | null = null
  #attempts = 0
  #degradedWhy: string | null = null
  #ageMs: number | null = null
  #etag: string | null = null
  #repairs: Repairs | null = null

  get meta(): Meta {
    this.#meta ??= this.madeSoFar()
    return this.#meta
  }

  /** As `meta`, before the end. */
  madeSoFar(): Meta {
    return {
      servedBy: this.#servedBy,
      attempts: this.#attempts,
      ms: this.lastedMs,
      degraded: this.#degraded(),
      ...(this.#ageMs === null ? {} : { ageMs: this.#ageMs }),
      trace: this.trace,
      ...(this.#etag === null ? {} : { etag: `"${this.#etag}"` }),
      ...(this.work === null ? {} : { work: this.work }),
      ...(this.#repairs === null ? {} : { repaired: this.#repairs }),
    }
  }

  /** The head of its answer has told what there was to tell; its record will tell of the whole. */
  goOn(): void {
    this.#meta = null
  }

  get ownRepairs(): ReadonlyMap<string, number> | undefined {
    return this.#repairs?.own()
  }

  get ageMs(): number | null {
    return this.#ageMs
  }

  get etag(): string | null {
    return this.#etag
  }

  get isDegraded(): boolean {
    return this.#degradedWhy !== null
  }

  noteAttempt(): void {
    this.#attempts++
  }

  noteServedBy(name: string): void {
    this.#servedBy = (name === "code" || name === "flow") && this.#nestedServedBy ? this.#nestedServedBy.join("+") : name
  }

  noteDegraded(why: string, ageMs?: number): void {
    this.#degradedWhy = why
    if (ageMs !== undefined) this.#ageMs = ageMs
  }

  noteAge(ageMs: number): void {
    this.#ageMs = ageMs
  }

  noteEtag(tag: string): void {
    this.#etag = tag
  }

  noteRepair(what: string): void {
    this.#repairs ??= new Repairs()
    this.#repairs.add(what)
  }

  /** As an earlier call has made it, whose answer is given again. */
  adopt({ servedBy, attempts, degraded, ageMs, etag, repaired }: Meta, ownRepairs?: ReadonlyMap<string, number>): void {
    this.#servedBy = servedBy
    this.#attempts += attempts
    if (degraded) this.#degradedWhy = degraded.why
    if (ageMs !== undefined) this.#ageMs = ageMs
    if (etag !== undefined) this.#etag = etag.slice(1, -1)
    if (repaired) this.#absorbRepairs(repaired)
    if (ownRepairs) this.#repairs?.adopt(ownRepairs)
  }

  /** What a call inside says of its making, so that nothing inside is hidden outside. */
  protected absorbMaking({ servedBy, attempts, degraded, repaired }: Meta): void {
    this.#attempts += attempts
    if (repaired) this.#absorbRepairs(repaired)
    if (degraded) this.#absorbDegraded(degraded)
    if (servedBy === "") return
    this.#nestedServedBy ??= []
    if (!this.#nestedServedBy.includes(servedBy)) this.#nestedServedBy.push(servedBy)
  }

  #degraded(): Meta["degraded"] {
    if (this.#degradedWhy === null) return false
    return this.#ageMs === null ? { why: this.#degradedWhy } : { why: this.#degradedWhy, ageMs: this.#ageMs }
  }

  /** The first counts; but what is of a second choice weighs more than what is only old, and must not pass for it. */
  #absorbDegraded({ why, ageMs }: Exclude<Meta["degraded"], false>): void {
    const isOnlyOld = this.#degradedWhy !== null && this.#ageMs !== null
    if (this.#degradedWhy !== null && !(isOnlyOld && ageMs === undefined)) return
    this.#degradedWhy = why
    this.#ageMs = ageMs ?? null
  }

  #absorbRepairs(repaired: Repaired): void {
    this.#repairs ??= new Repairs()
    this.#repairs.absorb(repaired)
  }
}

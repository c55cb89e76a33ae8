import type { CallContext } from "../contract/call.ts"
import type { BegunJob, Delivery, Durable, JobEnd, JobProgress, NewJob, NewMessage } from "../contract/job.ts"
import type { Journal } from "../contract/journal.ts"
import type { OutboxRow } from "../contract/outbox.ts"
import type { Service } from "../contract/service.ts"
import type { Store, StoreStatement } from "../contract/store.ts"
import type { Followers } from "./followers.ts"
import type { Jobs } from "./jobs.ts"
import type { Messages } from "./messages.ts"
import { outboxRow } from "./outbox.ts"
import type { Relay } from "./relay.ts"
import type { SealedText } from "./sealed-text.ts"
import type { Worker } from "./worker.ts"

export interface DurableParts {
  readonly store: Store
  readonly jobs: Jobs
  readonly worker: Worker
  readonly followers: Followers
  readonly messages: Messages
  readonly journal: (delivery: Delivery) => Promise<Journal>
  readonly seal: SealedText
  readonly epoch: () => number
  /** One for each service that keeps an outbox; filled once they are opened. */
  readonly relays: ReadonlyMap<Service, Relay>
  /** Hears of every message that is given to its consumers. */
  readonly published: ((message: NewMessage) => void) | null
}

/** Trestle's own durable work, as the other rooms get it. */
export class DurableWork implements Durable {
  readonly #parts: DurableParts

  constructor(parts: DurableParts) {
    this.#parts = parts
  }

  putting(job: NewJob): readonly StoreStatement[] {
    return [this.#parts.jobs.putting(job)]
  }

  publishing(message: NewMessage): readonly StoreStatement[] {
    const { jobs, messages, published } = this.#parts
    const statements = messages.jobsOf(message).map((job) => jobs.putting(job))
    published?.(message)
    return statements
  }

  async put(job: NewJob): Promise<boolean> {
    const { jobs, worker } = this.#parts
    if (isDueNow(job) && worker.hasRoomFor(job.operation)) {
      const put = await worker.putAndRun(job)
      if (put === "waits") this.woken()
      return put !== "known"
    }
    const isNew = await jobs.put(job)
    if (isNew) this.woken()
    return isNew
  }

  /** Gives a message to its consumers; resolves when it is stored. */
  async publish(message: NewMessage): Promise<void> {
    const { store, messages, published, worker } = this.#parts
    const jobs = messages.jobsOf(message)
    published?.(message)
    const [only] = jobs
    if (jobs.length === 1 && worker.hasRoomFor(only!.operation)) await this.put(only!)
    else if (jobs.length > 0) {
      await store.unit(jobs.map((job) => this.#parts.jobs.putting(job)))
      this.woken()
    }
  }

  async begin(job: NewJob, isHurried: boolean): Promise<BegunJob> {
    const { followers } = this.#parts
    // Before it is put: a quick run may be over before this hears of it.
    const following = followers.follow(job.id, isHurried)
    try {
      const put = await this.#putToRun(job)
      if (put === "waits") this.woken()
      if (put === "known") await followers.look(job.id)
      // Whoever began it may be gone: it is found again when it is looked for again.
      if (put !== "begun") followers.pause(job.id, { is: "suspended", delayMs: 0, why: "it does not run for this caller" })
    } catch (error) {
      following.leave()
      throw error
    }
    return following
  }

  async #putToRun(job: NewJob): Promise<"begun" | "waits" | "known"> {
    const { worker, followers } = this.#parts
    try {
      if (isDueNow(job)) return await worker.putAndRun(job)
      return (await this.put(job)) ? "waits" : "known"
    } finally {
      followers.stored(job.id)
    }
  }

  outboxed(message: NewMessage): OutboxRow | null {
    const { messages, published, seal, epoch } = this.#parts
    messages.check(message)
    published?.(message)
    return messages.topicNamed(message.topic.topic) ? outboxRow(message, epoch(), seal) : null
  }

  outboxFilled(service: Service): void {
    this.#parts.relays.get(service)?.poke()
  }

  /** The same as `publishing`, for a message that has waited in an outbox. */
  relaying(message: NewMessage): readonly StoreStatement[] {
    const { jobs, messages } = this.#parts
    return messages.jobsOfStored(message).map((job) => jobs.putting(job))
  }

  journal(delivery: Delivery): Promise<Journal> {
    return this.#parts.journal(delivery)
  }

  isQueued(operation: string, orderKey: string): Promise<boolean> {
    return this.#parts.jobs.isQueued(operation, orderKey)
  }

  endOf(id: string): Promise<JobEnd | null | undefined> {
    return this.#parts.jobs.endOf(id)
  }

  cancel(id: string): Promise<boolean> {
    return this.#parts.jobs.cancel(id)
  }

  /** A picture for people: one that cannot be stored is followed by the next. */
  progressed(call: CallContext, progress: JobProgress): void {
    if (call.delivery) this.#parts.jobs.progressed(call.delivery, progress).catch(() => undefined)
  }

  /** Work was put, perhaps by a unit of somebody else: it is looked for now, here and in the other processes. */
  woken(): void {
    this.#parts.worker.poke()
    this.#parts.store.wake()
  }
}

function isDueNow({ delayMs = 0, isParked = false, expiresMs = 1 }: NewJob): boolean {
  return delayMs <= 0 && !isParked && expiresMs > 0
}

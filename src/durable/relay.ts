import type { Alarm, Clock, Rings } from "../base/clock.ts"
import { type NewMessage, REMEMBERED_MS } from "../contract/job.ts"
import type { EventLog } from "../contract/ports.ts"
import type { SqlRow } from "../contract/sql-session.ts"
import type { Store, StoreStatement } from "../contract/store.ts"
import type { Topic } from "../contract/topic.ts"
import { TrestleError } from "../errors/trestle-error.ts"
import { messageOf } from "./outbox.ts"
import type { SealedText } from "./sealed-text.ts"

/** Rows of one turn. */
const BATCH = 100
/** Somebody else may have written to the outbox, who tells nobody here. */
const LOOK_MS = 1_000
/** How often what is older is removed. */
const SWEEP_MS = 3_600_000

const DELIVERED = "delete from trestle_outbox where seq = ?"
/** It stays, and holds up no other one. */
const UNREADABLE = "update trestle_outbox set is_unreadable = 1 where seq = ?"
const PERHAPS_READABLE = "update trestle_outbox set is_unreadable = 0 where is_unreadable = 1"
const SWEEP = "delete from trestle_inbox where at < (select trestle_now()) - ?"

export interface RelayOptions {
  /** For messages: the service in whose database the outbox is. */
  readonly name: string
  readonly outbox: Store
  /** Where the jobs of consumers are kept. */
  readonly store: Store
  readonly seal: SealedText
  readonly clock: Clock
  readonly events: EventLog
  /** What consumers here take. Other messages are left for the nodes of another version, which have written them and take them. */
  readonly topics: readonly string[]
  readonly topicNamed: (name: string) => Topic<any, any> | undefined
  /** The statements that give a message to every consumer. Never throws: what fits its topic no more is for the consumer to refuse. */
  readonly publishing: (message: NewMessage) => readonly StoreStatement[]
  /** Jobs were put. */
  readonly woken: () => void
  /** Nothing is done by itself. */
  readonly isByHand: boolean
}

/**
 * Brings the messages of one outbox to their consumers, in the order in which they were written. Several of them, on several nodes, may
 * work at one outbox: who takes the same message puts the same jobs, which are kept once. What cannot be read stays, for a person to see;
 * the next start tries again.
 */
export class Relay implements Rings {
  readonly #options: RelayOptions
  readonly #oldest: StoreStatement
  #alarm: Alarm | null = null
  #turn: Promise<void> | null = null
  #isAskedAgain = false
  #isStopped = false
  #hasWarned = false
  #hasBegun = false
  #sweepAt = Number.NEGATIVE_INFINITY

  constructor(options: RelayOptions) {
    this.#options = options
    const names = options.topics.map(() => "?").join(", ")
    const text = `select seq, id, topic, body, at from trestle_outbox
      where topic in (${names}) and is_unreadable = 0 order by seq limit ${BATCH}`
    this.#oldest = { text, values: options.topics }
  }

  start(): void {
    this.poke()
  }

  /** There may be something. */
  poke(): void {
    if (this.#isStopped || this.#options.isByHand) return
    if (this.#turn) this.#isAskedAgain = true
    else void this.#begin()
  }

  ring(): void {
    this.#alarm = null
    this.poke()
  }

  /** Brings everything that is there now; `true` where there was something. */
  async work(): Promise<boolean> {
    let brought = 0
    for (let rows = BATCH; rows === BATCH; brought += rows) rows = await this.#batch()
    return brought > 0
  }

  stop(): void {
    this.#isStopped = true
    if (this.#alarm !== null) this.#options.clock.cancel(this.#alarm)
  }

  /** Once no turn is under way. */
  async drained(): Promise<void> {
    await this.#turn
  }

  #begin(): Promise<void> {
    const { clock } = this.#options
    if (this.#alarm !== null) clock.cancel(this.#alarm)
    this.#alarm = null
    this.#turn = this.#bring().finally(() => {
      this.#turn = null
      if (this.#isStopped) return
      if (this.#isAskedAgain) this.poke()
      else this.#alarm = clock.after(LOOK_MS, this)
    })
    return this.#turn
  }

  async #bring(): Promise<void> {
    const { events, name, outbox } = this.#options
    this.#isAskedAgain = false
    try {
      if (!this.#hasBegun) await outbox.unit([{ text: PERHAPS_READABLE, values: [] }])
      this.#hasBegun = true
      while (!this.#isStopped && (await this.#batch()) === BATCH) this.#hasWarned = false
      await this.#sweep()
    } catch (error) {
      // It is looked for again a little later; once is enough to say.
      if (!this.#hasWarned) events.warn(`the outbox of ${name} cannot be delivered: ${noteOf(error)}`, { service: name })
      this.#hasWarned = true
    }
  }

  /** Gives how many there were; as many as a turn takes: there may be more. */
  async #batch(): Promise<number> {
    const { outbox, store, seal, woken, topics, topicNamed, publishing } = this.#options
    const rows = topics.length === 0 ? [] : await outbox.read(this.#oldest)
    if (rows.length === 0) return 0
    const jobs: StoreStatement[] = []
    const delivered: StoreStatement[] = []
    for (const row of rows) {
      const message = messageOf(row, seal, topicNamed)
      if (message) jobs.push(...publishing({ ...message, keepMs: REMEMBERED_MS }))
      else this.#tellUnreadable(row)
      delivered.push({ text: message ? DELIVERED : UNREADABLE, values: [row.seq as number] })
    }
    // In one database both count together; in two, the jobs first: what is delivered twice is put once.
    if (outbox === store) await store.unit([...jobs, ...delivered])
    else {
      if (jobs.length > 0) await store.unit(jobs)
      await outbox.unit(delivered)
    }
    if (jobs.length > 0) woken()
    return rows.length
  }

  #tellUnreadable({ id, topic }: SqlRow): void {
    const { events, name } = this.#options
    events.warn(`a message in the outbox of ${name} cannot be read: it stays there, and nobody gets it`, {
      service: name,
      message: id,
      topic,
      seeIt: "trestle outbox list",
    })
  }

  async #sweep(): Promise<void> {
    const { clock, outbox } = this.#options
    if (clock.now() < this.#sweepAt) return
    this.#sweepAt = clock.now() + SWEEP_MS
    await outbox.unit([{ text: SWEEP, values: [REMEMBERED_MS] }])
  }
}

function noteOf(error: unknown): string {
  return TrestleError.is(error) ? (error.note ?? error.code) : String(error)
}

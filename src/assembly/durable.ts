import type { Clock } from "../base/clock.ts"
import { withPatience } from "../base/patience.ts"
import type { Random } from "../base/random.ts"
import type { NewMessage } from "../contract/job.ts"
import type { Operation } from "../contract/operation.ts"
import type { EventLog } from "../contract/ports.ts"
import type { Authenticate } from "../contract/principal.ts"
import type { Service } from "../contract/service.ts"
import type { Store } from "../contract/store.ts"
import { DurableWork } from "../durable/durable-work.ts"
import { Followers } from "../durable/followers.ts"
import { JobDesk } from "../durable/job-desk.ts"
import type { StoredEnd } from "../durable/job-ends.ts"
import type { HeldJob } from "../durable/job-record.ts"
import { Jobs } from "../durable/jobs.ts"
import { openJournal } from "../durable/journal.ts"
import { Messages } from "../durable/messages.ts"
import { Relay } from "../durable/relay.ts"
import { Schedules } from "../durable/schedules.ts"
import { PLAIN } from "../durable/seal.ts"
import { SealedText } from "../durable/sealed-text.ts"
import { WorkFigures } from "../durable/work-figures.ts"
import { Worker } from "../durable/worker.ts"
import type { Engine } from "../runtime/engine.ts"
import { formerPaths } from "../runtime/retiring.ts"
import { jobRunner } from "./job-runner.ts"
import { Keys } from "./keys.ts"
import { keepsJobs } from "./needs-store.ts"
import type { OpenedStore, Outbox } from "./open-store.ts"
import { warnOfStrangers } from "./strange-jobs.ts"
import { WorkOfCallers } from "./work-of-callers.ts"

export interface DurableOptions {
  readonly operations: readonly Operation[]
  readonly clock: Clock
  readonly random: Random
  readonly events: EventLog
  readonly authenticate: Authenticate | null
  /** Nothing is done by itself: `work` does what is due. For tests, whose time stands still. */
  readonly isByHand: boolean
  /** Default: that of workers. */
  readonly leaseMs: number | undefined
  /** Databases of services that keep messages on their way out. */
  readonly outboxes: readonly Outbox[]
  /** Hears of every message that is published. */
  readonly published: ((message: NewMessage) => void) | null
  /** Hears what has become of a job after each run of it here. */
  readonly ran: (operation: string, end: string) => void
}

/** What became of a job after a run of it, in the words for its states. */
const BECAME: Readonly<Record<StoredEnd["is"], string>> = {
  done: "done",
  ended: "failed",
  failed: "again",
  suspended: "suspended",
  parked: "parked",
  dead: "dead",
}

const READS = { text: "select count(*) as schedules from trestle_schedules", values: [] }
const WRITES_NOTHING = { text: "update trestle_schedules set at = at where operation = ''", values: [] }

/** Who asks whether the store is well waits no longer. */
const STATE_MS_MAX = 1_000
/** A question that hangs for so long may have lost its connection; the store may be well again by then. */
const ASKED_AGAIN_MS = 10_000

/** What one started application does beyond its calls: jobs, messages, schedules. */
export class DurableParts {
  readonly site: DurableWork
  readonly store: Store
  /** For people, and for tests. */
  readonly desk: JobDesk
  readonly keys: Keys
  /** For those for whom it was put. */
  readonly callersWork: WorkOfCallers
  /** For those who watch it. */
  readonly figures: WorkFigures
  readonly #jobs: Jobs
  readonly #opened: OpenedStore
  readonly #options: DurableOptions
  readonly #worker: Worker
  readonly #followers: Followers
  readonly #schedules: Schedules
  readonly #relays: ReadonlyMap<Service, Relay>
  readonly #formerPaths: ReadonlyMap<string, string>
  #run: ReturnType<typeof jobRunner> | null = null
  #unwatch: (() => void) | null = null
  /** Under way. */
  #asked: { readonly at: number; readonly state: Promise<"up" | "down"> } | null = null
  readonly #givenUp = Promise.withResolvers<void>()

  constructor(opened: OpenedStore, options: DurableOptions) {
    const { store } = opened
    const { operations, clock, random, events, isByHand, published } = options
    this.#opened = opened
    this.store = store
    this.#options = options
    this.#formerPaths = new Map(operations.flatMap((operation) => formerPaths(operation).map((was) => [was, operation.path] as const)))
    this.figures = new WorkFigures({
      store,
      clock,
      outboxes: new Map(options.outboxes.map(({ service, store: outbox }) => [service.name, outbox])),
      paths: new Map([...this.#formerPaths, ...operations.map(({ path }) => [path, path] as const)]),
      always: operations.filter(keepsJobs).map(({ path }) => path),
    })
    this.#jobs = new Jobs({
      store,
      operations: [...operations.map(({ path }) => path), ...this.#formerPaths.keys()],
      epoch: clock.epoch,
      seal: PLAIN,
    })
    this.desk = new JobDesk({ store, epoch: clock.epoch, operations, seal: PLAIN })
    this.callersWork = new WorkOfCallers({ find: (id) => this.#jobs.find(id), authenticate: options.authenticate })
    this.#followers = new Followers(this.#jobs, clock, !isByHand)
    this.#worker = new Worker({
      jobs: this.#jobs,
      clock,
      events,
      run: (job, ended) => this.#run!(job, ended),
      ended: (job, end) => this.#ended(job, end),
      isShared: operations.filter(keepsJobs).length > 1,
      ...(options.leaseMs === undefined ? {} : { leaseMs: options.leaseMs }),
    })
    const seal = new SealedText(PLAIN)
    this.keys = new Keys({ store, seal, events })
    const messages = new Messages(operations)
    const relays = new Map<Service, Relay>()
    this.#relays = relays
    this.site = new DurableWork({
      store,
      seal,
      epoch: clock.epoch,
      relays,
      jobs: this.#jobs,
      worker: this.#worker,
      followers: this.#followers,
      messages,
      journal: (delivery) => openJournal(store, delivery, seal),
      published,
    })
    for (const { service, store: outbox } of options.outboxes) {
      const { site } = this
      const { name } = service
      const { topics } = messages
      const publishing = (message: NewMessage): ReturnType<DurableWork["relaying"]> => site.relaying(message)
      const topicNamed = (topic: string): ReturnType<Messages["topicNamed"]> => messages.topicNamed(topic)
      relays.set(
        service,
        new Relay({ name, outbox, store, seal, clock, events, topics, topicNamed, publishing, isByHand, woken: () => site.woken() }),
      )
    }
    const putting = (job: Parameters<DurableWork["putting"]>[0]): ReturnType<DurableWork["putting"]> => this.site.putting(job)
    this.#schedules = new Schedules({ operations, store, clock, random, events, putting, woken: () => this.site.woken() })
  }

  /** From here on jobs are run. */
  async begin(engine: Engine): Promise<void> {
    const { random, authenticate, isByHand } = this.#options
    this.#run = jobRunner({ engine, random, formerPaths: this.#formerPaths, resolve: authenticate?.resolve })
    await this.#jobs.rename([...this.#formerPaths])
    await this.#schedules.open()
    warnOfStrangers(await this.figures.look(), this.#options.events)
    if (isByHand) return
    this.keys.begin()
    this.#unwatch = this.store.watch(() => this.#worker.poke())
    this.#worker.start()
    for (const relay of this.#relays.values()) relay.start()
    this.#schedules.start()
  }

  /** Does everything that is due, and what comes of it. */
  async work(): Promise<void> {
    await this.#schedules.putDue()
    for (let isMore = true; isMore; ) {
      isMore = false
      await this.#worker.work()
      for (const relay of this.#relays.values()) if (await relay.work()) isMore = true
    }
  }

  /** Takes up nothing new. */
  stop(): void {
    this.#unwatch?.()
    this.#schedules.stop()
    this.keys.stop()
    for (const relay of this.#relays.values()) relay.stop()
    this.#worker.stop()
  }

  /** Once no call is under way any more: every end is stored, and the store is closed. */
  async close(): Promise<void> {
    await Promise.race([this.#drained(), this.#givenUp.promise])
    this.#followers.stop()
    await Promise.race([this.#opened.close(), this.#givenUp.promise])
  }

  /** Waits for a store no longer that does not answer: what it has not heard is found again when leases are over. */
  giveUp(): void {
    this.#givenUp.resolve()
  }

  async #drained(): Promise<void> {
    await this.#worker.drained()
    for (const relay of this.#relays.values()) await relay.drained()
  }

  /**
   * Whether the store can be read and written: a file that is gone can still be read, and a database that has become a replica too. Says so
   * within a second. One that hangs is not asked by each probe anew.
   */
  async state(): Promise<"up" | "down" | "no answer"> {
    const { clock } = this.#options
    if (this.#asked === null || clock.now() - this.#asked.at > ASKED_AGAIN_MS) this.#ask(clock.now())
    return (await withPatience(this.#asked!.state, STATE_MS_MAX, clock)) ?? "no answer"
  }

  #ask(at: number): void {
    const asked = Promise.all([this.store.read(READS), this.store.unit([WRITES_NOTHING])])
    const over = (state: "up" | "down"): typeof state => {
      if (this.#asked === asking) this.#asked = null
      return state
    }
    const asking = {
      at,
      state: asked.then(
        () => over("up"),
        () => over("down"),
      ),
    }
    this.#asked = asking
  }

  #ended(job: HeldJob, end: StoredEnd): void {
    this.#options.ran(this.#formerPaths.get(job.operation) ?? job.operation, BECAME[end.is])
    if (end.is === "failed") return this.#followers.pause(job.id, end)
    // Of one that is suspended those who wait hear too: that is as long as it may take.
    this.#followers.tell(job.id, end)
    if (end.is !== "dead" && end.is !== "parked") return
    const { operation, id, attempts, trace } = job
    this.#options.events.warn(`a job of ${operation} is ${end.is}: ${end.error.code}`, {
      job: id,
      attempts,
      trace,
      ...(end.error.note === undefined ? {} : { why: end.error.note }),
    })
  }
}

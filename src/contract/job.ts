import type { TrestleError } from "../errors/trestle-error.ts"
import type { CallContext, Meta } from "./call.ts"
import type { Journal } from "./journal.ts"
import type { OutboxRow } from "./outbox.ts"
import type { Principal } from "./principal.ts"
import type { Service } from "./service.ts"
import type { StoreStatement } from "./store.ts"
import type { Topic } from "./topic.ts"

/** Why an operation is run from the store: for a message of a topic, a deferred write, a flow, a schedule. */
export type JobKind = "message" | "deferred" | "flow" | "schedule"

/** How long it is remembered that a message was delivered, so that one which comes again is dropped: 14 days, in milliseconds. */
export const REMEMBERED_MS = 1_209_600_000

/** Begins the ids that are made from what a job stands for; no digit of a random one. */
export const DERIVED = "x"

/**
 * Where a job stands. `waiting`: for its time or its turn. `running`: somebody holds its lease. `parked`: waits for a person, is never sent
 * again by itself. `dead`: given up on. `done`, `failed`: over, and kept for a while for those who follow it; failed is a flow that has ended
 * with an error, and in which everything was undone.
 */
export type JobState = "waiting" | "running" | "parked" | "dead" | "done" | "failed"

/** One operation to be run, kept until it is done. */
export interface NewJob {
  /** Unique for ever: a second job of one id is not taken. From what it stands for, so that whoever repeats himself makes the same id. */
  readonly id: string
  readonly kind: JobKind
  /** Path of the operation. */
  readonly operation: string
  /** As it was received, before validation: JSON. */
  readonly input: unknown
  /** Jobs of one operation and key run one after the other, in the order in which they were put. `null`: no order. */
  readonly orderKey: string | null
  /** Dead or parked it holds up the later ones of its key. */
  readonly blocks: boolean
  /** On whose behalf; never with a token. `null`: a caller without credentials. */
  readonly principal: Principal | null
  /** Run with the application's own authority. */
  readonly isOwnAuthority: boolean
  readonly trace: string
  /** The token of the intent: every run of the job has the same, and so have the attempts at services inside it. */
  readonly idempotencyKey: string
  /** Contract hash of the operation when it was put. */
  readonly contractHash: string
  /** Not before that many milliseconds from now, unless an earlier job of its key ends sooner. Default 0. */
  readonly delayMs?: number
  /** Given up on, that many milliseconds from now. Default: never. */
  readonly expiresMs?: number
  /** The first that a person should know of it: why it was put, for its history. */
  readonly why?: string
  /** It stands for a write that may have had its effect already. */
  readonly followsUnknown?: boolean
  /** Begins as `parked` instead of `waiting`. */
  readonly isParked?: boolean
  /** How often it is run before it is given up on; `Infinity`: until it expires. Default: what `delivery` of its contract says. */
  readonly times?: number
  /** May be run again after a run that may have had its effect. Default: reads, and what may be repeated by its contract. */
  readonly mayRepeat?: boolean
  /** Longest that one run may take, in milliseconds. Default: the operation's deadline. */
  readonly lastsMs?: number
  /**
   * How long its id and its answer are kept after its end, in milliseconds. Default 24 hours for flows and deferred writes, 0 for the others.
   * What came from elsewhere, and may come again, is kept longer.
   */
  readonly keepMs?: number
  /** Of a message: the version of its topic when it was published. */
  readonly version?: number
}

/** How a call came that is run from the store; `null` for all others. */
export interface Delivery {
  /** The job's id. */
  readonly id: string
  readonly kind: JobKind
  /** 1 for the first run. */
  readonly attempt: number
  /** A run before this one may have had its effect: it ended as `unknown`, or its process died. */
  readonly followsUnknown: boolean
  /** A person has said that it is to be run again, although a run before may have had its effect. */
  readonly isOrdered: boolean
  /** The run before it was suspended: this one looks whether it can go on. */
  readonly isLook: boolean
  /** When the job was put, in milliseconds since 1970. */
  readonly putAt: number
  /** Rises with every lease; writes that end the job are refused to whoever holds an older one. */
  readonly fence: number
}

/** What happened to a job, for people. */
export interface JobEvent {
  /** Milliseconds since 1970, on the clock of the process that wrote it. */
  readonly at: number
  /** `failed`: a run of it has, and there will be another. `ended`: the flow has failed, and is undone. */
  readonly what: "put" | "failed" | "ended" | "parked" | "dead" | "done" | "retried" | "dropped" | "suspended" | "settled"
  readonly code?: string
  /** For the operator. */
  readonly why?: string
  /** Of a flow: what of it that was, `charge` or `undo charge`. */
  readonly step?: string
  /** Of `suspended`: id of the work that it waits for. */
  readonly work?: string
  /** The person who did it, where that is known. */
  readonly by?: string
}

/** A job as people and programs see it. Its input is not here: it may be secret. */
export interface JobReport {
  readonly id: string
  readonly kind: JobKind
  readonly operation: string
  readonly state: JobState
  readonly orderKey: string | null
  readonly attempts: number
  /** Milliseconds since 1970. */
  readonly createdAt: number
  /** When it is run next; `null` where it is not. */
  readonly dueAt: number | null
  readonly expiresAt: number | null
  readonly endedAt: number | null
  readonly trace: string
  readonly principal: Pick<Principal, "id" | "kind" | "tenant"> | null
  readonly progress: JobProgress | null
  /** The newest last, at most 50. */
  readonly history: readonly JobEvent[]
}

/** How far a job has come. */
export interface JobProgress {
  /** Steps that are done. */
  readonly done: number
  /** Name of the step that is under way, or is being undone, "" where it has none. Its caller may see it. */
  readonly step: string
  /** The flow has failed with this code, and is being undone. */
  readonly undoing?: string
}

/** How one run of a job has ended. */
export type JobEnd =
  | { readonly is: "done"; readonly answer: unknown /** Of a run in this process: how the answer was made. */; readonly made?: Meta }
  /** Over, with an error that is its answer: of a flow that has failed and is undone. Nobody has to look at it. */
  | { readonly is: "ended"; readonly error: TrestleError }
  /** Real answer of the other side that is an error, or a rule: more runs change nothing. */
  | { readonly is: "dead"; readonly error: TrestleError; readonly step?: string }
  /** Run again after a while. */
  | { readonly is: "failed"; readonly error: TrestleError /** Of a flow: what of it, for people. */; readonly step?: string }
  /** It may have happened, and nobody has promised that it may be repeated. */
  | { readonly is: "parked"; readonly error: TrestleError; readonly step?: string }
  /** Waits for something that is not its fault: run again then, and not counted. */
  | {
      readonly is: "suspended"
      readonly delayMs: number
      readonly why: string /** Id of the work that it waits for. */
      readonly work?: string
    }

/** A job that runs in this process, or has been run. */
export interface BegunJob {
  /** Resolves when it is done, dead, parked, suspended or over; however long that takes. Never rejects. */
  readonly end: Promise<JobEnd>
  /** Nobody waits for its end any more. */
  leave(): void
}

/** What is said to every consumer of a topic. */
export interface NewMessage {
  /** Unique for ever, as the id of a job. */
  readonly id: string
  readonly topic: Topic<any, any>
  /** As the publisher gave it, before the consumers validate it: JSON. */
  readonly payload: unknown
  readonly trace: string
  /** Whoever caused it; its consumers run on their behalf. */
  readonly principal: Principal | null
  /** Caused by the application itself: rules about callers do not apply to its consumers. */
  readonly isOwnAuthority: boolean
  /** Of its topic when it was written, where that was earlier. Default: the topic's own. */
  readonly version?: number
  /** How long it is remembered that the message was delivered, in milliseconds. Default 0; for messages that may come again. */
  readonly keepMs?: number
}

/** Trestle's own durable work, as backends and connectors see it. */
export interface Durable {
  /** The statements that put a job, for a unit in which something else is stored too. */
  putting(job: NewJob): readonly StoreStatement[]
  /** Puts a job; resolves when it is stored. `false`: one of that id has been put before. */
  put(job: NewJob): Promise<boolean>
  /**
   * Puts a job and runs it in this process at once, as a worker would, for a caller who waits. Resolves when it is stored. One that has been
   * put before is not run again; the caller hears of its end all the same. One that is hurried hears too, as `failed` or `suspended`, that
   * it will be run again later: whoever holds a place of its own must not wait for that.
   */
  begin(job: NewJob, isHurried: boolean): Promise<BegunJob>
  /** The statements that give a message to every consumer of its topic, for a unit in which something else is stored too. */
  publishing(message: NewMessage): readonly StoreStatement[]
  /**
   * The row that makes a message wait in the outbox of a service's database, with the write that has caused it; `null`: nobody takes it.
   * @throws {TrestleError} `INVALID`: the payload is not what its topic says.
   */
  outboxed(message: NewMessage): OutboxRow | null
  /** Messages wait in that service's outbox: they have been committed. */
  outboxFilled(service: Service): void
  /** What the flow has done so far that a delivery runs. */
  journal(delivery: Delivery): Promise<Journal>
  /** Some job of that operation and order key is not over, or holds up later ones. */
  isQueued(operation: string, orderKey: string): Promise<boolean>
  /** How a job has ended; `null` while it has not; `undefined`: it was removed, or is not kept any more. */
  endOf(id: string): Promise<JobEnd | null | undefined>
  /** Takes a job back that cannot have had its effect: one that waits, is parked or dead. `false`: it may have, or is not known. */
  cancel(id: string): Promise<boolean>
  /** Work was put by a unit of somebody else: it is looked for now. */
  woken(): void
  /** Tells those who follow the job how far it has come. */
  progressed(call: CallContext, progress: JobProgress): void
}

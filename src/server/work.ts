import type { Clock } from "../base/clock.ts"
import type { JobEnd, JobReport } from "../contract/job.ts"
import type { ChunkedAnswer } from "../contract/ports.ts"
import type { RequestHead } from "../contract/principal.ts"
import { type Problem, problemOf } from "../errors/problem.ts"
import { failWith, TrestleError } from "../errors/trestle-error.ts"
import { type Fields, GET, type HttpEntry } from "./entry.ts"
import type { HttpParts, Served } from "./http.ts"
import { waitOf } from "./prefer.ts"
import { refuse } from "./refuse.ts"
import { EVENTS_MEDIA_TYPE } from "./stream-stages.ts"

/** How often somebody who follows is told how far it has come, and that the connection still lives. */
const LOOK_MS = 500
const SIGN_OF_LIFE_MS = 15_000
/** Then whoever follows asks again: connections that last for ever fill a server. */
const FOLLOWED_MS_MAX = 600_000
/** Longest `Prefer: wait` on the status of work. */
const WAIT_MS_MAX = 60_000

/** Id of the event that tells of the end. */
const OVER = "over"

/** Work that goes on after its call: what its caller may know of it. */
export interface WorkReport {
  readonly id: string
  readonly operation: string
  /** `parked`: it waits for a person. `failed`: `problem` says why. */
  readonly state: "waiting" | "running" | "parked" | "done" | "failed"
  /** ISO 8601. */
  readonly since: string
  /** Steps that are done, and the name of the one under way, where it has one. */
  readonly progress?: JobReport["progress"]
  /** Of `done`. */
  readonly answer?: unknown
  /** Of `failed`. */
  readonly problem?: Problem
}

/** Where work is looked up. */
export interface WorkBook {
  /** `null`: there is none of that id, or it is somebody else's. @throws {TrestleError} `UNAUTHENTICATED` for a credential that is wrong. */
  find(id: string, head: RequestHead): Promise<WorkReport | null>
}

/** `GET /work/<id>`: how far work has come, once or as server-sent events. */
export function workAddresses(parts: HttpParts): Served[] {
  const { work } = parts
  if (work === null) return []
  const serve = (entry: HttpEntry): void => {
    show(parts, work, entry).catch((error: unknown) =>
      refuse(parts, entry, TrestleError.is(error) ? error : new TrestleError("INTERNAL", undefined, { cause: error })),
    )
  }
  return [{ methods: GET, url: "/work/:id", serve, isCall: false }]
}

async function show(parts: HttpParts, work: WorkBook, entry: HttpEntry): Promise<void> {
  const id = entry.params.id!
  const { head } = entry
  const look = (): Promise<WorkReport | null> => work.find(id, head)
  const first = await look()
  if (first === null) return refuse(parts, entry, failWith("NOT_FOUND"))
  const following = new Following(parts, first, look)
  if (head.method === "GET" && head.headers.accept?.includes(EVENTS_MEDIA_TYPE)) {
    // Whoever has heard of the end connects once more, and is told to stop. Source: HTML Standard, section 9.2.3.
    if (head.headers["last-event-id"] === OVER && isOver(first)) return entry.send(204, {}, "")
    entry.sendChunks(following.asEvents()).over.catch(() => undefined)
    return
  }
  const waitMs = Math.min(waitOf(head.headers.prefer) ?? 0, WAIT_MS_MAX)
  const report = await following.untilOver(waitMs)
  const fields: Fields = isOver(report) ? FIELDS : { ...FIELDS, "retry-after": "1" }
  entry.send(200, fields, JSON.stringify(report))
}

const FIELDS: Fields = {
  "content-type": "application/json; charset=utf-8",
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
}

function isOver({ state }: WorkReport): boolean {
  return state === "done" || state === "failed"
}

/** Looks at work again and again. */
class Following {
  readonly #parts: HttpParts
  readonly #look: () => Promise<WorkReport | null>
  readonly #clock: Clock
  readonly #beganAt: number
  #report: WorkReport

  constructor(parts: HttpParts, first: WorkReport, look: () => Promise<WorkReport | null>) {
    this.#parts = parts
    this.#look = look
    this.#report = first
    this.#clock = parts.engine.clock
    this.#beganAt = this.#clock.now()
  }

  /** The report when the work is over, or after so long. */
  async untilOver(waitMs: number): Promise<WorkReport> {
    while (!isOver(this.#report)) {
      const leftMs = this.#beganAt + waitMs - this.#clock.now()
      if (leftMs <= 0 || this.#parts.isLeaving()) break
      await this.#lookAfter(Math.min(LOOK_MS, leftMs))
    }
    return this.#report
  }

  asEvents(): ChunkedAnswer {
    return {
      status: 200,
      headers: { ...FIELDS, "content-type": EVENTS_MEDIA_TYPE, "x-accel-buffering": "no" },
      chunks: this.#events(),
    }
  }

  /** One event for each change; the last one is that of the end. */
  async *#events(): AsyncGenerator<string, void, undefined> {
    let said = ""
    let saidAt = this.#clock.now()
    for (;;) {
      const text = JSON.stringify(this.#report)
      const now = this.#clock.now()
      const id = isOver(this.#report) ? `id: ${OVER}\n` : ""
      if (text !== said) yield `event: ${this.#report.state}\n${id}data: ${text}\n\n`
      else if (now - saidAt >= SIGN_OF_LIFE_MS) yield ":\n\n"
      if (text !== said || now - saidAt >= SIGN_OF_LIFE_MS) saidAt = now
      said = text
      if (isOver(this.#report) || this.#parts.isLeaving() || now - this.#beganAt >= FOLLOWED_MS_MAX) return
      await this.#lookAfter(LOOK_MS)
    }
  }

  async #lookAfter(ms: number): Promise<void> {
    await this.#clock.pause(ms)
    // Gone since: its time of being kept is over.
    this.#report = (await this.#look()) ?? this.#report
  }
}

/**
 * What its caller may know of a job: never its input, its history or what was tried.
 *
 * @param end what became of it, as far as that is kept
 */
export function workReport(job: JobReport, end: JobEnd | null): WorkReport {
  const { id, operation, createdAt, progress, trace } = job
  const isFailed = job.state === "dead" || job.state === "failed" || end?.is === "ended"
  const state = isFailed ? "failed" : (job.state as WorkReport["state"])
  return {
    id,
    operation,
    state,
    since: new Date(createdAt).toISOString(),
    ...(progress === null ? {} : { progress }),
    ...(state === "done" && end?.is === "done" && end.answer !== undefined ? { answer: end.answer } : {}),
    ...(isFailed ? { problem: { ...problemOf(errorOf(end)), trace } } : {}),
  }
}

function errorOf(end: JobEnd | null): TrestleError {
  return end !== null && "error" in end ? end.error : failWith("INTERNAL", { outcome: "unknown" })
}

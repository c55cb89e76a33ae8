import type { Clock } from "../base/clock.ts"
import { withPatience } from "../base/patience.ts"
import type { JobFigures, KeptWork, OutboxFigures } from "../contract/kept-work.ts"
import type { SqlRow } from "../contract/sql-session.ts"
import type { Store } from "../contract/store.ts"

/** Whoever asks sooner is told the same again. */
const FRESH_MS = 5_000
/** A store that takes longer is one that does not answer. */
const PATIENCE_MS = 1_000
/** So many rows are counted at most of each kind, so that a long queue is not made longer by being looked at. */
const ROWS_MAX = 10_000

const NOW = "(select trestle_now())"
/** Each half reads one partial index; a row that is done is not looked at. */
const JOBS = `select operation, state, count(*) as jobs, min(due_at) - ${NOW} as delay
    from (select operation, state, due_at from trestle_jobs where due_at is not null order by due_at limit ${ROWS_MAX}) open
    group by operation, state
  union all
  select operation, state, count(*) as jobs, null as delay
    from (select operation, state from trestle_jobs where state in ('parked', 'dead') order by state, seq limit ${ROWS_MAX}) stopped
    group by operation, state`
const OUTBOX = `select count(*) as messages, ${NOW} - min(at) as age from (select at from trestle_outbox order by seq limit ${ROWS_MAX}) oldest`

export interface WorkFiguresOptions {
  readonly store: Store
  /** Outboxes by the names of their services. */
  readonly outboxes: ReadonlyMap<string, Store>
  /** Present paths of the application's operations, by those under which jobs may be kept. */
  readonly paths: ReadonlyMap<string, string>
  /** Paths of operations that are told of without jobs too. */
  readonly always: readonly string[]
  readonly clock: Clock
}

/** Counts what is kept, for those who watch: a few times a minute at most, and never longer than they can wait. */
export class WorkFigures {
  readonly #options: WorkFiguresOptions
  #known: KeptWork | null = null
  #freshUntil = Number.NEGATIVE_INFINITY
  #reading: Promise<KeptWork | null> | null = null

  constructor(options: WorkFiguresOptions) {
    this.#options = options
  }

  /** At most 5 s old; resolves within a second. `null`: a store did not answer. Never rejects. */
  async look(): Promise<KeptWork | null> {
    const { clock } = this.#options
    // One question at a time: a store that hangs is not asked again before it has answered.
    if (this.#reading === null && clock.now() < this.#freshUntil) return this.#known
    this.#reading ??= this.#read().then((known) => {
      this.#reading = null
      this.#freshUntil = clock.now() + FRESH_MS
      this.#known = known
      return known
    })
    return withPatience(this.#reading, PATIENCE_MS, clock)
  }

  async #read(): Promise<KeptWork | null> {
    const { store, outboxes } = this.#options
    try {
      const [jobs, ...waiting] = await Promise.all([
        store.read({ text: JOBS, values: [] }),
        ...Array.from(outboxes, ([service, outbox]) => outboxFigures(service, outbox)),
      ])
      return { jobs: this.#jobFigures(jobs), outboxes: waiting }
    } catch {
      return null
    }
  }

  #jobFigures(rows: readonly SqlRow[]): readonly JobFigures[] {
    const { paths, always } = this.#options
    const found = new Map(always.map((operation) => [operation, noJobs(operation, true)]))
    for (const row of rows) {
      const stored = row.operation as string
      const path = paths.get(stored)
      const operation = path ?? stored
      const known = found.get(operation) ?? noJobs(operation, path !== undefined)
      const state = row.state as JobState
      const overdueMs = Math.max(known.overdueMs, -((row.delay as number | null) ?? 0))
      found.set(operation, { ...known, [state]: known[state] + (row.jobs as number), overdueMs })
    }
    return [...found.values()]
  }
}

type JobState = "waiting" | "running" | "parked" | "dead"

function noJobs(operation: string, isKnown: boolean): JobFigures {
  return { operation, isKnown, waiting: 0, running: 0, parked: 0, dead: 0, overdueMs: 0 }
}

async function outboxFigures(service: string, outbox: Store): Promise<OutboxFigures> {
  const [row] = await outbox.read({ text: OUTBOX, values: [] })
  // Its time is the writer's, whose clock may be a little ahead.
  return { service, messages: row!.messages as number, oldestMs: Math.max(0, (row!.age as number | null) ?? 0) }
}

import type { KeptWork } from "../contract/kept-work.ts"
import type { CallRecord } from "../contract/ports.ts"
import type { ServiceStatus } from "../contract/service.ts"

/** Series of one counter; what comes later is counted as `other`. Declarations make far fewer. */
const SERIES_MAX = 2_000
const OTHER = "other"

interface Series {
  readonly operation: string
  readonly label: string
  count: number
}

/** One counter with two labels: the operation, and one of its own. Counting is an addition; everything else waits for a reader. */
class Counts {
  readonly #byOperation = new Map<string, Map<string, Series>>()
  #size = 0

  add(operation: string, label: string, count: number): void {
    let series = this.#byOperation.get(operation)?.get(label)
    series ??=
      this.#size < SERIES_MAX ? this.#begin(operation, label) : (this.#byOperation.get(OTHER)?.get(OTHER) ?? this.#begin(OTHER, OTHER))
    series.count += count
  }

  #begin(operation: string, label: string): Series {
    const series = { operation, label, count: 0 }
    const ofOperation = this.#byOperation.get(operation) ?? new Map<string, Series>()
    this.#byOperation.set(operation, ofOperation.set(label, series))
    this.#size++
    return series
  }

  *all(): IterableIterator<Series> {
    for (const ofOperation of this.#byOperation.values()) yield* ofOperation.values()
  }
}

/** What is so at the moment of reading. */
export interface Present {
  readonly services: readonly ServiceStatus[]
  /** Calls refused at the entrance for the load, since the start. */
  readonly shed: number
  /** `null`: a store did not answer. Absent where nothing outlives its call. */
  readonly work?: KeptWork | null
}

interface GaugeValues {
  readonly name: string
  readonly help: string
  readonly labels: readonly string[]
  readonly values: readonly { readonly labels: Readonly<Record<string, string>>; readonly value: number }[]
}

const CIRCUITS: readonly ServiceStatus["circuit"][] = ["closed", "open", "half-open", "isolated"]

function serviceGauges(services: readonly ServiceStatus[]): readonly GaugeValues[] {
  const gauge = (title: string, help: string, measured: (service: ServiceStatus) => number): GaugeValues => ({
    name: title,
    help,
    labels: ["service"],
    values: services.map((service) => ({ labels: { service: service.service }, value: measured(service) })),
  })
  return [
    {
      name: "trestle_circuit_state",
      help: "1 for the state that the circuit breaker of a service is in, 0 for the others.",
      labels: ["service", "state"],
      values: services.flatMap(({ service, circuit }) =>
        CIRCUITS.map((state) => ({ labels: { service, state }, value: state === circuit ? 1 : 0 })),
      ),
    },
    gauge("trestle_attempts_active", "Attempts under way at a service.", ({ active }) => active),
    gauge("trestle_attempts_waiting", "Calls that wait for a place at a service.", ({ waiting }) => waiting),
    gauge("trestle_attempts_places", "Attempts that may be under way at a service at once.", ({ places }) => places),
  ]
}

function gaugesOf({ services, work }: Present): readonly GaugeValues[] {
  return [...serviceGauges(services), ...(work === undefined ? [] : workGauges(work))]
}

const JOB_STATES = ["waiting", "running", "parked", "dead"] as const

/** Of a store that does not answer nothing is known but that. */
function workGauges(work: KeptWork | null): readonly GaugeValues[] {
  const up = { name: "trestle_store_up", help: "1 where the store, and every outbox, could be asked; else 0.", labels: [] }
  const isUp = { ...up, values: [{ labels: {}, value: work === null ? 0 : 1 }] }
  if (work === null) return [isUp]
  const outbox = (name: string, help: string, measured: (outbox: KeptWork["outboxes"][number]) => number): GaugeValues => ({
    name,
    help,
    labels: ["service"],
    values: work.outboxes.map((one) => ({ labels: { service: one.service }, value: measured(one) })),
  })
  return [
    isUp,
    ...jobGauges(work),
    outbox("trestle_outbox_messages", "Messages that wait in the outbox of a service.", ({ messages }) => messages),
    outbox("trestle_outbox_oldest_seconds", "Age of the oldest message in the outbox of a service.", ({ oldestMs }) => oldestMs / 1_000),
  ]
}

function jobGauges({ jobs }: KeptWork): readonly GaugeValues[] {
  const known = jobs.filter(({ isKnown }) => isKnown)
  // Paths of operations that are not declared here stand in no label: whoever shares the store decides how many there are.
  const others = jobs.filter(({ isKnown }) => !isKnown)
  const count = (state: (typeof JOB_STATES)[number], of: readonly (typeof jobs)[number][]): number =>
    of.reduce((sum, one) => sum + one[state], 0)
  const groups = [...known.map((one) => [one.operation, [one]] as const), ...(others.length > 0 ? [[OTHER, others] as const] : [])]
  return [
    {
      name: "trestle_jobs",
      help: "Jobs in the store that are not done, by operation and state.",
      labels: ["operation", "state"],
      values: groups.flatMap(([operation, of]) => JOB_STATES.map((state) => ({ labels: { operation, state }, value: count(state, of) }))),
    },
    {
      name: "trestle_jobs_overdue_seconds",
      help: "How long the job of an operation that is longest due has been due; 0 where none is.",
      labels: ["operation"],
      values: groups.map(([operation, of]) => ({
        labels: { operation },
        value: Math.max(...of.map(({ overdueMs }) => overdueMs)) / 1_000,
      })),
    },
  ]
}

/**
 * The metrics of one started application: two applications in one process do not mix their figures. Labels come from declarations only,
 * so that no caller and no service can make new series.
 */
export class Metrics {
  readonly #repairs = new Counts()
  readonly #kept = new Counts()
  readonly #runs = new Counts()

  /** Hears of every call's end; one without repairs costs one comparison. */
  record({ operation, ownRepairs }: CallRecord): void {
    if (ownRepairs !== undefined) for (const [what, count] of ownRepairs) this.#repairs.add(operation, what, count)
  }

  countKept(operation: string, result: string): void {
    this.#kept.add(operation, result, 1)
  }

  /** A run of a job in this process has ended, and that is stored. */
  countRun(operation: string, end: string): void {
    this.#runs.add(operation, end, 1)
  }

  /** All of them, and what is so now, in Prometheus' text format. prom-client is loaded by the first reader: loading it takes longer than starting. */
  async text(present?: Present): Promise<string> {
    const { Counter, Gauge, Registry } = await import("prom-client")
    const registry = new Registry()
    for (const { name, help, label, counts } of [
      {
        name: "trestle_repairs_total",
        help: "Values of services that a mapping repaired, by operation and kind of repair.",
        label: "field",
        counts: this.#repairs,
      },
      { name: "trestle_cache_total", help: "Reads of cached operations, by what the cache did.", label: "result", counts: this.#kept },
      {
        name: "trestle_job_runs_total",
        help: "Runs of jobs in this process that have ended, by operation and what then became of the job.",
        label: "end",
        counts: this.#runs,
      },
    ]) {
      const counter = new Counter({ name, help, labelNames: ["operation", label], registers: [registry] })
      for (const series of counts.all()) counter.inc({ operation: series.operation, [label]: series.label }, series.count)
    }
    if (present) {
      for (const { name, help, labels: labelNames, values } of gaugesOf(present)) {
        const gauge = new Gauge({ name, help, labelNames, registers: [registry] })
        for (const { labels, value } of values) gauge.set(labels, value)
      }
      const shed = { name: "trestle_shed_total", help: "Calls refused at the entrance for the load.", registers: [registry] }
      new Counter(shed).inc(present.shed)
    }
    return registry.metrics()
  }
}

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
}

interface GaugeValues {
  readonly name: string
  readonly help: string
  readonly label?: string
  readonly values: readonly { readonly labels: Readonly<Record<string, string>>; readonly value: number }[]
}

const CIRCUITS: readonly ServiceStatus["circuit"][] = ["closed", "open", "half-open", "isolated"]

function gaugesOf({ services }: Present): readonly GaugeValues[] {
  const gauge = (title: string, help: string, measured: (service: ServiceStatus) => number): GaugeValues => ({
    name: title,
    help,
    values: services.map((service) => ({ labels: { service: service.service }, value: measured(service) })),
  })
  return [
    {
      name: "trestle_circuit_state",
      help: "1 for the state that the circuit breaker of a service is in, 0 for the others.",
      label: "state",
      values: services.flatMap(({ service, circuit }) =>
        CIRCUITS.map((state) => ({ labels: { service, state }, value: state === circuit ? 1 : 0 })),
      ),
    },
    gauge("trestle_attempts_active", "Attempts under way at a service.", ({ active }) => active),
    gauge("trestle_attempts_waiting", "Calls that wait for a place at a service.", ({ waiting }) => waiting),
    gauge("trestle_attempts_places", "Attempts that may be under way at a service at once.", ({ places }) => places),
  ]
}

/**
 * The metrics of one started application: two applications in one process do not mix their figures. Labels come from declarations only,
 * so that no caller and no service can make new series.
 */
export class Metrics {
  readonly #repairs = new Counts()
  readonly #kept = new Counts()

  /** Hears of every call's end; one without repairs costs one comparison. */
  record({ operation, ownRepairs }: CallRecord): void {
    if (ownRepairs !== undefined) for (const [what, count] of ownRepairs) this.#repairs.add(operation, what, count)
  }

  countKept(operation: string, result: string): void {
    this.#kept.add(operation, result, 1)
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
    ]) {
      const counter = new Counter({ name, help, labelNames: ["operation", label], registers: [registry] })
      for (const series of counts.all()) counter.inc({ operation: series.operation, [label]: series.label }, series.count)
    }
    if (present) {
      for (const { name, help, label, values } of gaugesOf(present)) {
        const gauge = new Gauge({ name, help, labelNames: ["service", ...(label ? [label] : [])], registers: [registry] })
        for (const { labels, value } of values) gauge.set(labels, value)
      }
      const shed = { name: "trestle_shed_total", help: "Calls refused at the entrance for the load.", registers: [registry] }
      new Counter(shed).inc(present.shed)
    }
    return registry.metrics()
  }
}

import type { CallRecord } from "../contract/ports.ts"

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

  /** All of them, in Prometheus' text format. prom-client is loaded by the first reader: loading it takes longer than starting. */
  async text(): Promise<string> {
    const { Counter, Registry } = await import("prom-client")
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
    return registry.metrics()
  }
}

/** Log line and metrics of the peers that bring none: pino in batches, prom-client with its children looked up once per status. */
import pino from "pino"
import { Counter, Histogram } from "prom-client"
import { logFile } from "../harness/subject.ts"
import { buckets } from "./job.ts"

export const log = pino({ base: null }, pino.destination({ dest: logFile, sync: false, minLength: 4096 }))

const requests = new Counter({ name: "http_requests_total", help: "Requests answered", labelNames: ["route", "status"] })
const seconds = new Histogram({ name: "http_request_seconds", help: "Time to answer", labelNames: ["route", "status"], buckets })
const children = new Map<number, { counter: Counter.Internal; histogram: Histogram.Internal<string> }>()

/** The one line and the two metrics of a finished request. */
export function observe(status: number, ms: number, key: string | undefined): void {
  let child = children.get(status)
  if (!child) {
    const labels = { route: "POST /orders", status: String(status) }
    child = { counter: requests.labels(labels), histogram: seconds.labels(labels) }
    children.set(status, child)
  }
  child.counter.inc()
  child.histogram.observe(ms / 1_000)
  log.info({ method: "POST", route: "/orders", status, ms, key }, "request")
}

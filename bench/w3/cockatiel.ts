/** cockatiel: fallback(retry(breaker(bulkhead(timeout)))). `ABORT_ON_RETURN=yes`: its default, which fires a signal after every good call. */
import {
  bulkhead,
  CountBreaker,
  circuitBreaker,
  ExponentialBackoff,
  fallback,
  handleAll,
  retry,
  TimeoutStrategy,
  timeout,
  wrap,
} from "cockatiel"
import { FALLBACK, failing, measure, work } from "./measure.ts"

const abortOnReturn = process.env.ABORT_ON_RETURN === "yes"

function stack() {
  return wrap(
    fallback(handleAll, FALLBACK),
    retry(handleAll, { maxAttempts: 2, backoff: new ExponentialBackoff({ initialDelay: 1 }) }),
    circuitBreaker(handleAll, { halfOpenAfter: 10_000, breaker: new CountBreaker({ threshold: 0.5, size: 10 }) }),
    bulkhead(128, 512),
    timeout(2_000, { strategy: TimeoutStrategy.Aggressive, abortOnReturn }),
  )
}

const good = stack()
const bad = stack()

await measure(
  (n) => good.execute(() => work(n)) as Promise<number>,
  () => bad.execute(failing) as Promise<number>,
)

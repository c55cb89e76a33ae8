/** cockatiel's policies as W2 asks for: retry( breaker( timeout )), `abortOnReturn: false` as its own docs advise for speed. */
import { CountBreaker, circuitBreaker, ExponentialBackoff, handleWhen, retry, TimeoutStrategy, timeout, wrap } from "cockatiel"
import { limits, UpstreamFailed } from "./job.ts"

const isRepeatable = handleWhen((error) => !(error instanceof UpstreamFailed) || error.isRepeatable)

export const policy = wrap(
  retry(isRepeatable, { maxAttempts: limits.retries, backoff: new ExponentialBackoff({ initialDelay: 50, maxDelay: 1_000 }) }),
  circuitBreaker(isRepeatable, {
    halfOpenAfter: limits.breaker.restMs,
    breaker: new CountBreaker({ threshold: (limits.breaker.failures - 0.5) / limits.breaker.of, size: limits.breaker.of }),
  }),
  timeout(limits.timeoutMs, { strategy: TimeoutStrategy.Aggressive, abortOnReturn: false }),
)

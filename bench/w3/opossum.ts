/** opossum: a breaker with timeout, capacity and fallback; it does not retry. */
// @ts-expect-error opossum ships no types
import CircuitBreaker from "opossum"
import { FALLBACK, failing, measure, work } from "./measure.ts"

const options = { timeout: 2_000, capacity: 128, errorThresholdPercentage: 50, volumeThreshold: 10, resetTimeout: 10_000 }

const good = new CircuitBreaker(work, options)
const bad = new CircuitBreaker(failing, options)
for (const one of [good, bad]) one.fallback(() => FALLBACK)

await measure(
  (n) => good.fire(n),
  () => bad.fire(),
)

/** Effect: timeout, retry with a schedule, a semaphore as bulkhead, a fallback; it has no circuit breaker, so one is counted by hand. */
import { Effect, Schedule, Semaphore } from "effect"
import { FALLBACK, failing, measure, work } from "./measure.ts"

function stack(send: (n: number) => Promise<number>): (n: number) => Promise<number> {
  const places = Semaphore.makeUnsafe(128)
  const breaker = { failures: 0, opensAt: 5 }
  const schedule = Schedule.exponential("1 millis").pipe(Schedule.jittered)
  return (n) =>
    Effect.runPromise(
      Effect.tryPromise(() => send(n)).pipe(
        Effect.timeout("2 seconds"),
        places.withPermits(1),
        (attempt) => Effect.suspend(() => (breaker.failures >= breaker.opensAt ? Effect.fail("open" as const) : attempt)),
        Effect.tap(() =>
          Effect.sync(() => {
            breaker.failures = 0
          }),
        ),
        Effect.tapError(() =>
          Effect.sync(() => {
            breaker.failures++
          }),
        ),
        Effect.retry({ schedule, times: 2 }),
        Effect.orElseSucceed(() => FALLBACK),
      ),
    )
}

await measure(stack(work), () => stack(failing)(1))

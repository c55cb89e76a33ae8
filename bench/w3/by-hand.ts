/** The least that somebody would write for this one call: one timer each, a counter as bulkhead, the last ten results as breaker. */
import { FALLBACK, failing, measure, work } from "./measure.ts"

function stack(send: (n: number) => Promise<number>): (n: number) => Promise<number> {
  let active = 0
  const results = new Uint8Array(10)
  let next = 0
  let failures = 0
  const note = (failed: 0 | 1): void => {
    failures += failed - results[next]!
    results[next] = failed
    next = (next + 1) % results.length
  }
  const within = (n: number): Promise<number> =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(reject, 2_000, new Error("timeout"))
      send(n).then(
        (answer) => {
          clearTimeout(timer)
          resolve(answer)
        },
        (error) => {
          clearTimeout(timer)
          reject(error)
        },
      )
    })
  return async (n) => {
    for (let attempt = 1; attempt <= 3; attempt++) {
      if (failures >= 5 || active >= 128) return FALLBACK
      active++
      try {
        const answer = await within(n)
        note(0)
        return answer
      } catch {
        note(1)
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 2 ** attempt))
      } finally {
        active--
      }
    }
    return FALLBACK
  }
}

await measure(stack(work), () => stack(failing)(1))

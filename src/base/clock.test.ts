import { describe, expect, test } from "vitest"
import { systemClock } from "./clock.ts"

describe("the system's clock", () => {
  test("now: never goes back", () => {
    let last = systemClock.now()
    for (let i = 0; i < 10_000; i++) {
      const now = systemClock.now()
      expect(now).toBeGreaterThanOrEqual(last)
      last = now
    }
  })
  test("epoch: milliseconds since 1970", () => expect(Math.abs(systemClock.epoch() - Date.now())).toBeLessThan(1_000))
  test("pause: not shorter than asked for", async () => {
    const startedAt = systemClock.now()
    await systemClock.pause(5.5)
    expect(systemClock.now() - startedAt).toBeGreaterThanOrEqual(5.5)
  })
  test("after: rings its target; cancelled, it does not", async () => {
    const rung: string[] = []
    const gone = systemClock.after(1, { ring: () => rung.push("gone") })
    systemClock.cancel(gone)
    await new Promise<void>((resolve) => {
      systemClock.after(2, {
        ring: () => {
          rung.push("rang")
          resolve()
        },
      })
    })
    expect(rung).toEqual(["rang"])
  })
})

import { expect, test } from "vitest"
import { FakeClock } from "../testing/fake-clock.ts"
import { withPatience } from "./patience.ts"

const NEVER = new Promise<never>(() => {})

test("it comes in time → it, and no alarm is left", async () => {
  const clock = new FakeClock()
  expect(await withPatience(Promise.resolve(7), 1_000, clock)).toBe(7)
})
test("it fails in time → it fails", async () =>
  expect(withPatience(Promise.reject(new Error("no")), 1_000, new FakeClock())).rejects.toThrow("no"))
test("it does not come → null, when the time is over and no sooner", async () => {
  const clock = new FakeClock()
  let said: unknown = "nothing yet"
  const waiting = withPatience(NEVER, 1_000, clock).then((answer) => {
    said = answer
  })
  await clock.advance("999ms")
  expect(said).toBe("nothing yet")
  await clock.advance("1ms")
  await waiting
  expect(said).toBeNull()
})

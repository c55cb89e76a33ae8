// R7, its short form: `npm run reliability -- r7` makes 20 restarts under 500 requests a second.
import { expect, test } from "vitest"
import { restarts } from "./runs/restarts.ts"

test("two restarts under 100 requests a second with kept-alive connections → no failed request, exit within 10 s", async () => {
  const figures = await restarts({ restarts: 2, rate: 100 })
  expect(figures.failures).toEqual({})
  expect(figures.requests).toBeGreaterThan(20)
  expect(figures.processes).toBe(3)
  expect(figures.exitCodes).toEqual([0, 0])
  expect(figures.slowestExitMs).toBeLessThan(10_000)
})

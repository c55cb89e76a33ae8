// R11, its short form: `npm run reliability -- r11` does it five times over. What raised limits cost is in test/security/size.test.ts.
import { beforeAll, describe, expect, test } from "vitest"
import { type SizeFigures, sizes } from "./runs/sizes.ts"

/** A machine that runs other tests may be late. */
const BUSY_MS = 3_000
const WHAT: Readonly<Record<SizeFigures["where"], readonly [what: string, end: RegExp][]>> = {
  entrance: [
    ["1 GiB, said beforehand", /^413$/],
    ["1 GiB in chunks", /^413$/],
    ["a gzip bomb of 1 GiB", /^413$/],
    ["a gzip bomb of 128 MiB, itself no larger than allowed", /^415$/],
    ["a million keys", /^413$/],
    ["100,000 levels", /^400$/],
  ],
  "answer of a service": [
    ["1 GiB, said beforehand", /^INTERNAL answer-too-large$/],
    ["1 GiB in chunks", /^INTERNAL answer-too-large$/],
    ["a gzip bomb of 1 GiB", /^INTERNAL answer-unreadable$/],
    ["a million keys", /^INTERNAL answer-too-large$/],
    ["100,000 levels", /^INTERNAL answer-unreadable$/],
  ],
}

describe("sizes", () => {
  let figures: readonly SizeFigures[]
  beforeAll(async () => {
    figures = await sizes(1)
  })
  for (const where of ["entrance", "answer of a service"] as const)
    for (const [what, end] of WHAT[where])
      test(`${where}: ${what} → refused in time and with hardly any memory; the next call is well`, () => {
        const found = figures.find((one) => one.where === where && one.what === what)!
        expect(found.end).toMatch(end)
        expect(found.ms).toBeLessThan(BUSY_MS)
        expect(found.grownMib).toBeLessThan(16)
        expect(found.nextIsWell).toBe(true)
      })
})

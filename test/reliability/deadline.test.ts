// R6, its short form: `npm run reliability -- r6` has many calls hang in each place at once.
import { describe, test } from "vitest"
import { hangAt, isInTime } from "./runs/deadlines.ts"
import { DEADLINE_MS, HANG_POINTS } from "./runs/hang-points.ts"

/** A machine that runs other tests may be late; what would wait on without a deadline waits for 30 s. */
const BUSY_MS = 3_000

describe.concurrent("one deadline over everything; cancellation reaches the driver", () => {
  for (const point of HANG_POINTS)
    test(`hangs ${point.name} → answered within the deadline of ${DEADLINE_MS} ms, and given up`, async ({ expect }) => {
      const figures = await hangAt(point, 1)
      expect(isInTime(figures, BUSY_MS), JSON.stringify(figures)).toBe(true)
      expect(["TIMEOUT", "UNAVAILABLE"]).toContain(figures.codes.join())
    })
})

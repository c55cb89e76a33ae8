// R8 of the goals, in its short form: counted, not timed. `npm run reliability -- r8` is the long one.
import { expect, test } from "vitest"
import { overload } from "./runs/overload.ts"

test("five times the capacity → some are answered, the rest hears 503 with Retry-After, health always answers", async () => {
  const { sent, good, late, refused, wrong, probes, probesAnswered } = await overload({ seconds: 4, times: 5 })
  expect({ wrong, probesAnswered, all: good + late + refused }).toEqual({ wrong: 0, probesAnswered: probes, all: sent })
  // How many of them came in time depends on who else uses the machine.
  expect(good + late).toBeGreaterThan(0)
  // At five times its capacity four of five cannot be answered; half of the time may pass before it is noticed.
  expect(refused / sent).toBeGreaterThan(0.25)
}, 120_000)

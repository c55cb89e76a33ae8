import { expect, test } from "vitest"
import { FakeClock } from "../testing/fake-clock.ts"
import { Followers } from "./followers.ts"
import type { Jobs } from "./jobs.ts"

test("a store that takes long to put a job → not taken for one that has forgotten it; once it is there it can be", async () => {
  const clock = new FakeClock()
  const jobs = { endOf: async () => undefined } as unknown as Jobs
  const followers = new Followers(jobs, clock, true)
  const ends: unknown[] = []
  void followers.follow("a").end.then((end) => ends.push(end))
  await clock.advance("2s")
  expect(ends).toEqual([])
  followers.stored("a")
  await clock.advance("1s")
  expect(ends).toMatchObject([{ is: "ended", error: { code: "OUTCOME_UNKNOWN" } }])
})

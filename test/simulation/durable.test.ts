// Seeded simulation of everything that outlives a call (goal R14): two processes of one application on one database, under a virtual clock.
// They crash at any unit of the store, stand still for longer than their leases, and are cut off from the store; the service that they call
// is faulty. A failure prints its seed; `npm run sim -- --world durable --seed <seed> --runs 1` repeats it and tells its story.
import { afterAll, describe, expect, test } from "vitest"
import { nothingYet, simulateDurable } from "./durable/simulate.ts"
import { PlantedCopy } from "./planted-copy.ts"
import { PLANTED_DURABLE } from "./planted-durable.ts"

const SEEDS = Number(process.env.SEEDS ?? 150)
const FIRST = Number(process.env.FIRST_SEED ?? 1)
/** From the seed that is known to show a planted bug; what is drawn moves with the sources, so the next ones are tried too. */
const SEEDS_PLANTED = 60

test(`${SEEDS} seeds: every invariant holds`, async () => {
  const happened = nothingYet()
  const failed: string[] = []
  for (let seed = FIRST; seed < FIRST + SEEDS && failed.length < 3; seed++) {
    const broken = await simulateDurable(seed, { happened })
    if (broken.length > 0) failed.push(`seed ${seed}: ${broken.join("; ")}`)
  }
  expect(failed).toEqual([])
  // A world in which nothing goes wrong shows nothing.
  for (const [what, count] of Object.entries(happened)) expect(count, what).toBeGreaterThan(SEEDS / 50)
}, 600_000)

test("one seed twice: the same story", async () => {
  const storyOf = async (seed: number): Promise<string[]> => {
    const story: string[] = []
    await simulateDurable(seed, { tell: (line) => story.push(line) })
    return story
  }
  const story = await storyOf(14)
  expect(await storyOf(14)).toEqual(story)
  expect(story.length).toBeGreaterThan(20)
  expect(await storyOf(15)).not.toEqual(story)
})

describe("planted bugs", () => {
  const copy = new PlantedCopy()
  afterAll(() => copy.remove())

  test.each(PLANTED_DURABLE.map((planted) => [planted.name, planted] as const))(
    "%s → caught",
    async (_name, planted) => {
      const args = ["--world", "durable", "--seed", String(planted.seed), "--runs", String(SEEDS_PLANTED)]
      expect(await copy.with(planted, args)).toMatch(/seed \d+ breaks:\n/)
    },
    120_000,
  )
})

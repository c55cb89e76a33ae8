import { join } from "node:path"
import { expect, test } from "vitest"
import { json, ROOT, trestle } from "./kit.ts"

interface Row {
  operation: string
  service: string
  servedBy: string | null
  effects: number
}

test("the interview bot: no promise is broken, and everything is tried", { timeout: 120_000 }, async () => {
  const env = { SCORING_URL: "http://scoring.test" }
  const ran = await trestle(["faults", "--json"], { cwd: join(ROOT, "examples", "interview-bot"), env })
  const { summary, rows, findings } = json(ran)
  expect([ran.code, findings]).toEqual([0, []])
  expect(summary).toMatchObject({ broken: 0, untried: 0 })
  expect(summary.held).toBeGreaterThan(150)
  const served = rows.filter(({ operation, service }: Row) => operation === "candidates.show" && service === "people")
  expect(new Set(served.map(({ servedBy }: Row) => servedBy))).toEqual(new Set(["people", "people-replica", null]))
  const registered = rows.filter(({ operation }: Row) => operation === "candidates.register")
  expect(registered.every(({ effects }: Row) => effects <= 1)).toBe(true)
})

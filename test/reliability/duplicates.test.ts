// R5, its short form: `npm run reliability -- r5` has more keys, more kills, and waits until the leases of the dead are over.
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, onTestFinished, test } from "vitest"
import { duplicates } from "./runs/duplicates.ts"

const MINUTE = 60_000

test("50 keys, 20 calls each on two nodes, six holders killed → one effect each, and all calls of a key end alike", {
  timeout: 3 * MINUTE,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), "trestle-duplicates-"))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const figures = await duplicates({ folder, keys: 50, times: 20, kills: 6, together: 4, endsLeases: true })
  expect(figures).toMatchObject({ keys: 50, calls: 1_000, doubled: [], lied: [], torn: [], lost: [] })
  expect(figures.kills).toEqual({ "before the effect": 2, "after the effect": 2, "with the answer": 2 })
  expect(figures.unknown).toBeGreaterThanOrEqual(4)
  expect(figures.answered).toBeGreaterThanOrEqual(30)
})

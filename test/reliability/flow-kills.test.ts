import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, test } from "vitest"
import { flowKills } from "./runs/flow-kills.ts"

test("a flow whose process is killed between its effects and its records → wholly done, or wholly undone", async () => {
  const folder = mkdtempSync(join(tmpdir(), "trestle-flow-kills-"))
  try {
    const { kills, wrong, done, undone } = await flowKills({ folder, times: 2, every: 13 })
    expect(wrong).toEqual([])
    expect(done + undone).toBeGreaterThan(kills / 2)
  } finally {
    rmSync(folder, { recursive: true })
  }
}, 300_000)

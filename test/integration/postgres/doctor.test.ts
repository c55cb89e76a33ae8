import { describe, expect, test } from "vitest"
import { systemClock } from "../../../src/base/clock.ts"
import type { Step } from "../../../src/contract/diagnosis.ts"
import { postgres, secret } from "../../../src/index.ts"
import { standInReferences } from "../../../src/testing/stand-ins.ts"
import { NOTES, newSchema, server } from "./kit.ts"

async function diagnosed(url: string, options: object = {}): Promise<readonly Step[]> {
  return postgres({ url: secret("NOTES_DB"), ...options })["~service"].diagnose!({
    references: standInReferences({ NOTES_DB: url }),
    clock: systemClock,
    concurrency: 1,
    openTransport: null,
    isEphemeral: false,
    timeoutMs: 3_000,
    origin: () => "NOTES_DB ends …9f2c, from the shell",
    correction: () => "NOTES_DB=... in .env.local",
  })
}
const states = (steps: readonly Step[]): string[] => steps.map(({ name, state }) => `${name} ${state}`)
const changed = async (change: (url: URL) => void): Promise<readonly Step[]> => {
  const url = new URL(await newSchema())
  change(url)
  const steps = await diagnosed(url.href)
  if (url.password !== "") expect(JSON.stringify(steps)).not.toContain(url.password)
  return steps
}

describe.skipIf(server === null)("doctor", () => {
  test("all is well: every step, in the order of a request", async () => {
    expect(states(await diagnosed(await newSchema()))).toEqual(
      ["driver", "address", "dns", "tcp", "authentication", "version", "permission", "latency"].map((name) => `${name} ok`),
    )
  })

  test("migrations that are not applied: the step says which, and what to type", async () => {
    const steps = await diagnosed(await newSchema(), { migrations: NOTES })
    const step = steps.find(({ name }) => name === "migrations")!
    expect(step).toMatchObject({ state: "failed", seen: "0 of 2 applied", trouble: { fix: "npx trestle db migrate" } })
  })

  test.each<[string, (url: URL) => void, string, string]>([
    ["a wrong password", (url) => (url.password = "wrong-9f2c"), "authentication", "28P01"],
    ["a database that is not there", (url) => (url.pathname = "/nowhere"), "authentication", "3D000"],
    ["nobody there", (url) => (url.port = "1"), "tcp", "ECONNREFUSED"],
    ["a server without TLS", (url) => url.searchParams.set("sslmode", "verify-full"), "authentication", "no answer"],
    ["no address", (url) => (url.pathname = "/"), "address", "wrong"],
    ["no schema", (url) => url.searchParams.set("options", "-c search_path=nowhere"), "permission", "no schema"],
  ])("%s: the step that fails, what was seen, and the way out", async (_what, change, name, seen) => {
    const steps = await changed(change)
    const step = steps.find(({ state }) => state === "failed")!
    expect(step).toMatchObject({ name, seen, trouble: { message: expect.any(String), fix: expect.stringMatching(/./) } })
    expect(steps.slice(steps.indexOf(step) + 1).every(({ state }) => state === "not reached")).toBe(true)
  })
})

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, onTestFinished, test, vi } from "vitest"
import { loadDriver } from "./driver.ts"
import { postgres } from "./index.ts"

/** A folder from which no package of this repository is found, as that of another application. */
function elsewhere(): string {
  const folder = mkdtempSync(join(tmpdir(), "trestle-driver-"))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  vi.spyOn(process, "cwd").mockReturnValue(folder)
  onTestFinished(() => void vi.restoreAllMocks())
  return folder
}

test("the driver: found from where the service is declared", async () => {
  elsewhere()
  expect(Object.keys(await loadDriver({ file: import.meta.filename, line: 1 }))).toContain("Client")
})

test("no driver: refused, with its name, what was tested, and the command", async () => {
  const folder = elsewhere()
  await expect(loadDriver({ file: join(folder, "app.ts"), line: 1 })).rejects.toMatchObject({
    code: "START_REFUSED",
    detail: expect.stringMatching(/the package pg is not installed.*tested with pg 8/),
    findings: [{ code: "TRS1043", fix: "npm install pg@8" }],
  })
})

test("a driver of another major version: refused, with its version", async () => {
  const folder = elsewhere()
  const home = join(folder, "node_modules", "pg")
  mkdirSync(home, { recursive: true })
  writeFileSync(join(home, "package.json"), JSON.stringify({ name: "pg", version: "9.0.0", main: "index.js" }))
  writeFileSync(join(home, "index.js"), "throw new Error('loaded')")
  await expect(loadDriver({ file: join(folder, "app.ts"), line: 1 })).rejects.toThrow(/pg is of version 9\.0\.0/)
})

test.each([
  [{ rowsMax: 0 }, "rowsMax"],
  [{ pool: 0 }, "pool"],
  [{ pool: 5, policy: { concurrency: 6 } }, "larger than pool (5)"],
  [{ migrate: "sometimes" as never }, "migrate"],
  [{ url: "postgres://ada:secret-9f2c@db.example/notes" }, "carries a password"],
  [{ url: "db.example" }, "no postgres:// URL"],
])("%j: a finding", (options, said) => {
  const { mistakes } = postgres({ url: "postgres://ada@localhost/notes", ...options })["~service"]
  expect(mistakes.join()).toContain(said)
  expect(mistakes.join()).not.toContain("secret-9f2c")
})

test("a declaration: named by its reference, or by its database; can cancel; as many calls as connections", () => {
  const service = postgres({ url: { ref: "NOTES_DB_URL" } })["~service"]
  expect(service).toMatchObject({ kind: "postgres", name: "notes-db", capabilities: { cancel: true }, policy: { concurrency: 20 } })
  expect(postgres({ url: "postgres://ada@localhost/people", pool: 3 })["~service"]).toMatchObject({
    name: "people",
    policy: { concurrency: 3 },
  })
})

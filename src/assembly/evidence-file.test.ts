import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, onTestFinished, test } from "vitest"
import { seededRandom, systemRandom } from "../base/random.ts"
import type { Sighting } from "../runtime/evidence.ts"
import { addEvidence, changed, evidenceFile, OPERATIONS_MAX, readEvidence } from "./evidence-file.ts"

const seen = (more: Partial<Sighting> = {}): Sighting => ({
  contract: "c",
  backend: "rest crm",
  epoch: 1_000,
  servedBy: "crm",
  ms: 3,
  count: 1,
  ...more,
})
const options = { random: seededRandom(1), pause: async () => {} }

function newFile(): string {
  const folder = mkdtempSync(join(tmpdir(), "trestle-evidence-"))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return evidenceFile(join(folder, "data"))
}

test("what was added → is read again, only by its owner, and nothing else is left", async () => {
  const file = newFile()
  await addEvidence(file, { "users.create": { verified: seen() } }, options)
  await addEvidence(file, { "users.create": { live: seen() }, "users.show": { verified: seen() } }, options)
  expect(readEvidence(file)).toEqual({ "users.create": { verified: seen(), live: seen() }, "users.show": { verified: seen() } })
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(readdirSync(join(file, ".."))).toEqual(["evidence.json"])
})

test("what a writer that crashed left behind → gone with the next", async () => {
  const file = newFile()
  await addEvidence(file, { one: { live: seen() } }, options)
  writeFileSync(`${file}.0123abcd.tmp`, "{")
  await addEvidence(file, { two: { live: seen() } }, options)
  expect(readdirSync(join(file, ".."))).toEqual(["evidence.json"])
})

test("twenty writers at once → nothing of any is lost", async () => {
  const file = newFile()
  const pause = (ms: number) => new Promise<void>((resolve) => void setTimeout(resolve, ms / 10))
  const paths = Array.from({ length: 20 }, (_, n) => `op${n}`)
  await Promise.all(paths.map((path) => addEvidence(file, { [path]: { live: seen() } }, { random: systemRandom, pause })))
  expect(Object.keys(readEvidence(file)).sort()).toEqual(paths.sort())
})

describe("a file that is not sound → none, and the next one is", () => {
  test.each([
    ["no JSON", "{"],
    ["another format", '{"format":"else","operations":{}}'],
    ["a list", "[]"],
    ["null", "null"],
  ])("%s", async (_, text) => {
    const file = newFile()
    await addEvidence(file, { one: { live: seen() } }, options)
    writeFileSync(file, text)
    expect(readEvidence(file)).toEqual({})
    await addEvidence(file, { one: { live: seen() } }, options)
    expect(readEvidence(file)).toEqual({ one: { live: seen() } })
  })
  test("larger than any honest one", async () => {
    const file = newFile()
    await addEvidence(file, { one: { live: seen() } }, options)
    truncateSync(file, 5 * 1_048_576)
    expect(readEvidence(file)).toEqual({})
  })
  test.each([
    ["no count", { count: undefined }],
    ["a date that cannot be", { epoch: 1e300 }],
    ["a number for a name", { servedBy: 7 }],
  ])("a sighting with %s → it alone is dropped", async (_, wrong) => {
    const file = newFile()
    await addEvidence(file, { one: { live: seen() }, two: { live: seen() } }, options)
    const content = JSON.parse(readFileSync(file, "utf8"))
    Object.assign(content.operations.one.live, wrong)
    writeFileSync(file, JSON.stringify(content))
    expect(Object.keys(readEvidence(file))).toEqual(["two"])
  })
})

test("no file → none", () => expect(readEvidence("/nowhere/evidence.json")).toEqual({}))

test("more operations than fit → the newest are kept", async () => {
  const file = newFile()
  const many = Object.fromEntries(Array.from({ length: OPERATIONS_MAX + 5 }, (_, n) => [`op${n}`, { live: seen({ epoch: n }) }]))
  await addEvidence(file, many, options)
  const kept = Object.keys(readEvidence(file))
  expect(kept.length).toBe(OPERATIONS_MAX)
  expect(kept).not.toContain("op4")
  expect(kept).toContain("op5")
})

describe("a change", () => {
  test("null takes back what was verified, and leaves what is live", () => {
    expect(changed({ one: { verified: seen(), live: seen() } }, { one: { verified: null } })).toEqual({ one: { live: seen() } })
  })
  test("null where nothing else is → the operation is gone", () => {
    expect(changed({ one: { verified: seen() } }, { one: { verified: null } })).toEqual({})
  })
})

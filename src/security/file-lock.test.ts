import { execFileSync, spawn } from "node:child_process"
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, expect, test } from "vitest"
import { seededRandom } from "../base/random.ts"
import { LOCK_HELD_MS_MAX, withFileLock } from "./file-lock.ts"

let folder: string
let file: string
let pausedMs: number
const random = seededRandom(7)
const pause = async (delayMs: number): Promise<void> => {
  pausedMs += delayMs
}
const locked = <T>(work: Parameters<typeof withFileLock<T>>[2]): Promise<T> => withFileLock(file, { random, pause }, work)

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "trestle-lock-"))
  file = join(folder, "x.lock")
  pausedMs = 0
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

test("lock: work done → its answer, the lock gone", async () => {
  expect(await locked(async () => existsSync(file))).toBe(true)
  expect(existsSync(file)).toBe(false)
})
test("lock: work fails → its error, the lock gone", async () => {
  await expect(locked(() => Promise.reject(new RangeError("no")))).rejects.toThrow(RangeError)
  expect(existsSync(file)).toBe(false)
})
test("lock: wanted twice at once → one after the other", async () => {
  let inside = 0
  const work = async (): Promise<void> => {
    expect(++inside).toBe(1)
    await new Promise((resolve) => setImmediate(resolve))
    inside--
  }
  const real = { random, pause: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)) }
  await Promise.all(Array.from({ length: 5 }, () => withFileLock(file, real, work)))
})
test("leftover: its process is dead → taken over without waiting", async () => {
  const dead = Number(execFileSync(process.execPath, ["-p", "process.pid"], { encoding: "utf8" }))
  const where = await locked(async () => JSON.parse(readFileSync(file, "utf8")).where as string)
  writeFileSync(file, JSON.stringify({ pid: dead, where, token: "old" }))
  expect(await locked(async () => "mine")).toBe("mine")
  expect(pausedMs).toBe(0)
})
test("leftover: killed in the middle of its work → taken over without waiting", async () => {
  const program = `
    import { withFileLock } from ${JSON.stringify(new URL("./file-lock.ts", import.meta.url).href)}
    const options = { random: { next: () => 0, hex: () => "child" }, pause: async () => {} }
    await withFileLock(${JSON.stringify(file)}, options, () => new Promise(() => { console.log("held"); setInterval(() => {}, 1000) }))`
  const child = spawn(process.execPath, ["--input-type=module", "--eval", program], { stdio: ["ignore", "pipe", "inherit"] })
  await new Promise((resolve) => child.stdout.once("data", resolve))
  child.kill("SIGKILL")
  await new Promise((resolve) => child.once("exit", resolve))
  expect(readFileSync(file, "utf8")).toContain("child")
  expect(await locked(async () => "mine")).toBe("mine")
  expect(pausedMs).toBe(0)
})
test.each([
  ["from another machine", JSON.stringify({ pid: 1, where: "elsewhere", token: "t" })],
  ["without content", ""],
  ["of a process id that lives again", JSON.stringify({ pid: process.pid, where: "here", token: "t" })],
  ["with nonsense for an id", JSON.stringify({ pid: -1, where: "here", token: "t" })],
])("leftover: %s → taken over after it was watched for long", async (_, content) => {
  const where = await locked(async () => JSON.parse(readFileSync(file, "utf8")).where as string)
  writeFileSync(file, content.replace('"here"', JSON.stringify(where)))
  expect(await locked(async () => "mine")).toBe("mine")
  expect(pausedMs).toBeGreaterThanOrEqual(LOCK_HELD_MS_MAX)
  expect(pausedMs).toBeLessThan(LOCK_HELD_MS_MAX + 100)
})
test("busy lock: always another holder → UNAVAILABLE after 30 s, names the file", async () => {
  let turn = 0
  const busy = async (delayMs: number): Promise<void> => {
    pausedMs += delayMs
    if (pausedMs > turn * 1_000) writeFileSync(file, JSON.stringify({ pid: 1, where: "elsewhere", token: ++turn }))
  }
  writeFileSync(file, "first")
  const waiting = withFileLock(file, { random, pause: busy }, async () => "mine")
  await expect(waiting).rejects.toMatchObject({ code: "UNAVAILABLE", note: expect.stringContaining(file) })
  expect(pausedMs).toBeGreaterThanOrEqual(30_000)
  expect(existsSync(file)).toBe(true)
})
test("leftover: somebody is removing it already → left alone, UNAVAILABLE in the end", async () => {
  writeFileSync(file, "leftover")
  writeFileSync(`${file}.break`, "")
  await expect(locked(async () => "mine")).rejects.toMatchObject({ note: expect.stringContaining(`${file}.break`) })
  expect(readFileSync(file, "utf8")).toBe("leftover")
})
test("holder: taken for dead meanwhile → confirm rejects, the other's lock stays", async () => {
  const work = locked(async (lock) => {
    await lock.confirm()
    writeFileSync(file, "another")
    await lock.confirm()
  })
  await expect(work).rejects.toMatchObject({ code: "UNAVAILABLE", note: expect.stringContaining("lost the lock") })
  expect(readFileSync(file, "utf8")).toBe("another")
})
test("folder: missing → UNAVAILABLE at once", async () => {
  const work = withFileLock(join(folder, "no", "x.lock"), { random, pause }, async () => "mine")
  await expect(work).rejects.toMatchObject({ code: "UNAVAILABLE", note: expect.stringContaining("ENOENT") })
})

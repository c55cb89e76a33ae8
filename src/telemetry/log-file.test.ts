import { spawnSync } from "node:child_process"
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { gunzipSync, gzipSync } from "node:zlib"
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import { type Clock, systemClock } from "../base/clock.ts"
import { rotatedFiles } from "./log-archive.ts"
import { type LogFile, RotatingFile } from "./log-file.ts"
import { Sink } from "./sink.ts"

const HOUR = 3_600_000
const NOON = Date.UTC(2026, 10, 22, 12, 0, 0)
let folder: string
let path: string
let now: number
const clock: Clock = { ...systemClock, epoch: () => now }
const complaints: Error[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "trestle-log-"))
  path = join(folder, "app.log")
  now = NOON
  complaints.length = 0
})
afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

function open(more: Partial<LogFile> = {}): RotatingFile {
  const file: LogFile = { path, bytesMax: 1_000_000, everyMs: 24 * HOUR, keepFiles: 1_000, keepBytes: 1e9, ...more }
  return new RotatingFile(file, clock, (error) => complaints.push(error))
}
const flushed = (file: RotatingFile): Promise<void> => new Promise((resolve) => file.flush(resolve))
async function closed(file: RotatingFile): Promise<void> {
  await flushed(file)
  await file.settled()
  file.end()
}
/** Every line, from the oldest file to the one that is written to. */
function lines(): string[] {
  const texts = [...rotatedFiles(path), path].map((name) => {
    const bytes = readFileSync(name)
    return (name.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8")
  })
  return texts.join("").split("\n").slice(0, -1)
}
const numbered = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, i) => `line ${from + i}`)

describe("rotation", () => {
  test("10,000 lines over many files: all there, in order, exactly once, compressed", async () => {
    const file = open({ bytesMax: 2_000 })
    const all = numbered(0, 10_000)
    for (const line of all) file.write(Buffer.from(`${line}\n`))
    await closed(file)
    expect(lines()).toEqual(all)
    expect(rotatedFiles(path).length).toBeGreaterThan(40)
    for (const name of rotatedFiles(path)) expect(name).toMatch(/app\.log\.20261122T120000Z-\d{4}\.gz$/)
    expect(complaints).toEqual([])
  })

  test("no file is larger than the limit, unless by its last batch", async () => {
    const file = open({ bytesMax: 1_000 })
    for (let i = 0; i < 100; i++) file.write(Buffer.from(`${"x".repeat(98)}\n`))
    await closed(file)
    for (const name of rotatedFiles(path)) expect(gunzipSync(readFileSync(name)).length).toBeLessThanOrEqual(1_000)
  })

  test("midnight in UTC: a new file at the first line after it, none before", async () => {
    const file = open()
    file.write(Buffer.from("noon\n"))
    now = Date.UTC(2026, 10, 22, 23, 59, 59, 999)
    file.write(Buffer.from("evening\n"))
    now = Date.UTC(2026, 10, 23)
    file.write(Buffer.from("next day\n"))
    await closed(file)
    expect(rotatedFiles(path)).toHaveLength(1)
    expect(readFileSync(path, "utf8")).toBe("next day\n")
    expect(lines()).toEqual(["noon", "evening", "next day"])
  })

  test("hourly: each hour its file; an hour without lines has none", async () => {
    const file = open({ everyMs: HOUR })
    for (const hours of [0, 1, 2, 5]) {
      now = NOON + hours * HOUR
      file.write(Buffer.from(`hour ${hours}\n`))
    }
    await closed(file)
    expect(rotatedFiles(path)).toHaveLength(3)
    expect(lines()).toEqual(["hour 0", "hour 1", "hour 2", "hour 5"])
  })

  test("a file of yesterday is put aside by the first line of today", async () => {
    writeFileSync(path, "yesterday\n")
    utimesSync(path, (NOON - 24 * HOUR) / 1_000, (NOON - 24 * HOUR) / 1_000)
    const file = open()
    file.write(Buffer.from("today\n"))
    await closed(file)
    expect(readFileSync(path, "utf8")).toBe("today\n")
    expect(lines()).toEqual(["yesterday", "today"])
  })

  test("a clock that goes back: the order of the names stays that of the lines", async () => {
    const file = open({ bytesMax: 10 })
    const all = numbered(0, 40)
    for (const [i, line] of all.entries()) {
      now = NOON - i * 60_000
      file.write(Buffer.from(`${line}\n`))
    }
    await closed(file)
    expect(lines()).toEqual(all)
  })
})

describe("what is kept", () => {
  test("no more files than said: the oldest go", async () => {
    const file = open({ bytesMax: 10, keepFiles: 3 })
    for (const line of numbered(10, 30)) file.write(Buffer.from(`${line}\n`))
    await closed(file)
    expect(rotatedFiles(path)).toHaveLength(3)
    expect(lines()).toEqual(numbered(26, 30))
  })

  test("no more bytes than said, compressed", async () => {
    const file = open({ bytesMax: 10, keepBytes: 100 })
    for (const line of numbered(10, 30)) file.write(Buffer.from(`${line}\n`))
    await closed(file)
    const bytes = rotatedFiles(path).reduce((sum, name) => sum + statSync(name).size, 0)
    expect(bytes).toBeGreaterThan(0)
    expect(bytes).toBeLessThanOrEqual(100)
  })

  test("other files beside it are never touched", async () => {
    for (const name of ["app.log.1.gz", "app.log.backup", "app.log.20261122T120000Z-0001.old", "other.log"])
      writeFileSync(join(folder, name), "mine")
    const file = open({ bytesMax: 10, keepFiles: 1 })
    for (const line of numbered(10, 20)) file.write(Buffer.from(`${line}\n`))
    await closed(file)
    expect(readdirSync(folder)).toEqual(
      expect.arrayContaining(["app.log.1.gz", "app.log.backup", "app.log.20261122T120000Z-0001.old", "other.log"]),
    )
  })
})

describe("a process that ended in the middle", () => {
  const ASIDE = "app.log.20261121T000000Z-0001"

  test.each([
    ["before it was compressed", { [ASIDE]: "old\n" }],
    ["while it was compressed", { [ASIDE]: "old\n", [`${ASIDE}.gz.part`]: "half of i" }],
    ["before the plain one went", { [ASIDE]: "old\n", [`${ASIDE}.gz`]: gzipSync("old\n") }],
  ])("%s: the next one finishes it, nothing is lost or double", async (_, files) => {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
    const file = open()
    file.write(Buffer.from("new\n"))
    await closed(file)
    expect(readdirSync(folder).sort()).toEqual(["app.log", `${ASIDE}.gz`])
    expect(lines()).toEqual(["old", "new"])
  })

  test("lines that wait when the process exits: written, over a rotation too", () => {
    const script = `
      import { Sink } from ${JSON.stringify(join(import.meta.dirname, "sink.ts"))}
      const sink = new Sink({ path: ${JSON.stringify(path)}, bytesMax: 100_000, everyMs: 86_400_000, keepFiles: 99, keepBytes: 1e9 })
      for (let i = 0; i < 20_000; i++) sink.write("line " + i + "\\n")
      process.exit(0)`
    const ran = spawnSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" })
    expect(ran).toMatchObject({ status: 0, stderr: "" })
    expect(lines()).toEqual(numbered(0, 20_000))
    expect(rotatedFiles(path).length).toBeGreaterThan(0)
  })
})

describe("trouble", () => {
  test("the folder can no longer be written: said, and the lines go on into the same file", async () => {
    const file = open({ bytesMax: 20 })
    file.write(Buffer.from("first line of all\n"))
    rmSync(folder, { recursive: true })
    file.write(Buffer.from("second line of all\n"))
    file.write(Buffer.from("third line of all\n"))
    await flushed(file)
    expect(complaints.length).toBeGreaterThan(0)
    file.end()
    expect(existsSync(path)).toBe(false)
  })

  test("a full disk (/dev/full): one complaint on stderr, and no call hears of it", async () => {
    const said = vi.spyOn(process.stderr, "write").mockImplementation(() => true)
    const sink = new Sink("/dev/full")
    for (let i = 0; i < 3; i++) {
      sink.write("line\n")
      await sink.flush()
    }
    await sink.close()
    const texts = said.mock.calls.map(([text]) => String(text))
    said.mockRestore()
    expect(texts.filter((text) => text.includes("the log cannot be written"))).toHaveLength(1)
  })

  test("file, rotated files and lock: for the owner only", async () => {
    const file = open({ bytesMax: 10 })
    for (const line of numbered(10, 13)) file.write(Buffer.from(`${line}\n`))
    await flushed(file)
    await file.settled()
    expect(readdirSync(folder)).toContain("app.log.lock")
    for (const name of readdirSync(folder)) expect([name, (statSync(join(folder, name)).mode & 0o777).toString(8)]).toEqual([name, "600"])
    file.end()
    expect(existsSync(`${path}.lock`)).toBe(false)
  })

  test("removed by somebody: the next rotation begins it anew", async () => {
    const file = open({ bytesMax: 20 })
    file.write(Buffer.from("first line of all\n"))
    await flushed(file)
    rmSync(path)
    file.write(Buffer.from("second line of all\n"))
    await closed(file)
    expect(lines()).toEqual(["second line of all"])
    expect(complaints).toEqual([])
  })

  test("a file that cannot be compressed: tried again with the next, and the limits hold", async () => {
    const file = open({ bytesMax: 10, keepFiles: 2 })
    const blocked = `${path}.20261122T120000Z-0001.gz.part`
    for (const line of numbered(10, 12)) file.write(Buffer.from(`${line}\n`))
    mkdirSync(blocked)
    file.write(Buffer.from("line 12\n"))
    await flushed(file)
    await file.settled()
    expect(complaints).not.toEqual([])
    expect(lines()).toEqual(numbered(10, 13))
    rmSync(blocked, { recursive: true, force: true })
    for (const line of numbered(13, 15)) file.write(Buffer.from(`${line}\n`))
    await closed(file)
    expect(lines()).toEqual(numbered(12, 15))
  })

  test("a link, its file there or not: followed, and rotated where it leads", async () => {
    const disk = join(folder, "large disk")
    mkdirSync(disk)
    symlinkSync(join(disk, "real.log"), path)
    const file = open({ bytesMax: 10 })
    for (const line of numbered(10, 15)) file.write(Buffer.from(`${line}\n`))
    expect(() => open({ path: join(disk, "real.log") })).toThrow(expect.objectContaining({ code: "START_REFUSED" }))
    await closed(file)
    expect(readdirSync(folder)).toEqual(["app.log", "large disk"])
    expect(rotatedFiles(join(disk, "real.log"))).toHaveLength(4)
    expect(readFileSync(path, "utf8")).toBe("line 14\n")
  })

  test.each(["/dev/null", "a pipe", "a folder"])("%s: refused, and nothing is done to it", (name) => {
    const special = name.startsWith("/") ? name : join(folder, name)
    if (name === "a pipe") spawnSync("mkfifo", [special])
    if (name === "a folder") mkdirSync(special)
    expect(() => open({ path: special })).toThrow(
      expect.objectContaining({ code: "START_REFUSED", note: expect.stringContaining("no regular file") }),
    )
    expect(existsSync(`${special}.lock`)).toBe(false)
  })

  test("a second writer: refused, naming who holds the file", () => {
    const file = open()
    expect(() => open()).toThrow(
      expect.objectContaining({ code: "START_REFUSED", note: expect.stringContaining(`process ${process.pid} writes to it`) }),
    )
    file.end()
    open().end()
  })

  test("the lock of another living process: refused; of a dead one: taken over", () => {
    writeFileSync(
      `${path}.lock`,
      `${process.ppid} ${JSON.parse(spawnSync(process.execPath, ["-p", "JSON.stringify(os.hostname())"], { encoding: "utf8" }).stdout)}\n`,
    )
    expect(() => open()).toThrow(expect.objectContaining({ code: "START_REFUSED" }))
    const { pid } = spawnSync(process.execPath, ["-e", ""])
    writeFileSync(
      `${path}.lock`,
      `${pid} ${JSON.parse(spawnSync(process.execPath, ["-p", "JSON.stringify(os.hostname())"], { encoding: "utf8" }).stdout)}\n`,
    )
    open().end()
  })
})

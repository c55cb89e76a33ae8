import { spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import { REDACTED, Redactor } from "../base/redact.ts"
import type { Delivery } from "../contract/job.ts"
import type { CallRecord } from "../contract/ports.ts"
import { failWith, invalid, TrestleError } from "../errors/trestle-error.ts"
import { type Log, type LogOptions, openLog } from "./call-log.ts"

const TRACE = "3f2a90c1".repeat(4)
const CANARY = "s3cr3t-canary"

type Over = Partial<Omit<CallRecord, "meta">> & { meta?: Partial<CallRecord["meta"]> }

function recordOf({ meta, ...over }: Over = {}): CallRecord {
  return {
    operation: "users.get",
    entrance: "http",
    principal: { id: "ada@x.io", kind: "user" },
    epoch: Date.UTC(2026, 1, 3, 12, 3, 4, 123),
    error: null,
    status: 200,
    route: "GET /users/{id}",
    ...over,
    meta: { servedBy: "people", attempts: 1, ms: 34.1234, degraded: false, trace: TRACE, ...meta },
  }
}

const opened: Log[] = []
afterEach(async () => {
  for (const log of opened.splice(0)) await log.close()
})

function open(over: Partial<LogOptions> = {}) {
  let text = ""
  const redactor = new Redactor()
  redactor.add(CANARY)
  const log = openLog({ format: "json", level: "info", redactor, name: "bot", destination: { write: (lines) => (text += lines) }, ...over })
  opened.push(log)
  const written = async (): Promise<string> => {
    await log.flush()
    return text
  }
  const lines = async (): Promise<Record<string, any>[]> =>
    (await written())
      .trimEnd()
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line))
  return { ...log, redactor, written, lines, now: () => text }
}

async function lineOf(over: Over): Promise<Record<string, any>> {
  const log = open()
  log.recorder.record(recordOf(over))
  const lines = await log.lines()
  expect(lines).toHaveLength(1)
  return lines[0]!
}

describe("a call's JSON line", () => {
  it("success over HTTP → every field, once", async () => {
    expect(await lineOf({})).toEqual({
      level: "info",
      time: "2026-02-03T12:03:04.157Z",
      name: "bot",
      operation: "users.get",
      entrance: "http",
      route: "GET /users/{id}",
      servedBy: "people",
      trace: TRACE,
      caller: "ada@x.io",
      ms: 34.12,
      attempts: 1,
      outcome: "ok",
      status: 200,
    })
  })
  it("success in process, nobody calling → no status, no route, caller null", async () => {
    const line = await lineOf({ status: null, route: null, principal: null, entrance: "in-process" })
    expect(line).toMatchObject({ caller: null, outcome: "ok" })
    expect(line).not.toHaveProperty("status")
    expect(line).not.toHaveProperty("route")
  })
  it.each([202, 204])("status %d → as it is", async (status) => expect(await lineOf({ status })).toMatchObject({ status, outcome: "ok" }))
  it.each([0, 1, 3, 7, 8, 40])("%d attempts → as many", async (attempts) =>
    expect(await lineOf({ meta: { attempts } })).toMatchObject({ attempts }),
  )
  it.each([
    [0, 0],
    [0.004, 0],
    [0.006, 0.01],
    [1.999, 2],
    [0.1 + 0.2, 0.3],
    [12_345.678, 12_345.68],
    [1e9, 1e9],
    [Number.NaN, 0],
    [-1, 0],
    [Infinity, 0],
  ])("%d ms → %d", async (ms, shown) => expect((await lineOf({ meta: { ms } })).ms).toBe(shown))
  it("degraded → warn, why and how old", async () =>
    expect(await lineOf({ meta: { degraded: { why: "last good", ageMs: 1_500 } } })).toMatchObject({
      level: "warn",
      degraded: "last good",
      ageMs: 1_500,
      outcome: "ok",
    }))
  it("an answer that was remembered under its key → replayed, failures too", async () => {
    expect(await lineOf({ isReplayed: true })).toMatchObject({ replayed: true, outcome: "ok", status: 200, level: "info" })
    const error = new TrestleError("SOLD_OUT", undefined, { status: 409, reason: "answered" })
    expect(await lineOf({ isReplayed: true, error })).toMatchObject({ replayed: true, code: "SOLD_OUT", status: 200 })
    expect(await lineOf({ isReplayed: false })).not.toHaveProperty("replayed")
  })
  it("the same operation at two entrances and services → each line its own", async () => {
    const log = open()
    for (const servedBy of ["a", "b", "a"])
      log.recorder.record(recordOf({ entrance: servedBy === "a" ? "http" : "rpc", meta: { servedBy } }))
    expect((await log.lines()).map((line) => [line.entrance, line.servedBy])).toEqual([
      ["http", "a"],
      ["rpc", "b"],
      ["http", "a"],
    ])
  })
  it("times of several seconds → each its own, when the call ended", async () => {
    const log = open()
    for (const epoch of [999, 1_000, 61_000, 5]) log.recorder.record(recordOf({ epoch }))
    const took = 34
    expect((await log.lines()).map((line) => Date.parse(line.time))).toEqual([999, 1_000, 61_000, 5].map((began) => began + took))
  })

  it("success inside another call → no line of its own; failure inside → a line", async () => {
    const log = open()
    log.recorder.record(recordOf({ entrance: "nested" }))
    log.recorder.record(recordOf({ entrance: "nested", error: new TrestleError("UNAVAILABLE") }))
    expect((await log.lines()).map(({ code }) => code)).toEqual(["UNAVAILABLE"])
  })
})

describe("a failure's JSON line", () => {
  it.each([
    ["INVALID", "info"],
    ["UNAUTHENTICATED", "info"],
    ["NOT_FOUND", "info"],
    ["RATE_LIMITED", "info"],
    ["CANCELLED", "info"],
    ["UNAVAILABLE", "warn"],
    ["TIMEOUT", "warn"],
    ["INTERNAL", "error"],
    ["OUTCOME_UNKNOWN", "error"],
  ] as const)("%s → %s", async (code, level) =>
    expect(await lineOf({ error: failWith(code), status: null })).toMatchObject({ code, level }),
  )
  it("a declared code → by its status", async () =>
    expect(await lineOf({ error: new TrestleError("EMAIL_TAKEN", "taken", { status: 409 }), status: 409 })).toMatchObject({
      level: "info",
      code: "EMAIL_TAKEN",
      status: 409,
    }))
  it("outcome, code, status, reason, note and the error", async () => {
    const error = failWith("UNAVAILABLE", { reason: "circuit-open", note: "people rests", cause: new Error("ECONNREFUSED") })
    expect(await lineOf({ error, status: 503 })).toMatchObject({
      outcome: "refused",
      code: "UNAVAILABLE",
      status: 503,
      reason: "circuit-open",
      note: "people rests",
      err: { type: "TrestleError", message: expect.stringContaining("people rests"), cause: { type: "Error", message: "ECONNREFUSED" } },
    })
  })
  it("an input that does not fit → the first three issues, bounded, each secret masked", async () => {
    const path = (name: string) => ({ path: name, message: "unknown field" })
    const error = invalid([path("a"), { path: "", message: "too large" }, path(`${"b".repeat(500)}`), path("c")])
    expect((await lineOf({ error })).issues).toEqual(["a: unknown field", "too large", `${"b".repeat(200)}…`])
    const log = open()
    log.redactor.add("s3cret-of-somebody")
    log.recorder.record(recordOf({ error: invalid([path("s3cret-of-somebody")]) }))
    expect(await log.written()).not.toContain("s3cret-of-somebody")
  })
  it("in process → the error's own status", async () =>
    expect(await lineOf({ error: failWith("TIMEOUT"), status: null })).toMatchObject({ status: 504 }))
  it("a mistake of ours → stacks, of the cause too", async () => {
    const { err } = await lineOf({ error: failWith("INTERNAL", { cause: new TypeError("no") }) })
    expect([err.stack, err.cause.stack]).toEqual([expect.stringContaining("call-log.test"), expect.stringContaining("call-log.test")])
  })
  it("a mistake of the caller → no stack", async () =>
    expect(JSON.stringify(await lineOf({ error: failWith("INVALID", { cause: new Error("x") }) }))).not.toContain("call-log.test"))
  it("a cause that throws when it is read → still a line", async () => {
    const cause = new Proxy(
      {},
      {
        ownKeys: () => {
          throw new Error("no")
        },
        getPrototypeOf: () => {
          throw new Error("no")
        },
      },
    )
    expect(await lineOf({ error: failWith("INTERNAL", { cause }) })).toMatchObject({ err: { cause: "[unreadable]" } })
  })
  it("a time that is none → says that the call could not be logged, does not throw", async () => {
    const log = open()
    expect(() => log.recorder.record(recordOf({ epoch: Number.NaN }))).not.toThrow()
    expect(await log.lines()).toMatchObject([{ level: "error", msg: expect.stringContaining("could not be logged") }])
  })
})

describe("levels", () => {
  it("warn → neither successes nor the mistakes of callers", async () => {
    const log = open({ level: "warn" })
    log.recorder.record(recordOf())
    log.recorder.record(recordOf({ error: failWith("INVALID") }))
    log.recorder.record(recordOf({ error: failWith("TIMEOUT") }))
    log.events.info("quiet")
    log.events.warn("loud")
    expect((await log.lines()).map((line) => line.code ?? line.msg)).toEqual(["TIMEOUT", "loud"])
  })
  it("warn, a success → reads nothing of it but whether it is one", () => {
    const touched: (string | symbol)[] = []
    const record = new Proxy(recordOf(), {
      get(target, key) {
        touched.push(key)
        return Reflect.get(target, key)
      },
    })
    open({ level: "warn" }).recorder.record(record)
    expect(touched).toEqual(["error", "meta"])
  })
  it("a flow that waits → its first wait is said, each later look only at the level debug", async () => {
    const pending = (isLook: boolean): CallRecord =>
      recordOf({ entrance: "flow", error: failWith("PENDING"), delivery: { isLook } as Delivery })
    const saidAt = async (level: LogOptions["level"]): Promise<unknown[]> => {
      const log = open({ level })
      for (const isLook of [false, true, true]) log.recorder.record(pending(isLook))
      return (await log.lines()).map((line) => line.level)
    }
    expect([await saidAt("info"), await saidAt("debug")]).toEqual([["info"], ["info", "debug", "debug"]])
  })
  it("silent → writes nothing", async () => {
    const log = open({ format: "silent" })
    log.recorder.record(recordOf({ error: failWith("INTERNAL") }))
    log.events.error("x")
    await log.close()
    expect(log.now()).toBe("")
  })
})

const HOSTILE = [
  'a"b',
  "back\\slash",
  'x\n{"level":"error","forged":true}',
  "\r\n",
  "\t",
  "\u0000\u001b[2J",
  "\u007f\u0085\u009b",
  "\u2028\u2029",
  "\u202eevil",
  "\ud800",
  "ü😀",
  "</script>",
  "",
  "%s %j %o",
]

describe("texts from outside", () => {
  const place: Record<string, (text: string) => Over> = {
    caller: (text) => ({ principal: { id: text, kind: "user" } }),
    trace: (text) => ({ meta: { trace: text } }),
    operation: (text) => ({ operation: text }),
    route: (text) => ({ route: text }),
    servedBy: (text) => ({ meta: { servedBy: text } }),
    degraded: (text) => ({ meta: { degraded: { why: text } } }),
    note: (text) => ({ error: failWith("TIMEOUT", { note: text || "-" }) }),
    code: (text) => ({ error: new TrestleError(text, "x", { status: 400 }) }),
    message: (text) => ({ error: new TrestleError("BAD", text, { status: 500 }) }),
  }
  it.each(Object.keys(place))("%s: hostile → one line, the same text back, nothing that a terminal obeys", async (field) => {
    for (const text of HOSTILE) {
      const log = open()
      log.recorder.record(recordOf(place[field]!(text)))
      const written = await log.written()
      expect(written.match(/[\n\r\u0085\u2028\u2029]/g)).toEqual(["\n"])
      expect(written.slice(0, -1)).not.toMatch(/[\p{Cc}\u2028\u2029\u202e]/u)
      const line = JSON.parse(written)
      expect(line).not.toHaveProperty("forged")
      expect(field === "message" ? line.err.message : line[field]).toContain(text === "" || text === "\ud800" ? "" : text)
    }
  })
  it.each(Object.keys(place))("%s: a secret → masked", async (field) => {
    const line = JSON.stringify(await lineOf(place[field]!(`x ${CANARY} y`)))
    expect(line).toContain(REDACTED)
    expect(line).not.toContain(CANARY)
  })
  it("a secret that becomes known after the caller was seen → masked from then on", async () => {
    const log = open()
    const record = recordOf({ principal: { id: "late-secret", kind: "key" }, operation: "late-secret" })
    log.recorder.record(record)
    log.redactor.add("late-secret")
    log.recorder.record(record)
    expect((await log.lines()).map((line) => [line.caller, line.operation])).toEqual([
      ["late-secret", "late-secret"],
      [REDACTED, REDACTED],
    ])
  })
  it("a caller of a megabyte → cut", async () =>
    expect((await lineOf({ principal: { id: "x".repeat(1_000_000), kind: "user" } })).caller).toHaveLength(201))
  it("10,000 callers → each its own line", async () => {
    const log = open()
    for (let i = 0; i < 10_000; i++) log.recorder.record(recordOf({ principal: { id: `u${i}`, kind: "user" } }))
    expect((await log.lines()).map((line) => line.caller)).toEqual(Array.from({ length: 10_000 }, (_, i) => `u${i}`))
  })
})

describe("events", () => {
  const clock = { now: () => 0, epoch: () => 1_500, after: () => null, cancel: () => {}, pause: async () => {} }
  it("with fields → one line through the same format", async () => {
    const log = open({ clock })
    log.events.info("ready", { operations: 19 })
    expect(await log.lines()).toEqual([{ level: "info", time: "1970-01-01T00:00:01.500Z", name: "bot", operations: 19, msg: "ready" }])
  })
  it("without fields → level and message", async () => {
    const log = open()
    log.events.error("stopped")
    expect(await log.lines()).toMatchObject([{ level: "error", msg: "stopped" }])
  })
  it("fields named like the line's own → kept under another name", async () => {
    const log = open({ clock })
    log.events.info("x", { level: "l", time: "t", name: "n", msg: "m", operation: "o" })
    expect(await log.written()).toBe(
      '{"level":"info","time":"1970-01-01T00:00:01.500Z","name":"bot","level_":"l","time_":"t","name_":"n","msg_":"m","operation_":"o","msg":"x"}\n',
    )
  })
  it("an error → under err, with type, message and stack", async () => {
    const log = open()
    log.events.error("stop failed", { error: new TypeError("busy") })
    expect(await log.lines()).toMatchObject([{ err: { type: "TypeError", message: "busy", stack: expect.any(String) } }])
  })
  it("secrets in message, key, value and error → masked", async () => {
    const log = open()
    log.events.warn(`m ${CANARY}`, {
      [CANARY]: 1,
      value: CANARY,
      password: "abc",
      error: new Error(CANARY, { cause: { url: `http://x/?t=${CANARY}` } }),
    })
    expect(await log.written()).not.toMatch(/s3cr3t|"abc"/)
  })
  it.each(HOSTILE)("hostile message %j → one line, unchanged, no format", async (text) => {
    const log = open()
    log.events.info(text, { a: "fill" })
    const written = await log.written()
    expect(written.slice(0, -1)).not.toMatch(/[\p{Cc}\u2028\u2029\u202e]/u)
    if (text !== "\ud800") expect(JSON.parse(written).msg).toBe(text)
  })
  it("an error and a call → in the order in which they came", async () => {
    const log = open()
    log.events.info("1")
    log.recorder.record(recordOf({ operation: "2" }))
    log.events.info("3")
    expect((await log.lines()).map((line) => line.msg ?? line.operation)).toEqual(["1", "2", "3"])
  })
})

describe("the destination", () => {
  let folder = ""
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "trestle-log-"))
  })
  afterEach(() => {
    vi.useRealTimers()
    rmSync(folder, { recursive: true, force: true })
  })

  it("a line → written 100 ms later, and no timer while nothing waits", async () => {
    vi.useFakeTimers()
    const log = open()
    expect(vi.getTimerCount()).toBe(0)
    log.recorder.record(recordOf())
    log.recorder.record(recordOf())
    expect(vi.getTimerCount()).toBe(1)
    vi.advanceTimersByTime(99)
    expect(log.now()).toBe("")
    vi.advanceTimersByTime(1)
    expect(log.now().split("\n")).toHaveLength(3)
    expect(vi.getTimerCount()).toBe(0)
  })
  it("32 kB of lines → written at once", () => {
    const log = open()
    for (let i = 0; i < 240; i++) log.recorder.record(recordOf())
    expect(log.now().length).toBeGreaterThanOrEqual(32_768)
  })
  it("a file → appended to, complete after close, closed twice", async () => {
    const path = join(folder, "app.log")
    writeFileSync(path, "before\n")
    const log = open({ destination: path })
    for (let i = 0; i < 5_000; i++) log.recorder.record(recordOf({ principal: { id: `ü${i}`, kind: "user" } }))
    await log.close()
    await log.close()
    const lines = readFileSync(path, "utf8").trimEnd().split("\n")
    expect(lines).toHaveLength(5_001)
    expect(lines.slice(1).map((line) => JSON.parse(line).caller)).toEqual(Array.from({ length: 5_000 }, (_, i) => `ü${i}`))
  })
  it("a file that cannot be opened → START_REFUSED, no listener left", () => {
    const before = process.listenerCount("exit")
    expect(() => open({ destination: join(folder, "no", "app.log") })).toThrow(expect.objectContaining({ code: "START_REFUSED" }))
    expect(process.listenerCount("exit")).toBe(before)
  })
  it("close → takes its listeners off the process; later lines are dropped", async () => {
    const before = process.listenerCount("exit")
    const log = open()
    const other = open()
    expect(process.listenerCount("exit")).toBe(before + 1)
    await other.close()
    await log.close()
    log.events.info("late")
    expect([process.listenerCount("exit"), await log.written()]).toEqual([before, ""])
  })
  it("a writer that throws → the call does not hear of it", async () => {
    const stderr = vi.spyOn(process.stderr, "write").mockReturnValue(true)
    const log = open({
      destination: {
        write: () => {
          throw new Error("full")
        },
      },
    })
    log.recorder.record(recordOf())
    await log.flush()
    log.recorder.record(recordOf())
    await log.close()
    expect(stderr.mock.calls.map(([text]) => text)).toEqual(["trestle: the log cannot be written: full\n"])
    stderr.mockRestore()
  })

  const ends = {
    "process.exit": "process.exit(3)",
    "an uncaught error": "throw new Error('x')",
    "the end of the program": "",
    "a line in an exit handler": "process.on('exit', () => log.events.info('3'))",
  }
  it.each(Object.entries(ends))("%s → nothing that was written is lost", (_, end) => {
    const program = join(folder, "program.ts")
    writeFileSync(
      program,
      `import { openLog } from ${JSON.stringify(join(import.meta.dirname, "call-log.ts"))}
import { Redactor } from ${JSON.stringify(join(import.meta.dirname, "../base/redact.ts"))}
const log = openLog({ format: "json", level: "info", redactor: new Redactor(), name: "bot" })
log.events.info("1")
log.events.info("2")
${end}
`,
    )
    const { stdout } = spawnSync(process.execPath, [program], { encoding: "utf8" })
    const expected = end.includes("'3'") ? ["1", "2", "3"] : ["1", "2"]
    const messages = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line).msg)
    expect(messages).toEqual(expected)
  })
})

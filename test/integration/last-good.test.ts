import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { z } from "zod"
import { startApp } from "../../src/assembly/start.ts"
import type { EventLog } from "../../src/contract/ports.ts"
import { openLastGoodFile } from "../../src/durable/last-good-file.ts"
import type { Seal } from "../../src/durable/seal.ts"
import {
  anyone,
  cache,
  code,
  env,
  fallback,
  type LastGoodOptions,
  lastGood,
  op,
  type Principal,
  rest,
  trestle,
  value,
} from "../../src/index.ts"
import { FakeClock, testApp } from "../../src/testing/index.ts"

const ADA: Principal = { id: "ada", kind: "user" }
const BOB: Principal = { id: "bob", kind: "user" }
const input = z.object({ id: z.string() })
const output = z.object({ id: z.string(), n: z.number() })
const crm = rest({ url: env("CRM_URL"), policy: { retry: 0, breaker: false } })

describe("the last good answer, in memory", () => {
  async function remembering(options: LastGoodOptions<{ id: string }> = { for: "1h" }) {
    const get = op({ http: "GET /things/{id}", input, output, anyObject: "a test", allow: anyone("a test"), errors: { GONE: 410 } }).via(
      fallback(crm.call("GET /things/{id}", { errors: { 410: "GONE" } }), lastGood(options)),
    )
    const t = await testApp(trestle({ name: "remembering", ops: { get } }))
    let n = 0
    t.wire(crm)
      .on("GET /things/{id}")
      .replies(({ params }) => ({ status: 200, body: { id: params.id, n: ++n } }))
    return { t, ada: t.as(ADA), bob: t.as(BOB) }
  }

  test("the service fails → given as degraded, with its age and why", async () => {
    const { t, ada } = await remembering()
    await ada.get({ id: "a" })
    await t.clock.advance("10m")
    t.wire(crm).down()
    const again = await ada.get.detailed({ id: "a" })
    expect(again.value).toEqual({ id: "a", n: 1 })
    expect(again.meta).toMatchObject({
      servedBy: "lastGood",
      ageMs: 600_000,
      degraded: { why: expect.stringContaining("crm"), ageMs: 600_000 },
    })
    await t.close()
  })
  test("nothing remembered → the failure as it was", async () => {
    const { t, ada } = await remembering()
    t.wire(crm).on("GET /things/{id}").reply(503, {}, { times: 1 })
    const error = await ada.get({ id: "a" }).catch((thrown) => thrown)
    expect(error).toMatchObject({ code: "UNAVAILABLE", reason: "server-error", note: "crm: HTTP 503" })
    await t.close()
  })
  test("too old → the failure as it was", async () => {
    const { t, ada } = await remembering()
    await ada.get({ id: "a" })
    await t.clock.advance("61m")
    t.wire(crm).down()
    expect(await ada.get.safe({ id: "a" })).toMatchObject({ code: "UNAVAILABLE" })
    await t.close()
  })
  test("nothing remembered, and something after it → that", async () => {
    const get = op({ effect: "read", input, output }).via(
      fallback(crm.call("GET /things/{id}"), lastGood({ for: "1h" }), value({ id: "none", n: 0 })),
    )
    const t = await testApp(trestle({ name: "after", ops: { get } }))
    t.wire(crm).down()
    expect((await t.internal().get.detailed({ id: "a" })).meta).toMatchObject({
      servedBy: "value",
      degraded: { why: expect.stringContaining("crm") },
    })
    await t.close()
  })
  test("another caller → nothing; shared → the same for all", async () => {
    const own = await remembering()
    await own.ada.get({ id: "a" })
    own.t.wire(crm).down()
    expect(await own.bob.get.safe({ id: "a" })).toMatchObject({ ok: false })
    await own.t.close()
    const shared = await remembering({ for: "1h", shared: true })
    await shared.ada.get({ id: "a" })
    shared.t.wire(crm).down()
    expect(await shared.bob.get({ id: "a" })).toEqual({ id: "a", n: 1 })
    await shared.t.close()
  })
  test.each([404, 410])("the service says that it is gone (%s) → it stays gone", async (status) => {
    const { t, ada } = await remembering()
    await ada.get({ id: "a" })
    t.wire(crm).on("GET /things/{id}").reply(status, {}, { times: 1 })
    await ada.get.safe({ id: "a" })
    t.wire(crm).down()
    expect(await ada.get.safe({ id: "a" })).toMatchObject({ code: "UNAVAILABLE" })
    await t.close()
  })
  test("its caller may not see it any more → an outage does not bring it back", async () => {
    const state = { may: true, isDown: false }
    const asked = code<{ id: string }, { id: string; n: number }>(({ id }, { fail }) => {
      if (state.isDown) throw new Error("down")
      return state.may ? { id, n: 1 } : fail("FORBIDDEN")
    })
    const t = await testApp(
      trestle({ name: "denied", ops: { get: op({ effect: "read", input, output }).via(fallback(asked, lastGood({ for: "1h" }))) } }),
    )
    await t.internal().get({ id: "a" })
    state.may = false
    expect(await t.internal().get.safe({ id: "a" })).toMatchObject({ code: "FORBIDDEN" })
    state.isDown = true
    expect(await t.internal().get.safe({ id: "a" })).toMatchObject({ code: "INTERNAL" })
    await t.close()
  })
  test("what was degraded or kept already → not remembered as good", async () => {
    const answer = { id: "made up", n: 0 }
    const get = op({ effect: "read", input, output }).via(
      fallback(fallback(crm.call("GET /things/{id}"), value(answer)), lastGood({ for: "1h" })),
    )
    const t = await testApp(trestle({ name: "degraded", ops: { get } }))
    t.wire(crm).down()
    await t.internal().get({ id: "a" })
    expect(t.lastCall().servedBy).toBe("value")
    await t.close()
  })
  test("behind a cache → remembered once, with the age of the answer, not of the last hit", async () => {
    const get = op({ effect: "read", input, output }).via(
      fallback(cache({ for: "30s" }, crm.call("GET /things/{id}")), lastGood({ for: "1h" })),
    )
    const t = await testApp(trestle({ name: "cached", ops: { get } }))
    t.wire(crm).on("GET /things/{id}").reply(200, { id: "a", n: 1 })
    await t.internal().get({ id: "a" })
    await t.clock.advance("20s")
    await t.internal().get({ id: "a" })
    await t.clock.advance("20s")
    t.wire(crm).down()
    expect((await t.internal().get.detailed({ id: "a" })).meta).toMatchObject({ servedBy: "lastGood", ageMs: 40_000 })
    await t.close()
  })
  test.each([
    ["asked so seldom that each finds a stale answer", "1m"],
    ["asked so often that nearly all are hits", "10s"],
  ] as const)("behind a cache that renews itself, %s → the renewed answer is remembered", async (_often, pause) => {
    const get = op({ effect: "read", input, output }).via(
      fallback(cache({ for: "30s", stale: "5m" }, crm.call("GET /things/{id}")), lastGood({ for: "1h" })),
    )
    const t = await testApp(trestle({ name: "renewed", ops: { get } }))
    let n = 0
    t.wire(crm)
      .on("GET /things/{id}")
      .replies(() => ({ status: 200, body: { id: "a", n: ++n } }))
    while (n < 200) {
      await t.internal().get({ id: "a" })
      await t.clock.advance(pause)
    }
    t.wire(crm).down()
    await t.clock.advance("10m")
    const { value: given, meta } = await t.internal().get.detailed({ id: "a" })
    expect(meta.servedBy).toBe("lastGood")
    expect(given.n).toBeGreaterThan(195)
    expect(meta.ageMs).toBeLessThan(13 * 60_000)
    await t.close()
  })
  test("an old part and then a made-up one, in code → not remembered", async () => {
    const Part = z.object({ n: z.number() })
    let isDown = false
    const old = op({ effect: "read", input, output: Part }).via(
      cache(
        { for: "1s", stale: "1h" },
        code(() => ({ n: 1 })),
      ),
    )
    const madeUp = op({ effect: "read", input, output: Part }).via(fallback(crm.call("GET /things/{id}"), value({ n: 0 })))
    const both = code<{ id: string }, { id: string; n: number }>(async (given, ctx) => {
      if (isDown) throw new Error("down")
      return { ...given, n: (await ctx.run(old, given)).n + (await ctx.run(madeUp, given)).n }
    })
    const get = op({ effect: "read", input, output }).via(fallback(both, lastGood({ for: "1h" })))
    const t = await testApp(trestle({ name: "mixed", ops: { old, madeUp, get } }))
    t.wire(crm).down()
    await t.internal().old({ id: "a" })
    await t.clock.advance("10s")
    expect((await t.internal().get.detailed({ id: "a" })).meta.degraded).toEqual({ why: expect.stringContaining("crm") })
    isDown = true
    expect(await t.internal().get.safe({ id: "a" })).toMatchObject({ ok: false })
    await t.close()
  })
  test("the clock is put back: by less than `for` → given as new; by more → not given, for nobody knows its age", async () => {
    const { t, ada } = await remembering()
    await ada.get({ id: "a" })
    t.wire(crm).down()
    const { epoch } = t.clock
    const putBack = (ms: number): void =>
      void Object.defineProperty(t.clock, "epoch", { value: () => epoch.call(t.clock) - ms, configurable: true })
    putBack(60_000)
    expect((await ada.get.detailed({ id: "a" })).meta.ageMs).toBe(0)
    putBack(86_400_000)
    expect(await ada.get.safe({ id: "a" })).toMatchObject({ code: "UNAVAILABLE" })
    await t.close()
  })
  test("a backup's answer, before it → remembered", async () => {
    const backup = rest({ url: env("BACKUP_URL"), policy: { retry: 0, breaker: false } })
    const get = op({ effect: "read", input, output }).via(
      fallback(crm.call("GET /things/{id}"), backup.call("GET /things/{id}"), lastGood({ for: "1h" })),
    )
    const t = await testApp(trestle({ name: "backup", ops: { get } }))
    t.wire(crm).down()
    t.wire(backup).on("GET /things/{id}").reply(200, { id: "a", n: 2 })
    await t.internal().get({ id: "a" })
    t.wire(backup).down()
    expect(await t.internal().get({ id: "a" })).toEqual({ id: "a", n: 2 })
    await t.close()
  })
  test("what a caller does to its answer → what is remembered stays", async () => {
    const { t, ada } = await remembering()
    Object.assign(await ada.get({ id: "a" }), { n: 99 })
    t.wire(crm).down()
    expect(await ada.get({ id: "a" })).toEqual({ id: "a", n: 1 })
    await t.close()
  })
})

describe("the file", () => {
  let folder: string
  let now = 1_000_000
  const warnings: string[] = []
  const events: EventLog = { info: () => {}, warn: (message) => void warnings.push(message), error: () => {} }
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "trestle-last-good-"))
    warnings.length = 0
    now = 1_000_000
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))
  const ada = { id: "ada", kind: "user" } as const
  const bob = { id: "bob", kind: "user" } as const
  const answer = (text: unknown) => ({ value: text, at: now, until: now + 3_600_000, etag: null, bytes: 100 })
  const clock = { epoch: () => now }
  const open = () => openLastGoodFile({ folder, events, clock })
  const everything = (): string =>
    readdirSync(folder)
      .map((name) => readFileSync(join(folder, name), "latin1"))
      .join("")

  test("closed and opened again → the answers are there, each with its time and version", async () => {
    const file = open()
    file.shelf("a", 10).put(ada, "key", { ...answer({ text: "é", list: [1, null] }), at: 5, etag: "v1" })
    file.close()
    const again = open()
    expect(again.shelf("a", 10).find(ada, "key")).toEqual({ value: { text: "é", list: [1, null] }, at: 5, etag: "v1" })
    expect(again.shelf("b", 10).find(ada, "key")).toBeNull()
    again.close()
  })
  test("it and what belongs to it: for this user only, in a folder made for it", async () => {
    const inner = join(folder, "data")
    const file = openLastGoodFile({ folder: inner, events, clock })
    file.shelf("a", 10).put(ada, "key", answer(1))
    file.flush()
    for (const name of readdirSync(inner)) expect([name, statSync(join(inner, name)).mode & 0o777]).toEqual([name, 0o600])
    expect(statSync(inner).mode & 0o777).toBe(0o700)
    file.close()
  })
  test("names in it: neither callers nor inputs", async () => {
    const file = open()
    file
      .shelf("users.get", 10)
      .put({ id: "ada@example.org", kind: "user", credential: "c0ffee" }, '["ada@example.org"] "secret input"', answer("kept"))
    file.close()
    expect(everything()).toContain("kept")
    for (const name of ["ada@example.org", "secret input", "c0ffee"]) expect(everything()).not.toContain(name)
  })
  test("not written yet → found all the same; null removes", async () => {
    const file = open()
    const shelf = file.shelf("a", 10)
    shelf.put(ada, "key", answer(1))
    expect(shelf.find(ada, "key")?.value).toBe(1)
    file.flush()
    shelf.put(ada, "key", null)
    expect(shelf.find(ada, "key")).toBeNull()
    file.flush()
    expect(shelf.find(ada, "key")).toBeNull()
    file.close()
  })
  test("more than its entries → the newest stay", async () => {
    const file = open()
    const shelf = file.shelf("a", 3)
    for (let i = 0; i < 10; i++) shelf.put(ada, `${i}`, { ...answer(i), at: i })
    file.shelf("b", 3).put(ada, "b", answer("b"))
    file.flush()
    expect(Array.from({ length: 10 }, (_, i) => shelf.find(ada, `${i}`)?.value)).toEqual([...Array(7).fill(undefined), 7, 8, 9])
    expect(file.shelf("b", 3).find(ada, "b")?.value).toBe("b")
    file.close()
  })
  test("more than 64 MiB → the oldest go", async () => {
    const file = open()
    const shelf = file.shelf("a", 1_000)
    const text = "x".repeat(1_048_576)
    for (let i = 0; i < 80; i++) {
      shelf.put(ada, `${i}`, { ...answer(text), at: i })
      file.flush()
    }
    expect([shelf.find(ada, "0"), shelf.find(ada, "79")?.at]).toEqual([null, 79])
    file.close()
    expect(statSync(join(folder, "last-good.db")).size).toBeLessThan(80 * 1_048_576)
  })
  test("the clock is put back → new answers still take the place of old ones", async () => {
    const file = open()
    const shelf = file.shelf("a", 3)
    for (let i = 0; i < 3; i++) shelf.put(ada, `${i}`, answer("of the future"))
    file.flush()
    now -= 500_000
    shelf.put(ada, "new", answer("new"))
    file.flush()
    expect([shelf.find(ada, "new")?.value, shelf.find(ada, "0")]).toEqual(["new", null])
    file.close()
  })
  test("too old for any use → gone from the bytes of the file, of operations too that are no more", async () => {
    const file = open()
    file.shelf("a contract of the past", 10).put(ada, "1", answer("marker-of-the-past"))
    file.close()
    now += 3_600_001
    const again = open()
    again.shelf("b", 10).put(ada, "1", answer("marker-of-today"))
    again.flush()
    again.close()
    expect(everything()).toContain("marker-of-today")
    expect(everything()).not.toContain("marker-of-the-past")
  })
  test("large answers that come faster than they are written → the newest 32 MiB wait", async () => {
    const file = open()
    const shelf = file.shelf("a", 100)
    for (let i = 0; i < 40; i++) shelf.put(ada, `${i}`, { ...answer(i), bytes: 1_048_576 })
    expect([7, 8, 39].map((i) => shelf.find(ada, `${i}`)?.value)).toEqual([undefined, 8, 39])
    shelf.put(ada, "huge", { ...answer("huge"), bytes: 33 * 1_048_576 })
    expect(["huge", "39"].map((key) => shelf.find(ada, key)?.value)).toEqual([undefined, 39])
    file.close()
  })
  test("could not be forgotten until the end, for another process holds the file → all of it goes", async () => {
    const { DatabaseSync } = await import("node:sqlite")
    const file = open()
    file.shelf("a", 10).put(ada, "1", answer("marker-of-ada"))
    file.flush()
    const other = new DatabaseSync(join(folder, "last-good.db"))
    other.exec("BEGIN IMMEDIATE")
    file.forget(ada)
    file.close()
    other.close()
    expect(everything()).not.toContain("marker-of-ada")
  })
  test("to be forgotten while the file could not be opened → it is not there for the next start", async () => {
    const first = open()
    first.shelf("a", 10).put(ada, "1", answer("marker-of-ada"))
    first.close()
    const path = join(folder, "last-good.db")
    const aside = join(folder, "elsewhere")
    renameSync(path, aside)
    mkdirSync(path)
    const file = open()
    rmdirSync(path)
    renameSync(aside, path)
    file.forget(ada)
    file.close()
    expect(everything()).not.toContain("marker-of-ada")
  })
  test("a batch: bounded, and close writes all that waits", async () => {
    const file = open()
    const shelf = file.shelf("a", 5_000)
    for (let i = 0; i < 1_200; i++) shelf.put(ada, `${i}`, answer(i))
    file.close()
    const again = open()
    expect(again.shelf("a", 5_000).find(ada, "1199")?.value).toBe(1_199)
    expect(again.shelf("a", 5_000).find(ada, "0")?.value).toBe(0)
    again.close()
  })
  test("forget → gone from the bytes of the file, waiting or written; the others stay", async () => {
    const file = open()
    const shelf = file.shelf("a", 10)
    shelf.put(ada, "1", answer("marker-of-ada-written"))
    shelf.put(bob, "1", answer("marker-of-bob"))
    file.flush()
    shelf.put(ada, "2", answer("marker-of-ada-waiting"))
    file.forget(ada)
    expect(everything()).not.toContain("marker-of-ada")
    expect([shelf.find(ada, "1"), shelf.find(ada, "2"), shelf.find(bob, "1")?.value]).toEqual([null, null, "marker-of-bob"])
    file.close()
    expect(everything()).not.toContain("marker-of-ada")
  })
  test("forget one credential → the principal's others stay", async () => {
    const file = open()
    const shelf = file.shelf("a", 10)
    shelf.put({ ...ada, credential: "c1" }, "1", answer(1))
    shelf.put({ ...ada, credential: "c2" }, "2", answer(2))
    file.flush()
    file.forget({ ...ada, credential: "c1" })
    expect([shelf.find({ ...ada, credential: "c1" }, "1"), shelf.find({ ...ada, credential: "c2" }, "2")?.value]).toEqual([null, 2])
    file.forget(ada)
    expect(shelf.find({ ...ada, credential: "c2" }, "2")).toBeNull()
    file.close()
  })
  test.each([
    ["no database", () => "this is not a database, it only looks like a file of some length".repeat(50)],
    ["half a database", (sound: Buffer) => sound.subarray(0, sound.length - 5_000)],
    ["a page overwritten", (sound: Buffer) => Buffer.concat([sound.subarray(0, 4_096), Buffer.alloc(4_096, 7), sound.subarray(8_192)])],
  ])("%s → set aside with a warning, and begun anew", async (_name, damaged) => {
    const first = open()
    for (let i = 0; i < 50; i++) first.shelf("a", 100).put(ada, `${i}`, answer("x".repeat(500)))
    first.close()
    const path = join(folder, "last-good.db")
    writeFileSync(path, damaged(readFileSync(path)))
    const file = open()
    expect(warnings).toEqual([expect.stringContaining("damaged")])
    expect(existsSync(`${path}.damaged`)).toBe(true)
    const shelf = file.shelf("a", 100)
    shelf.put(ada, "new", answer("new"))
    file.flush()
    expect([shelf.find(ada, "1"), shelf.find(ada, "new")?.value]).toEqual([null, "new"])
    file.forget(bob)
    expect(existsSync(`${path}.damaged`)).toBe(false)
    file.close()
  })
  test("a folder that cannot be made → a warning, and memory only", async () => {
    writeFileSync(join(folder, "taken"), "")
    const file = openLastGoodFile({ folder: join(folder, "taken"), events, clock })
    const shelf = file.shelf("a", 10)
    shelf.put(ada, "1", answer(1))
    file.flush()
    file.forget(ada)
    expect(warnings).toHaveLength(1)
    expect(shelf.find(ada, "1")).toBeNull()
    file.close()
  })
  test("another process holds the file → written, and forgotten, as soon as it lets go", async () => {
    const { DatabaseSync } = await import("node:sqlite")
    const file = open()
    const shelf = file.shelf("a", 10)
    shelf.put(ada, "1", answer("marker-of-ada"))
    file.flush()
    const other = new DatabaseSync(join(folder, "last-good.db"))
    other.exec("BEGIN IMMEDIATE")
    shelf.put(bob, "1", answer("b"))
    file.flush()
    file.forget(ada)
    expect([shelf.find(ada, "1"), shelf.find(bob, "1")?.value]).toEqual([null, "b"])
    other.exec("ROLLBACK")
    other.close()
    file.flush()
    expect(everything()).not.toContain("marker-of-ada")
    file.close()
    const again = open()
    expect(again.shelf("a", 10).find(bob, "1")?.value).toBe("b")
    again.close()
  })
  test("a seal → nothing in the file is plain, and a row in the place of another is not read", async () => {
    const seal: Seal = {
      seal: (text, key) => Buffer.from(`${key}${text}`).map((byte) => byte ^ 0x55),
      open: (bytes, key) => {
        const text = Buffer.from(bytes)
          .map((byte) => byte ^ 0x55)
          .toString()
        return text.startsWith(key) ? text.slice(key.length) : null
      },
    }
    const file = openLastGoodFile({ folder, events, clock, seal })
    file.shelf("a", 10).put(ada, "1", answer("marker"))
    file.close()
    expect(everything()).not.toContain("marker")
    const { DatabaseSync } = await import("node:sqlite")
    const again = openLastGoodFile({ folder, events, clock, seal })
    expect(again.shelf("a", 10).find(ada, "1")?.value).toBe("marker")
    again.close()
    const database = new DatabaseSync(join(folder, "last-good.db"))
    database.exec("UPDATE answers SET key = (SELECT 'x' || substr(key, 2) FROM answers)")
    database.close()
    const third = openLastGoodFile({ folder, events, clock, seal })
    expect(third.shelf("a", 10).find(ada, "1")).toBeNull()
    third.close()
  })

  describe("under an application", () => {
    const clock = new FakeClock()
    const state = { isDown: false, n: 0 }
    const start = (shape: z.ZodType = output) =>
      startApp(
        trestle({
          name: "kept",
          ops: {
            get: op({ http: "GET /things/{id}", input, output: shape as typeof output, anyObject: "a test", allow: anyone("a test") }).via(
              fallback(
                code(({ id }, { fail }) => (state.isDown ? fail("UNAVAILABLE") : { id, n: ++state.n })),
                fallback(
                  code(() => Promise.reject(new Error("down"))),
                  lastGood({ for: "1h" }),
                ),
              ),
            ),
            other: op({
              http: "GET /others/{id}",
              input,
              output: shape as typeof output,
              anyObject: "a test",
              allow: anyone("a test"),
            }).via(
              fallback(
                code(({ id }) => (state.isDown ? Promise.reject(new Error("down")) : { id, n: ++state.n })),
                lastGood({ for: "1h" }),
              ),
            ),
          },
        }),
        { clock, keptFolder: folder, logOptions: { destination: { write: () => {} } as never }, environment: silent() },
      )
    const silent = () =>
      ({
        name: "test",
        folder,
        sources: [],
        findings: [],
        get: (name: string) => (name === "TRESTLE_LOG" ? { value: "silent" } : undefined),
        names: () => [],
      }) as never

    test("a restart → the last good answer is there, for its caller only", async () => {
      state.isDown = false
      const first = await start()
      const kept = await first.as(ADA).other({ id: "a" })
      await first.close()
      state.isDown = true
      const second = await start()
      expect(await second.as(ADA).other({ id: "a" })).toEqual(kept)
      expect(await second.as(BOB).other.safe({ id: "a" })).toMatchObject({ ok: false })
      await second.close()
    })
    test("another contract → it no longer holds", async () => {
      state.isDown = false
      const first = await start()
      await first.as(ADA).other({ id: "a" })
      await first.close()
      state.isDown = true
      const second = await start(z.object({ id: z.string(), n: z.number(), more: z.string().optional() }))
      expect(await second.as(ADA).other.safe({ id: "a" })).toMatchObject({ ok: false })
      await second.close()
    })
    test("forget → gone from memory and file at once", async () => {
      state.isDown = false
      const running = await start()
      await running.as(ADA).other({ id: "a" })
      await running.as(BOB).other({ id: "a" })
      running.forget("ada")
      state.isDown = true
      expect(await running.as(ADA).other.safe({ id: "a" })).toMatchObject({ ok: false })
      expect(await running.as(BOB).other.safe({ id: "a" })).toMatchObject({ ok: true })
      await running.close()
    })
  })
})

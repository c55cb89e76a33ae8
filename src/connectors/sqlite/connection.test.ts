import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, onTestFinished, test } from "vitest"
import { systemClock } from "../../base/clock.ts"
import type { Attempt } from "../../contract/service.ts"
import type { SqlRow } from "../../contract/sql-session.ts"
import { SqliteSession } from "./connection.ts"
import { type OpenSettings, SqliteDatabase, TooManyRows } from "./database.ts"
import { breaksConnection, isBusy, statementFailure } from "./failure.ts"

/** As `node:sqlite` throws them: the code of the result is all that is looked at. */
const failed = (errcode: number): Error => Object.assign(new Error("said by SQLite"), { code: "ERR_SQLITE_ERROR", errcode })

/** A real database whose next `word` fails. */
class Faulty extends SqliteDatabase {
  fault: { word: string; error: Error; isDoneFirst?: boolean } | null = null

  override exec(text: string): void {
    const { fault } = this
    if (fault?.word !== text) return super.exec(text)
    this.fault = null
    if (fault.isDoneFirst) super.exec(text)
    throw fault.error
  }
}

function opened() {
  const folder = mkdtempSync(join(tmpdir(), "trestle-sqlite-"))
  const settings: OpenSettings = { file: join(folder, "notes.db"), readOnly: false, durability: "normal" }
  const database = new Faulty(settings)
  database.exec("create table notes (text text)")
  const session = new SqliteSession(database, { ...settings, name: "notes", rowsMax: 10, busyTimeoutMs: 10, clock: systemClock })
  onTestFinished(async () => {
    await session.close()
    rmSync(folder, { recursive: true })
  })
  const attempt = (effect: "read" | "write"): Attempt => ({ call: { effect }, isSent: false, stoppable: null }) as unknown as Attempt
  const run = (text: string, effect: "read" | "write" = "write", given = attempt(effect)): unknown =>
    session[effect]({ text, values: [] }, { take: (rows: readonly SqlRow[]) => rows }, given)
  const count = (): number => Number((run("select count(*) as n from notes", "read") as { n: number }[])[0]!.n)
  return { database, session, run, count, attempt }
}

describe("a COMMIT that fails", () => {
  test("with an error of the disk: unknown, and the file is opened anew", () => {
    const { database, run, count, attempt } = opened()
    database.fault = { word: "commit", error: failed(1034) }
    const given = attempt("write")
    expect(() => run("insert into notes values ('a')", "write", given)).toThrow(
      expect.objectContaining({ code: "OUTCOME_UNKNOWN", outcome: "unknown" }),
    )
    expect(given.isSent).toBe(true)
    expect(count()).toBe(0)
    run("insert into notes values ('b')")
    expect(count()).toBe(1)
  })

  test("after it has worked: unknown, and the next look tells", () => {
    const { database, run, count } = opened()
    database.fault = { word: "commit", error: failed(1034), isDoneFirst: true }
    expect(() => run("insert into notes values ('a')")).toThrow(expect.objectContaining({ outcome: "unknown" }))
    expect(count()).toBe(1)
  })

  test("of a transaction: unknown too, never refused", async () => {
    const { database, session, count, attempt } = opened()
    database.fault = { word: "commit", error: failed(1034), isDoneFirst: true }
    const work = session.transaction((tx) => tx.run({ text: "insert into notes values ('a')", values: [] }), attempt("write"))
    await expect(work).rejects.toMatchObject({ code: "OUTCOME_UNKNOWN", outcome: "unknown" })
    expect(count()).toBe(1)
  })

  test("because of a lock: refused, for SQLite promises that it is still open", () => {
    const { database, run, count, attempt } = opened()
    database.fault = { word: "commit", error: failed(5) }
    const given = attempt("write")
    expect(() => run("insert into notes values ('a')", "write", given)).toThrow(
      expect.objectContaining({ reason: "busy", outcome: "refused" }),
    )
    expect(given.isSent).toBe(false)
    expect(count()).toBe(0)
  })

  test("a rollback that fails: the file is opened anew, and nothing is kept", () => {
    const { database, run, count } = opened()
    database.fault = { word: "rollback", error: failed(10) }
    expect(() => run("insert into nowhere values ('a')")).toThrow(expect.objectContaining({ outcome: "refused" }))
    run("insert into notes values ('b')")
    expect(count()).toBe(1)
  })
})

test("a full disk: refused, nothing kept, and the next write works", () => {
  const { database, run, count } = opened()
  database.exec("pragma max_page_count = 2")
  expect(() => run("insert into notes select hex(randomblob(100000))")).toThrow(
    expect.objectContaining({ code: "UNAVAILABLE", outcome: "refused" }),
  )
  run("insert into notes values ('small')")
  expect(count()).toBe(1)
})

test("the same statement with another bound: its own bound holds", () => {
  const { database, run } = opened()
  for (const text of ["a", "b", "c"]) run(`insert into notes values ('${text}')`)
  const all = { text: "select text from notes", values: [] }
  expect(() => database.rows(all, 1)).toThrow(TooManyRows)
  expect(database.rows(all, 3)).toHaveLength(3)
  expect(() => database.rows(all, 2)).toThrow(TooManyRows)
})

test("after close: refused, nothing is opened again", async () => {
  const { session, run } = opened()
  await session.close()
  expect(() => run("select 1", "read")).toThrow(expect.objectContaining({ reason: "not-connected" }))
})

describe("result codes", () => {
  test.each([
    [1, "request-not-mapped"],
    [5, "busy"],
    [261, "busy"],
    [517, "busy"],
    [6, "busy"],
    [262, "busy"],
    [8, "refused-by-service"],
    [10, "refused-by-service"],
    [266, "refused-by-service"],
    [11, "refused-by-service"],
    [13, "refused-by-service"],
    [14, "refused-by-service"],
    [18, "request-not-mapped"],
    [20, "request-not-mapped"],
    [26, "refused-by-service"],
    [1811, "request-not-mapped"],
    [3091, "request-not-mapped"],
  ])("%i of a write → %s", (code, reason) => {
    expect(statementFailure(failed(code), "write", "notes")).toMatchObject({ reason, outcome: "refused" })
  })

  test.each([
    [275, "check"],
    [787, "foreignKey"],
    [1299, "notNull"],
    [1555, "unique"],
    [2067, "unique"],
    [2579, "unique"],
  ])("%i → %s", (code, constraint) => {
    expect(statementFailure(failed(code), "write", "notes")).toMatchObject({ name: "BrokenConstraint", constraint })
  })

  test("8 of a read: its statement writes, which is a mistake", () => {
    expect(statementFailure(failed(8), "read", "notes")).toMatchObject({ reason: "request-not-mapped" })
  })

  test.each([
    [5, true, false],
    [6, true, false],
    [10, false, true],
    [11, false, true],
    [26, false, true],
    [2067, false, false],
  ])("%i: busy %s, breaks the connection %s", (code, busy, breaks) => {
    expect([isBusy(failed(code)), breaksConnection(failed(code))]).toEqual([busy, breaks])
  })
})

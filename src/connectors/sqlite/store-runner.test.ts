import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, onTestFinished, test } from "vitest"
import { type OwnStatement, SqliteDatabase } from "./database.ts"
import { ANY, FAILED, type GroupReply, MET, UNMET } from "./store-message.ts"
import { GroupRunner, NotConnected } from "./store-runner.ts"

/** As `node:sqlite` throws them: the code of the result is all that is looked at. */
const failed = (errcode: number): Error => Object.assign(new Error("said by SQLite"), { code: "ERR_SQLITE_ERROR", errcode })
const BUSY = failed(5)
const FULL = failed(13)
const FLUSH_FAILED = failed(1034)
const WRITE_FAILED = failed(778)

interface PlannedFault {
  readonly text: string
  /** `null`: it goes well after all. */
  readonly error: Error | null
  /** What happens on the way to it. */
  readonly first?: (statement: OwnStatement, database: SqliteDatabase) => void
}

/** A real database of which one statement fails once. */
class Faulty extends SqliteDatabase {
  static fault: PlannedFault | null = null

  override prepareOwn(text: string): OwnStatement {
    const own = super.prepareOwn(text)
    const run: OwnStatement["run"] = (values) => {
      const { fault } = Faulty
      if (fault?.text !== text) return own.run(values)
      Faulty.fault = null
      fault.first?.(own, this)
      if (fault.error) throw fault.error
      return own.run(values)
    }
    return { columns: own.columns, rows: (values: []) => own.rows(values), run } as unknown as OwnStatement
  }
}

const INSERT = { text: "insert into notes (text) values (?)", valueCount: 1 }
const INSERT_NOWHERE = { text: "insert into nowhere (text) values (?)", valueCount: 1 }

function opened() {
  const folder = mkdtempSync(join(tmpdir(), "trestle-store-"))
  const file = join(folder, "notes.db")
  const other = new SqliteDatabase({ file, readOnly: false, durability: "full" })
  other.exec("create table notes (text text unique)")
  let openings = 0
  const runner = new GroupRunner(() => {
    if (!existsSync(file)) throw new NotConnected("its file is gone")
    openings++
    return new Faulty({ file, readOnly: false, durability: "full" })
  })
  onTestFinished(() => {
    Faulty.fault = null
    runner.close()
    other.close()
    rmSync(folder, { recursive: true })
  })
  let isNew = true
  /** A unit for each text, of one insert each. */
  const write = (...texts: string[]): GroupReply => {
    const newTexts = isNew ? [INSERT, INSERT_NOWHERE] : []
    isNew = false
    return runner.run({ newTexts, units: texts.flatMap((text) => [1, text === "nowhere" ? 1 : 0, ANY, text]) })
  }
  const texts = () => other.rows({ text: "select text from notes order by rowid", values: [] }, 100).map((row) => row.text)
  return { file, other, runner, write, texts, openings: () => openings }
}

describe("a group", () => {
  test("all goes well: kept, by one commit, on one connection", () => {
    const { write, texts, openings } = opened()
    expect(write("a", "b")).toMatchObject({ outcome: "kept", results: [MET, 1, MET, 1] })
    expect(write("c")).toMatchObject({ outcome: "kept", results: [MET, 1] })
    expect(texts()).toEqual(["a", "b", "c"])
    expect(openings()).toBe(1)
  })

  test("one unit fails: undone alone", () => {
    const { write, texts } = opened()
    expect(write("a", "nowhere", "a", "b")).toMatchObject({ outcome: "kept", results: [MET, 1, FAILED, 0, FAILED, 1, MET, 1] })
    expect(texts()).toEqual(["a", "b"])
  })

  test("an expectation is unmet: its unit is undone, and the next begins where it ends", () => {
    const { runner, texts } = opened()
    const reply = runner.run({ newTexts: [INSERT], units: [3, 0, ANY, "a", 0, 2, "b", 0, ANY, "c", 1, 0, 1, "d"] })
    expect(reply).toMatchObject({ outcome: "kept", results: [UNMET, MET, 1] })
    expect(texts()).toEqual(["d"])
  })

  test("another holds the file's lock: refused as busy, nothing kept, then all is well", () => {
    const { other, write, texts } = opened()
    other.exec("begin immediate")
    expect(write("a")).toMatchObject({ outcome: "refused", fault: { errcode: 5 } })
    other.exec("rollback")
    expect(write("b").outcome).toBe("kept")
    expect(texts()).toEqual(["b"])
  })

  test("a unit meets an error of the disk: refused as a whole, and the file is opened anew", () => {
    const { write, texts, openings } = opened()
    write("before")
    Faulty.fault = { text: INSERT.text, error: WRITE_FAILED }
    expect(write("a", "b")).toMatchObject({ outcome: "refused", fault: { errcode: 778 } })
    expect(write("c").outcome).toBe("kept")
    expect(texts()).toEqual(["before", "c"])
    expect(openings()).toBe(2)
  })

  test("a unit meets a failure by which SQLite rolls everything back: refused as a whole", () => {
    const { write, texts } = opened()
    write("before")
    Faulty.fault = { text: INSERT.text, error: FULL, first: (_, database) => database.exec("rollback") }
    expect(write("a", "b").outcome).toBe("refused")
    expect(texts()).toEqual(["before"])
  })

  test("its file is removed before it: refused, and as long as there is none", () => {
    const { file, write } = opened()
    write("before")
    rmSync(file)
    expect(write("a")).toMatchObject({ outcome: "refused", fault: { reason: "not-connected" } })
    expect(write("b")).toMatchObject({ outcome: "refused", fault: { message: "its file is gone" } })
  })

  test("its file is removed while it is written: unknown, though its commit has returned", () => {
    const { file, write } = opened()
    write("before")
    Faulty.fault = { text: "commit", error: null, first: () => rmSync(file) }
    expect(write("a").outcome).toBe("unknown")
    expect(write("b").outcome).toBe("refused")
  })
})

describe("a COMMIT that fails", () => {
  test("with an error of the disk: unknown, the file is opened anew, and nothing is committed again", () => {
    const { write, texts, openings } = opened()
    write("before")
    Faulty.fault = { text: "commit", error: FLUSH_FAILED }
    expect(write("a", "b")).toMatchObject({ outcome: "unknown", fault: { errcode: 1034 } })
    expect(write("c").outcome).toBe("kept")
    expect(texts()).toEqual(["before", "c"])
    expect(openings()).toBe(2)
  })

  test("after it has worked: unknown, and the next look tells", () => {
    const { write, texts } = opened()
    Faulty.fault = { text: "commit", error: FLUSH_FAILED, first: (commit) => commit.run([]) }
    expect(write("a").outcome).toBe("unknown")
    expect(texts()).toEqual(["a"])
  })

  test("then the next group: is not written behind what may be lost", () => {
    const { file, write } = opened()
    write("before")
    Faulty.fault = { text: "commit", error: FLUSH_FAILED, first: (commit) => commit.run([]) }
    write("a")
    expect(statSync(`${file}-wal`).size).toBeGreaterThan(0)
    Faulty.fault = { text: "begin immediate", error: BUSY }
    write("b")
    // Emptied into the file before the group began.
    expect(statSync(`${file}-wal`).size).toBe(0)
  })

  test("then the next group, while somebody reads: refused until the log can be emptied", () => {
    const { other, write, texts } = opened()
    write("before")
    other.exec("begin")
    expect(texts()).toEqual(["before"])
    Faulty.fault = { text: "commit", error: FLUSH_FAILED }
    expect(write("a").outcome).toBe("unknown")
    expect(write("b")).toMatchObject({ outcome: "refused", fault: { reason: "not-connected" } })
    other.exec("commit")
    expect(write("c").outcome).toBe("kept")
    expect(texts()).toEqual(["before", "c"])
  })

  test("for want of room: refused, for the record of the commit was not written", () => {
    const { write, texts } = opened()
    Faulty.fault = { text: "commit", error: FULL, first: (_, database) => database.exec("rollback") }
    expect(write("a")).toMatchObject({ outcome: "refused", fault: { errcode: 13 } })
    expect(write("b").outcome).toBe("kept")
    expect(texts()).toEqual(["b"])
  })

  test("for a lock, with the transaction still open: refused, on the connection that goes on", () => {
    const { write, texts, openings } = opened()
    Faulty.fault = { text: "commit", error: BUSY }
    expect(write("a").outcome).toBe("refused")
    expect(write("b").outcome).toBe("kept")
    expect(texts()).toEqual(["b"])
    expect(openings()).toBe(1)
  })
})

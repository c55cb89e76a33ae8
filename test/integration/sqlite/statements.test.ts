import { spawnSync } from "node:child_process"
import { existsSync, renameSync, rmSync, statSync } from "node:fs"
import { dirname, join } from "node:path"
import { describe, expect, test } from "vitest"
import { z } from "zod"
import { nothing, op, type Sql, sql, sqlite } from "../../../src/index.ts"
import { describeStatements, Note, notes } from "../sql/statements.ts"
import { newFile, otherProcess, REAL_TIME, worldOf } from "./kit.ts"

describeStatements({ worldOf, unique: "SQLite 2067" })

describe("statements of SQLite", () => {
  test("a read that writes, in memory: refused too", async () => {
    const sly = (db: Sql) => ({
      ...notes(db),
      sly: op({ effect: "read", input: nothing, output: z.array(Note) }).via(
        db.many(() => sql`insert into notes (text) values ('x') returning id, text`),
      ),
    })
    const { ask } = await worldOf(sly, { file: ":memory:" })
    expect(await ask.sly.safe()).toMatchObject({ code: "INTERNAL", outcome: "refused" })
    await ask.plain({ text: "afterwards writes work" })
    expect(await ask.all()).toEqual(["afterwards writes work"])
  })

  test.each([
    ["two statements", () => sql`insert into notes (text) values ('a'); insert into notes (text) values ('b')`, "more than one statement"],
    ["no statement", () => sql` -- nothing`, "no statement"],
    ["begin", () => sql`begin`, "BEGIN"],
    ["commit behind a comment", () => sql`/* x */ COMMIT`, "COMMIT"],
    ["pragma", () => sql`pragma synchronous = off`, "PRAGMA"],
    ["attach", () => sql`attach ${"/tmp/x.db"} as x`, "ATTACH"],
    ["a table that is not there", () => sql`delete from nowhere`, "no such table"],
    ["undefined", () => sql`delete from notes where id = ${undefined as never}`, "undefined"],
    ["text instead of sql", () => "delete from notes" as never, "sql`select"],
  ])("%s: INTERNAL, refused", async (_what, make, said) => {
    const { ask, records } = await worldOf((db) => ({
      ...notes(db),
      odd: op({ effect: "write", input: nothing, output: nothing }).via(db.run(make)),
    }))
    expect(await ask.odd.safe()).toMatchObject({ code: "INTERNAL", outcome: "refused" })
    const { error } = records.at(-1)!
    expect(`${error?.note} ${(error?.cause as Error | undefined)?.message}`).toContain(said)
    expect(await ask.all()).toEqual([])
  })
})

describe("bounds of SQLite", () => {
  test.each([
    ["an order of its own", () => sql`select n from c order by n desc`, [5, 4, 3, 2, 1]],
    ["a limit of its own", () => sql`select n from c limit 4`, [1, 2, 3, 4]],
    ["a limit that is bound", () => sql`select n from c limit ${4}`, [1, 2, 3, 4]],
    ["a limit that is none", () => sql`select n from c limit ${-1}`, [1, 2, 3, 4, 5]],
    ["a limit and an offset", () => sql`select n from c limit ${4} offset ${1}`, [2, 3, 4, 5]],
    ["an offset and a limit", () => sql`select n from c limit ${1}, ${4}`, [2, 3, 4, 5]],
    ["a limit in a comment", () => sql`select n from c -- limit 1`, [1, 2, 3, 4, 5]],
    ["a limit in a part of it", () => sql`select n from (select n from c limit 4)`, [1, 2, 3, 4]],
    ["two selects", () => sql`select n from c union all select n from c`, [1, 2, 3, 4, 5, 1, 2, 3, 4, 5]],
    ["a semicolon at its end", () => sql`select n from c;`, [1, 2, 3, 4, 5]],
    ["a semicolon and a comment", () => sql`select n from c; -- all`, [1, 2, 3, 4, 5]],
    ["a comment at its end", () => sql`select n from c -- all`, [1, 2, 3, 4, 5]],
    ["a comment without an end", () => sql`select n from c /* all`, [1, 2, 3, 4, 5]],
    ["a comment at its beginning", () => sql`-- all\nselect n from c`, [1, 2, 3, 4, 5]],
    ["values bound", () => sql`select n from c where n < ${9}`, [1, 2, 3, 4, 5]],
  ])("with %s: all rows up to the bound, refused beyond", async (_, statement, rows) => {
    for (const rowsMax of [rows.length, rows.length - 1]) {
      const { ask, lastNote } = await worldOf(
        (db) => ({
          many: op({ effect: "read", input: nothing, output: z.array(z.number()) }).via(db.many(statement, { row: (row) => row.n })),
        }),
        { rowsMax, migrations: [{ name: "1-c", sql: "create table c (n integer); insert into c values (1), (2), (3), (4), (5)" }] },
      )
      for (let i = 0; i < 2; i++) {
        if (rowsMax === rows.length) expect(await ask.many()).toEqual(rows)
        else expect(await ask.many.safe()).toMatchObject({ code: "INTERNAL", outcome: "refused" })
      }
      if (rowsMax < rows.length) expect(lastNote()).toContain(`more than ${rowsMax} rows`)
    }
  })
  test("whole numbers: stored as integers, in a column for text as well", async () => {
    const { ask } = await worldOf((db) => ({
      what: op({ effect: "read", input: nothing, output: z.object({ t: z.string(), s: z.string() }) }).via(
        db.one(() => sql`select typeof(${5}) as t, cast(${5} as text) as s`),
      ),
    }))
    expect(await ask.what()).toEqual({ t: "integer", s: "5" })
  })
})

describe("the file", () => {
  test("is made with its folder, for this user only", async () => {
    const file = newFile()
    const { ask } = await worldOf(notes, { file })
    await ask.plain({ text: "a" })
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(statSync(dirname(file)).mode & 0o777).toBe(0o700)
    expect(statSync(`${file}-wal`).mode & 0o777).toBe(0o600)
  })

  test("is closed with the application: nothing is left but the file", async () => {
    const file = newFile()
    const { ask, running } = await worldOf(notes, { file })
    await ask.plain({ text: "a" })
    await running.close()
    await running.close()
    expect([existsSync(file), existsSync(`${file}-wal`)]).toEqual([true, false])
  })

  test("keeps what was written for the next start", async () => {
    const file = newFile()
    const first = await worldOf(notes, { file })
    await first.ask.plain({ text: "a" })
    await first.running.close()
    expect(await (await worldOf(notes, { file })).ask.all()).toEqual(["a"])
  })

  test("is removed while it is open: a write is refused, not lost", async () => {
    const file = newFile()
    const { ask, lastNote } = await worldOf(notes, { file })
    await ask.plain({ text: "a" })
    for (const ending of ["", "-wal", "-shm"]) rmSync(file + ending)
    expect(await ask.plain.safe({ text: "b" })).toMatchObject({ code: "UNAVAILABLE", outcome: "refused" })
    expect(lastNote()).toContain("removed or replaced")
    expect(await ask.all.safe()).toMatchObject({ code: "UNAVAILABLE" })
    expect(existsSync(file)).toBe(false)
  })

  test("is replaced while it is open: one write is refused, the next goes to the new one", async () => {
    const file = newFile()
    const { ask, running } = await worldOf(notes, { file })
    await ask.plain({ text: "a" })
    const other = newFile()
    const second = await worldOf(notes, { file: other })
    await second.ask.plain({ text: "restored" })
    await second.running.close()
    for (const ending of ["-wal", "-shm"]) rmSync(file + ending)
    renameSync(other, file)
    expect(await ask.plain.safe({ text: "b" })).toMatchObject({ code: "UNAVAILABLE", outcome: "refused" })
    await ask.plain({ text: "c" })
    await running.close()
    expect(await (await worldOf(notes, { file })).ask.all()).toEqual(["restored", "c"])
  })

  test.each([["file:notes.db?mode=memory"], [""], ["/dev/null/notes.db"]])("%j: refuses to start", async (file) => {
    await expect(worldOf(notes, { file })).rejects.toMatchObject({ code: "START_REFUSED", findings: [{ code: "TRS1014" }] })
  })

  test("what is no database: refuses to start, and is left as it is", async () => {
    await expect(worldOf(notes, { file: import.meta.filename })).rejects.toThrow(/not a database/)
  })

  test("says of itself that a statement cannot be stopped", () => {
    expect(sqlite({ file: "x.db" })["~service"].capabilities).toEqual({ cancel: false })
  })

  test.each([
    [{ rowsMax: 0 }, "rowsMax"],
    [{ busyTimeout: "soon" as never }, "busyTimeout"],
    [{ durability: "none" as never }, "durability"],
    [{ migrate: "sometimes" as never }, "migrate"],
  ])("%j: a finding", (options, said) => {
    expect(sqlite({ file: "x.db", ...options })["~service"].mistakes.join()).toContain(said)
  })
})

test("the driver's warning that it is experimental: kept back; any other is heard", async () => {
  const script = `import { op, nothing, sql, sqlite, trestle } from "trestle"
    import { z } from "zod"
    const one = op({ effect: "read", input: nothing, output: z.object({ n: z.number() }) }).via(sqlite({ file: ":memory:" }).one(() => sql\`select 1 as n\`))
    const running = await trestle({ name: "x", ops: { one } }).start()
    process.stdout.write(JSON.stringify(await running.internal().one()))
    process.emitWarning("another")
    await running.close()`
  const args = ["--conditions=trestle-source", "--input-type=module", "--eval", script]
  const child = spawnSync(process.execPath, args, {
    cwd: join(import.meta.dirname, "..", "..", ".."),
    env: { ...process.env, TRESTLE_LOG: "silent" },
    encoding: "utf8",
  })
  expect(child.stdout).toBe('{"n":1}')
  expect(child.stderr.split("\n").filter((line) => /Warning/.test(line) && !/Type Stripping/.test(line))).toEqual([
    expect.stringContaining("Warning: another"),
  ])
})

describe("another process", () => {
  test("that writes for a while: is waited for", async () => {
    const file = newFile()
    const { ask } = await worldOf(notes, { file }, REAL_TIME)
    const other = otherProcess(file)
    await other.exec("begin immediate; insert into notes (text) values ('theirs')")
    const ours = ask.plain({ text: "ours" })
    await other.exec("commit")
    await ours
    expect(await ask.all()).toEqual(["theirs", "ours"])
  })

  test("that writes for too long: busy, refused, and a later attempt may go well", async () => {
    const file = newFile()
    const { ask, records } = await worldOf(notes, { file })
    const other = otherProcess(file)
    await other.exec("begin immediate; insert into notes (text) values ('theirs')")
    expect(await ask.plain.safe({ text: "ours" })).toMatchObject({ code: "UNAVAILABLE", outcome: "refused" })
    expect(records.at(-1)!.error).toMatchObject({ reason: "busy" })
    await other.exec("rollback")
    await ask.plain({ text: "ours" })
    expect(await ask.all()).toEqual(["ours"])
  })

  test("that writes: does not hold up a read, which does not see it", async () => {
    const file = newFile()
    const { ask } = await worldOf(notes, { file })
    const other = otherProcess(file)
    await other.exec("begin immediate; insert into notes (text) values ('theirs')")
    expect(await ask.all()).toEqual([])
    await other.exec("commit")
    expect(await ask.all()).toEqual(["theirs"])
  })

  test("that is killed while it writes: leaves nothing of it, and the lock", async () => {
    const file = newFile()
    const { ask } = await worldOf(notes, { file })
    const other = otherProcess(file)
    await other.exec("begin immediate; insert into notes (text) values ('theirs')")
    await other.kill()
    await ask.plain({ text: "ours" })
    expect(await ask.all()).toEqual(["ours"])
  })
})

import { existsSync, rmSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { finished, folder, json, startTrestle, trestle } from "./kit.ts"

const APP = `import { env, nothing, op, sql, sqlite, trestle } from "trestle"
import { z } from "zod"
export const db = sqlite({ file: env("NOTES_FILE", "data/notes.db"), name: "notes", migrations: new URL("./migrations/", import.meta.url) })
const list = op({ effect: "read", input: nothing, output: z.array(z.object({ text: z.string() })) }).via(db.many(() => sql\`select text from notes\`))
export const app = trestle({ name: "notes", ops: { list } })
`
const NOTES = "create table notes (id integer primary key, text text not null) strict;\n"
const FILES = { "app.ts": APP, "migrations/0001-notes.sql": NOTES, "migrations/0002-index.sql": "create index by_text on notes (text);\n" }
const TRESTLE_LOG = "silent"

describe("db status", () => {
  test("before the first migration: all pending, exit 1, no file is made", async () => {
    const cwd = folder(FILES)
    const { code, stdout, stderr } = await trestle(["db", "status"], { cwd })
    expect(code).toBe(1)
    expect(stdout).toMatch(/^SERVICE +MIGRATION +STATE +APPLIED$/m)
    expect(stdout).toMatch(/^notes +0001-notes +pending +-$/m)
    expect(stderr).toContain("error[TRS1020]: notes lacks 0001-notes, 0002-index\n  --> app.ts:3\n")
    expect(stderr).toContain("help: npx trestle db migrate")
    expect(existsSync(join(cwd, "data"))).toBe(false)
  })

  test("when all are applied: exit 0", async () => {
    const cwd = folder(FILES)
    await trestle(["db", "migrate"], { cwd })
    const ran = await trestle(["db", "status", "--json"], { cwd })
    expect(ran.code).toBe(0)
    expect(json(ran)).toMatchObject({
      schema: "trestle.db/1",
      ok: true,
      summary: { services: 1, migrations: 2, pending: 0 },
      services: [
        { service: "notes", migrations: [{ name: "0001-notes", state: "applied", appliedAt: expect.stringMatching(/^\d{4}-.*Z$/) }, {}] },
      ],
    })
  })

  test("one that was changed: exit 1, TRS1021", async () => {
    const cwd = folder(FILES)
    await trestle(["db", "migrate"], { cwd })
    writeFileSync(join(cwd, "migrations/0001-notes.sql"), `${NOTES}-- later`)
    const ran = await trestle(["db", "status", "--json"], { cwd })
    expect(ran.code).toBe(1)
    expect(json(ran).findings).toMatchObject([{ code: "TRS1021", message: expect.stringContaining("0001-notes (changed)") }])
  })
})

describe("db migrate", () => {
  test("applies what is pending, then nothing; the application starts", async () => {
    const cwd = folder(FILES)
    expect(await trestle(["call", "list"], { cwd, env: { TRESTLE_LOG } })).toMatchObject({
      code: 3,
      stderr: expect.stringContaining("trestle db migrate"),
    })
    expect(await trestle(["db", "migrate"], { cwd })).toEqual({
      code: 0,
      stdout: "applied 0001-notes to notes\napplied 0002-index to notes\n",
      stderr: "",
    })
    expect(await trestle(["db", "migrate"], { cwd })).toEqual({ code: 0, stdout: "", stderr: "nothing to apply\n" })
    expect(await trestle(["call", "list"], { cwd, env: { TRESTLE_LOG } })).toMatchObject({ code: 0, stdout: expect.stringContaining("[]") })
  })

  test("--dry-run: shows them, changes nothing", async () => {
    const cwd = folder(FILES)
    const ran = await trestle(["db", "migrate", "--dry-run", "--json"], { cwd })
    expect(ran.code).toBe(0)
    expect(json(ran)).toMatchObject({ summary: { applied: 0, wouldApply: 2 }, services: [{ applied: ["0001-notes", "0002-index"] }] })
    expect(existsSync(join(cwd, "data"))).toBe(false)
  })

  test("one that fails: exit 1, TRS1022 with its name, and nothing of it is kept", async () => {
    const cwd = folder({ ...FILES, "migrations/0003-bad.sql": "create table half (n);\ninsert into nowhere values (1);" })
    const ran = await trestle(["db", "migrate", "--json"], { cwd })
    expect(ran.code).toBe(1)
    expect(json(ran).findings).toMatchObject([
      { code: "TRS1022", message: expect.stringContaining("0003-bad failed: no such table: nowhere") },
    ])
    expect(json(await trestle(["db", "status", "--json"], { cwd })).services[0].migrations.map(({ state }: any) => state)).toEqual([
      "applied",
      "applied",
      "pending",
    ])
  })

  test("a file that cannot be opened: exit 4, TRS3010", async () => {
    const cwd = folder({ ...FILES, "data/notes.db": "no database ".repeat(100) })
    const { code, stderr } = await trestle(["db", "migrate"], { cwd })
    expect(code).toBe(4)
    expect(stderr).toContain("error[TRS3010]")
    expect(stderr).toContain("file is not a database")
  })

  test("three processes at once: each is applied once, and none fails", async () => {
    const cwd = folder(FILES)
    const runs = await Promise.all([1, 2, 3].map(() => trestle(["db", "migrate", "--json"], { cwd })))
    expect(runs.map(({ code, stderr }) => [code, stderr])).toEqual([1, 2, 3].map(() => [0, ""]))
    expect(runs.flatMap((ran) => json(ran).services[0].applied).sort()).toEqual(["0001-notes", "0002-index"])
  })

  test("killed in the middle, again and again: a migration is there as a whole or not at all", async () => {
    const rows = 200_000
    const big = `create table big (n integer); with recursive c (n) as (select 1 union all select n + 1 from c where n < ${rows}) insert into big select n from c;`
    const cwd = folder({ ...FILES, "migrations/0003-big.sql": big })
    for (const walBytes of [1, 50_000, 1_000_000]) {
      rmSync(join(cwd, "data"), { recursive: true, force: true })
      const child = startTrestle(["db", "migrate"], { cwd })
      const ending = finished(child)
      let isOver = false
      void ending.then(() => {
        isOver = true
      })
      while (!isOver && sizeOf(join(cwd, "data/notes.db-wal")) < walBytes) await new Promise((resolve) => setImmediate(resolve))
      child.kill("SIGKILL")
      await ending
      const states = json(await trestle(["db", "status", "--json"], { cwd })).services[0].migrations.map(({ state }: any) => state)
      expect(states.join()).toMatch(/^(applied,)*(pending,?)*(applied)?$/)
      const ran = await trestle(["db", "migrate"], { cwd })
      expect(ran).toMatchObject({ code: 0 })
    }
  })
})

describe("usage", () => {
  test.each([
    [["db"], "db needs one of: status, migrate"],
    [["db", "migarte"], 'Did you mean "migrate"?'],
    [["db", "status", "--service", "note"], 'Did you mean "notes"?'],
  ])("%j: exit 2", async (args, said) => {
    const { code, stderr } = await trestle(args, { cwd: folder(FILES) })
    expect(code).toBe(2)
    expect(stderr).toContain(said)
  })

  test("no service with migrations: exit 2", async () => {
    const app =
      'import { code, nothing, op, trestle } from "trestle"\nexport const app = trestle({ name: "x", ops: { a: op({ effect: "read", input: nothing, output: nothing }).via(code(() => {})) } })'
    expect(await trestle(["db", "status"], { cwd: folder({ "app.ts": app }) })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("no service of the application has migrations"),
    })
  })

  test("a variable that is unset: exit 3", async () => {
    const app = APP.replace('env("NOTES_FILE", "data/notes.db")', 'env("NOTES_FILE")')
    expect(await trestle(["db", "status"], { cwd: folder({ ...FILES, "app.ts": app }) })).toMatchObject({
      code: 3,
      stderr: expect.stringContaining("NOTES_FILE"),
    })
  })
})

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0
}

import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { z } from "zod"
import { openOutboxOf } from "../../src/assembly/outboxes-of.ts"
import { loadSqlite } from "../../src/base/node-sqlite.ts"
import type { Environment } from "../../src/config/environment.ts"
import { trestle as declare, nothing, op, sql, sqlite } from "../../src/index.ts"
import { folder, json, type Ran, trestle } from "./kit.ts"

const APP = `import { nothing, op, sql, sqlite, topic, trestle } from "trestle"
import { z } from "zod"
const Note = z.object({ text: z.string() })
const noted = topic("noted", Note)
const notes = sqlite({ file: "notes.db", outbox: true })
const add = op({ effect: "write", input: Note, output: nothing }).via(notes.transaction(async (tx, note) => { await tx.emit(noted, note) }))
export const app = trestle({ name: "notes", ops: { notes: { add } } })
`
const environment = { name: "development", get: () => undefined, findings: [] } as unknown as Environment

/** A folder whose application has two messages in its outbox, written by a process that has gone. */
async function waiting(): Promise<string> {
  const cwd = folder({ "app.ts": APP })
  process.env.TRESTLE_DATA = join(cwd, ".trestle")
  const file = join(cwd, "notes.db")
  const notes = sqlite({ file, outbox: true })
  const add = op({ effect: "write", input: z.object({}), output: nothing }).via(notes.run(() => sql`select 1`))
  loadSqlite()
  const app = declare({ name: "notes", ops: { add } })
  // The first start makes the tables.
  await (await app.start({ log: { info() {}, warn() {}, error() {}, debug() {} } as never })).close()
  const outbox = (await openOutboxOf(app, "notes", environment))!
  for (const [id, topic] of [
    ["m1", "noted"],
    ["m2", "noted"],
  ] as const)
    await outbox.store.unit([
      {
        text: "insert into trestle_outbox (id, topic, body, at) values (?, ?, ?, ?)",
        values: [id, topic, '{"payload":{"text":"hunter2"}}', 1_700_000_000_000],
      },
    ])
  await outbox.store.unit([{ text: "update trestle_outbox set is_unreadable = 1 where id = 'm2'", values: [] }])
  await outbox.close()
  return cwd
}

const outbox = (cwd: string, ...args: string[]): Promise<Ran> => trestle(["outbox", ...args], { cwd })

describe("trestle outbox", () => {
  test("no message was ever written: nothing waits", async () => {
    const { code, stdout, stderr } = await outbox(folder({ "app.ts": APP }), "list")
    expect([code, stdout, stderr]).toEqual([0, "", "nothing waits\n"])
  })
  test("list and show: what waits, never what it says", async () => {
    const cwd = await waiting()
    const listed = await outbox(cwd, "list")
    expect(listed.stdout).toMatch(
      /^ID +SERVICE +TOPIC +SINCE +STATE\nm1 +notes +noted +2023-11-14T22:13:20\.000Z +waiting\nm2 +notes.*unreadable/,
    )
    const story = await outbox(cwd, "show", "m1")
    expect(story.stdout).toMatch(/^service +notes$/m)
    expect((await outbox(cwd, "show", "m2")).stdout).toMatch(/^state +unreadable; nobody gets it/m)
    expect(listed.stdout + story.stdout).not.toContain("hunter2")
    expect(json(await outbox(cwd, "list", "--json")).messages.map(({ id }: { id: string }) => id)).toEqual(["m1", "m2"])
  })
  test("drop: only with --yes; then it is gone, and the others are not", async () => {
    const cwd = await waiting()
    expect(await outbox(cwd, "drop", "m1")).toMatchObject({ code: 2 })
    expect(await outbox(cwd, "drop", "m1", "--dry-run")).toMatchObject({ code: 0, stderr: "would remove m1\n" })
    expect(await outbox(cwd, "drop", "m1", "--yes")).toMatchObject({ code: 0, stderr: "1 removed\n" })
    expect(json(await outbox(cwd, "list", "--json")).messages.map(({ id }: { id: string }) => id)).toEqual(["m2"])
  })
  test("one that does not wait: exit 2", async () =>
    expect(await outbox(await waiting(), "show", "m9")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('no message "m9" waits'),
    }))
  test("a service that keeps none: exit 2, with those that do", async () =>
    expect(await outbox(await waiting(), "list", "--service", "note")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('mean "notes"'),
    }))
})

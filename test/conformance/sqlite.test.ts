import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, test } from "vitest"
import { z } from "zod"
import { env, nothing, op, sql, sqlite } from "../../src/index.ts"
import { connectorPromises } from "../../src/testing/index.ts"

const folder = mkdtempSync(join(tmpdir(), "trestle-sqlite-"))
afterAll(() => rmSync(folder, { recursive: true }))
let files = 0

describe("sqlite", () => {
  const promises = connectorPromises({
    name: "sqlite",
    server: null,
    conflict: "CONFLICT",
    declare(_at, policy) {
      const migrations = [{ name: "0001-notes", sql: "create table notes (key text primary key, text text not null) strict" }]
      const db = sqlite({ file: env("NOTES_FILE"), policy, migrations, migrate: "on start" })
      return {
        service: db,
        variables: { NOTES_FILE: join(folder, `notes-${++files}.db`) },
        write: op({ effect: "write", input: z.object({ key: z.string(), text: z.string() }), output: nothing }).via(
          db.run((i) => sql`insert into notes (key, text) values (${i.key}, ${i.text})`),
        ),
        read: op({ effect: "read", input: z.object({ key: z.string() }), output: z.object({ text: z.string() }) }).via(
          db.one((i) => sql`select text from notes where key = ${i.key}`),
        ),
      }
    },
  })
  for (const { name, run } of promises) test(name, run)
})

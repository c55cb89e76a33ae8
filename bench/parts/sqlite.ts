/** One row by its key, through operation, policies and SQL service; log on. */
import { mkdtempSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { sql, sqlite } from "../trestle.ts"
import { measureBackend } from "./call-app.ts"
import { fill } from "./questions.ts"

const statements: string[] = []
fill((text) => statements.push(text))
const db = sqlite({
  file: join(mkdtempSync(join(tmpdir(), "bench-sqlite-")), "questions.db"),
  migrations: [{ name: "0001-questions", sql: statements.join(";\n") }],
  migrate: "on start",
})
await measureBackend(db.one(({ id }) => sql`select id, text, points from questions where id = ${id}`))

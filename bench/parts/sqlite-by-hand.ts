/** The reference of the SQL service: node:sqlite itself, its statement prepared once. */
import { mkdtempSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { measure, right } from "./measure.ts"
import { fill } from "./questions.ts"

const database = new DatabaseSync(join(mkdtempSync(join(tmpdir(), "bench-sqlite-")), "questions.db"))
database.exec("pragma journal_mode = wal; begin")
fill((text) => database.exec(text))
database.exec("commit")
const statement = database.prepare("select id, text, points from questions where id = ?")
await measure(async (n) => right((statement.get(String(n % 16)) as { points: number }).points === 7))

/** The reference of the SQL service: node:sqlite itself, its statement prepared once. */
import { DatabaseSync } from "node:sqlite"
import { measure, right } from "./measure.ts"
import { fill } from "./questions.ts"

const database = new DatabaseSync(":memory:")
fill((text) => database.exec(text))
const statement = database.prepare("select id, text, points from questions where id = ?")
await measure(async (n) => right((statement.get(String(n % 16)) as { points: number }).points === 7))

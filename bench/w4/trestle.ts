/** Messages of a topic with one consumer. `STORE_URL`: in PostgreSQL; without it in a SQLite file of `FOLDER`. */
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import pg from "pg"
import { z } from "zod"
import { code, nothing, op, postgres, secret, sqlite, topic, trestle } from "../trestle.ts"
import { consumed, measure } from "./measure.ts"

process.env.TRESTLE_LOG = "silent"
const file = join(process.env.FOLDER!, "store.db")
const isPostgres = process.env.STORE_URL !== undefined
const Question = z.object({ id: z.number(), text: z.string(), at: z.string(), tags: z.array(z.string()) })
const asked = topic("question.asked", Question)

const consume = op({ on: asked, effect: "write", repeat: "natural", input: Question, output: nothing }).via(code(() => consumed()))
const store = isPostgres ? postgres({ url: secret("STORE_URL"), name: "store" }) : sqlite({ file, name: "store" })
const running = await trestle({ name: "bench-w4", ops: { consume }, store }).start()

await measure({ put: (payloads) => Promise.all(payloads.map((payload) => running.publish(asked, payload))), left: await counter() })
await running.close()

/** Asked behind Trestle's back: what counts is what is in the database. */
async function counter(): Promise<() => Promise<number>> {
  const text = "select count(*) as n from trestle_jobs"
  if (!isPostgres) {
    const statement = new DatabaseSync(file, { readOnly: true }).prepare(text)
    return async () => statement.get()!.n as number
  }
  const client = new pg.Client(process.env.STORE_URL)
  await client.connect()
  return async () => Number((await client.query(text)).rows[0].n)
}

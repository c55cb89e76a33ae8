import { afterAll, beforeAll, describe, test } from "vitest"
import { z } from "zod"
import { nothing, op, postgres, secret, sql } from "../../src/index.ts"
import { connectorPromises } from "../../src/testing/index.ts"
import { findPostgres, newDatabase } from "../servers/postgres.ts"

const server = await findPostgres()

describe.skipIf(server === null)("postgres", () => {
  const place = { host: "127.0.0.1", port: 0 }
  let database: Awaited<ReturnType<typeof newDatabase>>
  beforeAll(async () => {
    database = await newDatabase(server!)
    place.port = Number(new URL(database.url).port)
    const { Client } = (await import("pg")).default
    const client = new Client({ connectionString: database.url })
    await client.connect()
    await client.query("create table notes (key text primary key, text text not null)")
    await client.end()
  })
  afterAll(() => database?.drop())

  let runs = 0
  const promises = connectorPromises({
    name: "postgres",
    server: place,
    conflict: "CONFLICT",
    undoesLost: true,
    declare(at, policy) {
      // The server outlives a promise, so each has keys of its own.
      const prefix = `run-${++runs}-`
      const url = new URL(database.url)
      url.host = `${at!.host}:${at!.port}`
      const db = postgres({ url: secret("NOTES_URL"), policy })
      return {
        service: db,
        variables: { NOTES_URL: url.href },
        write: op({ effect: "write", input: z.object({ key: z.string(), text: z.string() }), output: nothing }).via(
          db.run((i) => sql`insert into notes (key, text) values (${prefix + i.key}, ${i.text})`),
        ),
        read: op({ effect: "read", input: z.object({ key: z.string() }), output: z.object({ text: z.string() }) }).via(
          db.one((i) => sql`select text from notes where key = ${prefix + i.key}`),
        ),
      }
    },
  })
  for (const { name, run } of promises) test(name, run)
})

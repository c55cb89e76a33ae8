// A store that takes what it is told, and says nothing.
import pg from "pg"
import { describe, expect, test } from "vitest"
import { startApp } from "../../src/assembly/start.ts"
import { type PostgresAddress, readAddress } from "../../src/connectors/postgres/address.ts"
import { PostgresDatabase } from "../../src/connectors/postgres/database.ts"
import type { PgDriver } from "../../src/connectors/postgres/driver.ts"
import { openStore } from "../../src/connectors/postgres/store.ts"
import { Hints } from "../../src/connectors/postgres/store-hints.ts"
import { TABLES } from "../../src/durable/tables.ts"
import { code, nothing, op, postgres, secret, topic, trestle } from "../../src/index.ts"
import { FakeClock } from "../../src/testing/index.ts"
import { rememberingLog, standInReferences, testEnvironment } from "../../src/testing/stand-ins.ts"
import { type PostgresBehindProxy, postgresBehindProxy } from "../reliability/kit/postgres-behind-proxy.ts"
import { findPostgres } from "../servers/postgres.ts"

const server = await findPostgres()
const said = topic("said", nothing)

/** Moves time on, second by second, until it has come; gives how many that took. */
async function secondsUntil(work: Promise<unknown>, clock: FakeClock): Promise<number> {
  const begun = clock.now()
  let isOver = false
  const over = (): void => {
    isOver = true
  }
  work.then(over, over)
  while (!isOver) await clock.advance("1s")
  return (clock.now() - begun) / 1_000
}

/** Connections that are made, and hear nothing from then on. */
function hangingAfterwards({ url, proxy }: PostgresBehindProxy): () => PostgresDatabase {
  return () => {
    const connection = new PostgresDatabase(pg as unknown as PgDriver, readAddress(url) as PostgresAddress, "db")
    const connect = connection.connect.bind(connection)
    connection.connect = async () => {
      await connect()
      proxy.mode = "mute"
    }
    return connection
  }
}

describe.skipIf(server === null)("a PostgreSQL that hangs", () => {
  test("/health/ready → says within two seconds what does not answer, and that it is back", async () => {
    await using database = (await postgresBehindProxy())!
    const clock = new FakeClock()
    const hear = op({ on: said, effect: "write", repeat: "natural", input: nothing, output: nothing }).via(code(() => undefined))
    const running = await startApp(trestle({ name: "ready", ops: { hear }, store: postgres({ url: secret("STORE_URL"), name: "db" }) }), {
      clock,
      environment: testEnvironment,
      references: standInReferences({ STORE_URL: database.url }),
      keptFolder: null,
      log: rememberingLog([]),
    })
    const ask = async (): Promise<[number, unknown]> => {
      const response = await running.fetch(new Request("http://app.test/health/ready"))
      return [response.status, ((await response.json()) as { services: unknown }).services]
    }
    expect(await ask()).toEqual([200, { db: "up", store: "up" }])
    database.proxy.mode = "mute"
    // What was known of the services holds for a little while.
    await clock.advance("3s")
    const hanging = ask()
    expect(await secondsUntil(hanging, clock)).toBeLessThanOrEqual(2)
    expect(await hanging).toEqual([503, { db: expect.not.stringMatching("up"), store: "no answer" }])
    database.proxy.mode = "pass"
    await clock.advance("31s")
    await expect.poll(async () => (await ask())[0]).toBe(200)
    await running.close()
  })

  test("after it has taken the connection of a start → the start is refused after half a minute", async () => {
    await using database = (await postgresBehindProxy())!
    const clock = new FakeClock()
    const open = hangingAfterwards(database)
    const opening = openStore(TABLES, { name: "db", clock, open })
    expect(await secondsUntil(opening, clock)).toBeGreaterThanOrEqual(30)
    await expect(opening).rejects.toMatchObject({ code: "START_REFUSED" })
  })

  test("after it has taken the connection for hints → that is given up, to be made anew", async () => {
    await using database = (await postgresBehindProxy())!
    const clock = new FakeClock()
    const beginning = new Hints(hangingAfterwards(database), clock).begin()
    expect(await secondsUntil(beginning, clock)).toBeGreaterThanOrEqual(10)
    await expect(beginning).rejects.toThrow()
  })

  test("LISTEN is refused, as by a standby → the connection for hints is not left behind", async () => {
    await using database = (await postgresBehindProxy())!
    const connection = new PostgresDatabase(pg as unknown as PgDriver, readAddress(database.url) as PostgresAddress, "db")
    const exec = connection.exec.bind(connection)
    connection.exec = (text) => exec(text.startsWith("listen") ? "listen" : text)
    await expect(new Hints(() => connection, new FakeClock()).begin()).rejects.toMatchObject({ code: "42601" })
    expect(connection.isLost).toBe(true)
  })
})

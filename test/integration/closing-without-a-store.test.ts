// The end of an application whose store does not answer.
import pg from "pg"
import { describe, expect, test } from "vitest"
import type { DurableParts } from "../../src/assembly/durable.ts"
import { startApp } from "../../src/assembly/start.ts"
import { systemClock } from "../../src/base/clock.ts"
import { code, nothing, op, postgres, secret, topic, trestle } from "../../src/index.ts"
import { rememberingLog, testEnvironment } from "../../src/testing/stand-ins.ts"
import { findPostgres, newDatabase } from "../servers/postgres.ts"

const server = await findPostgres()

describe.skipIf(server === null)("closing while the store does not answer", () => {
  test("→ ends once it is given up, and what was asked for has failed", async () => {
    const { url, drop } = await newDatabase(server!)
    const said = topic("said", nothing)
    const hear = op({ on: said, effect: "write", repeat: "natural", input: nothing, output: nothing }).via(code(() => undefined))
    const store = postgres({ url: secret("STORE_URL") })
    let durable!: DurableParts
    const running = await startApp(trestle({ name: "closing", ops: { hear }, store }), {
      clock: systemClock,
      environment: { ...testEnvironment, get: (name) => (name === "STORE_URL" ? { value: url, source: "test", shadows: [] } : undefined) },
      keptFolder: null,
      log: rememberingLog([]),
      durable: { opened: (parts) => (durable = parts) },
    })
    const holder = new pg.Client({ connectionString: url })
    await holder.connect()
    await holder.query("begin; lock table trestle_jobs in access exclusive mode")
    const publishing = running.publish(said, undefined).then(
      () => "published",
      ({ code }) => code,
    )
    const closing = running.close()
    durable.giveUp()
    await closing
    expect(await publishing).toBe("OUTCOME_UNKNOWN")
    await holder.end()
    await drop()
  })
})
